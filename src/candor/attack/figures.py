"""The printed figures of the stage: success over the signal-to-noise ratio, by group, and of all systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from candor.attack.breakdown import EMOTION, GAP, SUCCESS
from candor.attack.evaluate import BEYOND, TRUST_SER_SNR
from candor.attack.names import TRANSFER
from candor.figures import (
    COLOURS,
    FULL_WIDTH,
    GREY,
    INK,
    LIGHT,
    MARKERS,
    VERMILION,
    house_style,
    new_figure,
    set_title,
)
from candor.numbers import p_words, percent
from candor.performance.verdicts import NOT_INTERPRETABLE
from candor.tables.attack import METHOD_NAMES, NOT_APPLICABLE

SHARE = "fooled, per cent of those that were right, with 95 % interval (higher is worse)"

MOST_TICKS = 6
"""Of more ratios only round ones are written."""

MOST_NAMED = 14
"""Groups that are named one by one; of more, each is a dot without a name."""


def method_name(method: str, source: str = "", target: str = "") -> str:
    """Return what an attack is called in figures.

    >>> method_name("transfer_fgsm", "wavlm"), method_name("pgd", target="neutral")
    ('FGSM, by way of wavlm', 'PGD towards neutral')
    """
    towards = f" towards {target}" if target else ""
    if method.startswith(TRANSFER):
        return f"{METHOD_NAMES[method.removeprefix(TRANSFER)]}{towards}, by way of {source}"
    return METHOD_NAMES[method] + towards


def curve_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw success over the signal-to-noise ratio beside random signs, and what remains of the accuracy.

    Parameters
    ----------
    rows
        Rows of `AttackResult`.
    title
        What stands above.
    """
    with house_style():
        figure = new_figure(FULL_WIDTH, 3.2)
        left, right = figure.subplots(1, 2, width_ratios=[1.45, 1])
        methods = list(dict.fromkeys(zip(rows["method"], rows["source"], strict=True)))
        first = rows[rows["method"] == methods[0][0]]
        _curve(left, first, "control", GREY, "X", "random signs", dashed=True)
        _curve(right, first, "clean", INK, "", "as recorded", dashed=True)
        for (method, source), colour, marker in zip(methods, _repeat(COLOURS), _repeat(MARKERS), strict=False):
            own = rows[rows["method"] == method]
            name = method_name(method, source, own["target"].iloc[0])
            _curve(left, own, "success", colour, marker, name)
            _curve(right, own, "accuracy", colour, marker, name)
        attacked = int(first["attacked"].iloc[0])
        left.set_title(f"Fooled, of {attacked:,} utterances that were right")
        right.set_title(f"Right, of all {int(first['tested'].iloc[0]):,}")
        for axes in (left, right):
            _over_snr(axes, rows["snr"].tolist())
        left.set_ylabel("per cent (higher is worse)")
        left.set_xlabel("signal-to-noise ratio (dB), perturbation louder to the right")
        right.set_xlabel("signal-to-noise ratio (dB)")
        right.set_ylabel("per cent (lower is worse)")
        left.annotate(
            "trust-ser's", (TRUST_SER_SNR, 0.5), xycoords=("data", "axes fraction"), xytext=(-2, 0),
            textcoords="offset points", fontsize=6.5, color=GREY, rotation=90, ha="right", va="center",
            annotation_clip=True,
        )  # fmt: skip
        shown = dict(zip(*reversed(left.get_legend_handles_labels()), strict=True))
        shown |= dict(zip(*reversed(right.get_legend_handles_labels()), strict=True))
        columns = 2 if any(len(name) > 30 for name in shown) else 4
        figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=columns, handlelength=2.6)
        set_title(figure, title)
        _warn(figure, rows)
    return figure


def groups_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw success by emotion and by group, at one signal-to-noise ratio.

    Parameters
    ----------
    rows
        Rows of `AttackBreakdown` of one method and ratio.
    title
        What stands above.
    """
    axes_there = [axis for axis in dict.fromkeys(rows["axis"]) if len(_groups(rows, axis)) > 1 or axis == EMOTION]
    axes_there = [axis for axis in axes_there if len(_groups(rows, axis))]
    heights = [_height(len(_groups(rows, axis))) for axis in axes_there]
    with house_style():
        figure = new_figure(FULL_WIDTH, 0.9 + sum(heights) + 0.28 * len(heights) if heights else 1.2)
        set_title(figure, title)
        if not axes_there:
            figure.text(0.5, 0.4, "No utterance was attacked.", ha="center", color=GREY)
            return figure
        panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, axis in zip(panels, axes_there, strict=True):
            groups = _groups(rows, axis)
            (_named_groups if len(groups) <= MOST_NAMED else _dots)(axes, groups)
            axes.set_title(_gap_words(axis, rows[(rows["axis"] == axis) & (rows["what"] == GAP)]))
            _from_0_to_100(axes.xaxis.axes, "x")
        panels[-1].set_xlabel(SHARE)
    return figure


def systems_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw the success of every backbone and recipe beside random signs, the lowest first, at one ratio.

    Parameters
    ----------
    rows
        Rows of `AttackSummary` of one ratio, and those of systems that cannot be attacked.
    title
        What stands above.
    """
    done = rows[rows["success"].notna()].sort_values(["success", "backbone", "recipe", "method"])
    left_out = rows[rows["success"].isna()]
    with house_style():
        figure = new_figure(FULL_WIDTH, 1.15 + 0.3 * max(len(rows), 2))
        axes = figure.subplots()
        set_title(figure, title)
        for place, row in enumerate(done.to_dict("records")):
            sound = not row["verdict"].startswith(NOT_INTERPRETABLE)
            colour = VERMILION if sound else GREY
            _interval(axes, place + 0.16, row, "control", GREY, "X", filled=True)
            _interval(axes, place - 0.16, row, "success", colour, "o", filled=row["verdict"] == BEYOND)
            _note(axes, place, _words(row) + ("" if row["verdict"] == BEYOND else f"  {row['verdict']}"), INK)
        for place, row in enumerate(left_out.to_dict("records"), start=len(done)):
            _note(axes, place, row["verdict"].partition(":")[0], GREY)
        names = [_system(row) for row in [*done.to_dict("records"), *left_out.to_dict("records")]]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(max(len(names), 1) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        _from_0_to_100(axes, "x")
        axes.set_xlabel(SHARE)
        for colour, marker, name in ((VERMILION, "o", "attack"), (GREY, "X", "random signs as loud")):
            axes.plot([], [], marker, color=colour, markersize=4.5, label=name)
        figure.legend(loc="outside upper right", ncols=2, handletextpad=0.2)
    return figure


def _curve(
    axes: Axes, rows: pd.DataFrame, what: str, colour: str, marker: str, name: str, *, dashed: bool = False
) -> None:
    """Draw a figure over the ratio with its interval as a band, or as a bar where there is a single ratio."""
    value = {"clean": "clean_accuracy"}.get(what, what)
    ends = {"success": ("low", "high")}.get(what, (f"{what}_low", f"{what}_high"))
    rows = rows.sort_values("snr")
    snr, middle, low, high = (100 * rows[key].to_numpy(dtype=float) for key in ("snr", value, *ends))
    snr = snr / 100
    style: Any = {"color": colour, "linestyle": (0, (4, 2)) if dashed else "-", "linewidth": 1.4}
    if len(rows) == 1:
        axes.errorbar(
            snr, middle, [np.nan_to_num(middle - low), np.nan_to_num(high - middle)], marker=marker or "_", label=name,
            color=colour, markersize=4.5, linestyle="", markerfacecolor="white" if dashed else colour,
        )  # fmt: skip
        return
    axes.fill_between(snr, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(snr, middle, marker=marker, markersize=3.8, label=name, **style)


def _over_snr(axes: Axes, snrs: Sequence[float]) -> None:
    ends = min(snrs), max(snrs)
    margin = max(0.04 * (ends[1] - ends[0]), 1.0)
    axes.set_xlim(ends[1] + margin, ends[0] - margin)
    if len(set(snrs)) <= MOST_TICKS:
        axes.set_xticks(sorted(set(snrs)))
    _from_0_to_100(axes, "y")
    if ends[0] <= TRUST_SER_SNR <= ends[1]:
        axes.axvline(TRUST_SER_SNR, color=GREY, linestyle=(0, (1, 2)), linewidth=0.9, zorder=0)


def _from_0_to_100(axes: Axes, which: str) -> None:
    (axes.set_xlim if which == "x" else axes.set_ylim)(-2, 102)
    (axes.set_xticks if which == "x" else axes.set_yticks)([0, 25, 50, 75, 100])
    axes.grid(axis="x" if which == "x" else "y", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)


def _groups(rows: pd.DataFrame, axis: str) -> pd.DataFrame:
    """Return the groups of an axis of which there is a figure, in their order."""
    own = rows[(rows["axis"] == axis) & (rows["what"] == SUCCESS)]
    return own[own["value"].notna()]


def _height(groups: int) -> float:
    return 0.24 * groups + 0.2 if groups <= MOST_NAMED else 0.9


def _named_groups(axes: Axes, groups: pd.DataFrame) -> None:
    for place, row in enumerate(groups.to_dict("records")):
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=VERMILION, linewidth=1.4)
        axes.plot(100 * row["value"], place, "o", color=VERMILION, markersize=4.5)
        share = percent(row["value"], row["low"], row["high"], digits=0)
        _note(axes, place, f"{share}  n = {row['attacked']:,}", INK)
    axes.set_yticks(range(len(groups)), list(groups["group"]))
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _dots(axes: Axes, groups: pd.DataFrame) -> None:
    values = 100 * np.sort(groups["value"].to_numpy())
    axes.plot(values, np.arange(len(values)), "o", color=VERMILION, markersize=2.6, clip_on=False)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    _note(axes, len(values) / 2, f"{len(values)} groups, a dot each", INK)


def _gap_words(axis: str, gaps: pd.DataFrame) -> str:
    words = f"By {axis.replace('+', ' and ')}"
    row = gaps.iloc[0]
    if np.isnan(row["value"]):
        return words
    gap = percent(row["value"], row["low"], row["high"], digits=0)
    return f"{words}: gap of {gap} points, by chance up to {percent(row['random_high'], digits=0)}, {p_words(row['p'])}"


def _interval(axes: Axes, place: float, row: Any, what: str, colour: str, marker: str, *, filled: bool) -> None:
    low, high = (row[key] for key in (("low", "high") if what == "success" else (f"{what}_low", f"{what}_high")))
    axes.plot([100 * low, 100 * high], [place, place], color=colour, linewidth=1.4)
    face = colour if filled else "white"
    axes.plot(100 * row[what], place, marker, color=colour, markerfacecolor=face, markersize=4.5)


def _words(row: Any) -> str:
    return percent(row["success"], row["low"], row["high"], digits=0)


def _system(row: Any) -> str:
    names = f"{row['backbone']} · {row['recipe']}"
    if row["verdict"].startswith(NOT_APPLICABLE):
        return names
    return f"{names}\n{method_name(row['method'], row['source'], row['target'])}"


def _note(axes: Axes, place: float, words: str, colour: str) -> None:
    """Write `words` to the right of the row at `place`."""
    axes.annotate(
        words, (1.03, place), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, color=colour,
        annotation_clip=False,
    )  # fmt: skip


def _warn(figure: Figure, rows: pd.DataFrame) -> None:
    """Write below the figure what must not be overlooked."""
    doubts = [
        verdict for verdict in dict.fromkeys(rows["verdict"]) if verdict.startswith((NOT_INTERPRETABLE, "no utt"))
    ]
    if doubts:
        figure.supxlabel("; ".join(doubts), x=0.008, ha="left", fontsize=7.5, color=VERMILION)


def _repeat(values: Sequence[str]) -> list[str]:
    return list(values) * 3
