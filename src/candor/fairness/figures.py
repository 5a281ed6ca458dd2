"""The printed figures of the stage: gaps against chance, speakers, groups, systems beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from candor.fairness.audit import BEYOND, WITHIN, Audit
from candor.figures import BLUE, FULL_WIDTH, GREY, INK, LIGHT, ORANGE, VERMILION, house_style, new_figure, set_title
from candor.numbers import p_words, percent
from candor.stats.intervals import FloatArray
from candor.tables.fairness import GAP_NAMES

#: The figures of each axis that are drawn, with the variant.
SHOWN = (
    ("uar", "as spoken"),
    ("uar_sd", "as spoken"),
    ("uar_worst_decile", "as spoken"),
    ("ccc", "as spoken"),
    ("equality_of_opportunity", "as spoken"),
    ("equalised_odds", "balanced"),
    ("statistical_parity", "as spoken"),
    ("statistical_parity", "balanced"),
    ("demographic_parity", "as spoken"),
    ("demographic_parity", "balanced"),
)
HEADLINE = ("uar", "ccc")

MOST_GROUPS = 6
"""Axes of more groups have no room for a matrix each."""

Row = Mapping[Any, Any]


def gaps_figure(gaps: pd.DataFrame, title: str) -> Figure:
    """Draw the widest gap of each axis and figure with its interval, on the band of models that hear nothing.

    Parameters
    ----------
    gaps
        Rows of `Gaps`.
    title
        Names dataset, backbone and recipe.
    """
    shown = gaps[(gaps["aggregate"] == "max") & gaps["value"].notna()]
    axes_names = list(dict.fromkeys(shown["axis"]))
    panels = {axis: _rows_of(shown[shown["axis"] == axis]) for axis in axes_names}
    with house_style():
        lines = sum(map(len, panels.values()))
        figure = new_figure(FULL_WIDTH, 1.1 + 0.2 * max(lines, 2) + 0.42 * max(len(panels), 1))
        set_title(figure, f"{title}: gaps between groups (lower is better)")
        if not panels:
            return _empty(figure, "No two groups can be compared.")
        heights = [len(rows) + 0.7 for rows in panels.values()]
        drawn = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (axis, rows) in zip(drawn, panels.items(), strict=True):
            _draw_gaps(axes, rows, [_named(row) for row in rows])
            axes.set_title(f"by {axis.replace('+', ' and ')}: {_between(rows[0])}; {_behind(rows[0])}")
        _explain(drawn[-1], figure)
    return figure


def systems_figure(gaps: pd.DataFrame, dataset: str) -> Figure:
    """Draw the gap in UAR (or CCC) of every backbone and recipe, axis by axis.

    Parameters
    ----------
    gaps
        Rows of `FairnessSummary`.
    dataset
        Its name.
    """
    shown = gaps[(gaps["aggregate"] == "max") & gaps["metric"].isin(HEADLINE) & gaps["value"].notna()]
    panels = {axis: shown[shown["axis"] == axis].to_dict("records") for axis in dict.fromkeys(shown["axis"])}
    with house_style():
        lines = sum(map(len, panels.values()))
        figure = new_figure(FULL_WIDTH, 1.1 + 0.22 * max(lines, 2) + 0.42 * max(len(panels), 1))
        metric = "CCC" if "ccc" in set(shown["metric"]) else "UAR"
        set_title(figure, f"{dataset}: widest gap in {metric} between groups (lower is better)")
        if not panels:
            return _empty(figure, "No two groups can be compared.")
        heights = [len(rows) + 0.7 for rows in panels.values()]
        drawn = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (axis, rows) in zip(drawn, panels.items(), strict=True):
            rows = sorted(rows, key=lambda row: row["value"])
            _draw_gaps(axes, rows, [f"{row['backbone']} · {row['recipe']}" for row in rows])
            axes.set_title(f"by {axis.replace('+', ' and ')}: {rows[0]['groups']} groups; {_behind(rows[0])}")
        _explain(drawn[-1], figure)
    return figure


def speakers_figure(audit: Audit, groups: pd.DataFrame, genders: Mapping[str, str], title: str) -> Figure:
    """Draw how well each speaker is recognised, with the recall of each emotion; the worst served first.

    Parameters
    ----------
    audit
        With an axis `speaker`.
    groups
        Rows of `Groups`.
    genders
        The gender of each speaker, where it is known.
    title
        Names dataset, backbone and recipe.
    """
    rows = groups[(groups["axis"] == "speaker") & groups["value"].notna()].sort_values("value").to_dict("records")
    recalls = pd.DataFrame(audit.recalls)
    many = len(rows) > 40
    with house_style():
        figure = new_figure(FULL_WIDTH, 4.0 if many else 1.5 + 0.16 * max(len(rows), 4))
        metric = "UAR" if audit.classes else "CCC"
        set_title(figure, f"{title}: {metric} of each speaker")
        if not rows:
            return _empty(figure, "No speaker has enough test utterances.")
        width = [2.2, 1.3] if audit.classes else [1, 0.001]
        left, right = figure.subplots(1, 2, sharey=not many, width_ratios=width)
        _draw_speakers(left, rows, genders, metric, named=not many)
        if audit.classes and not many:
            own = recalls[recalls["axis"] == "speaker"].pivot(index="group", columns="class", values="recall")
            _draw_heat(right, own.reindex([row["group"] for row in rows])[audit.classes].to_numpy(), audit.classes)
        else:
            right.set_axis_off()
    return figure


def groups_figure(audit: Audit, title: str) -> Figure:
    """Draw what is taken for what in each group, axis by axis; axes of many groups are left out.

    Parameters
    ----------
    audit
        Of models that tell emotions.
    title
        Names dataset, backbone and recipe.
    """
    confusions, served = pd.DataFrame(audit.confusions), pd.DataFrame(audit.groups)
    axes_shown = [axis for axis in audit.axes if 1 < len(axis.groups) <= MOST_GROUPS and axis.kind != "speaker"]
    most = max((len(axis.groups) for axis in axes_shown), default=1)
    columns = min(most, 3)
    lines = [-(-len(axis.groups) // columns) for axis in axes_shown]
    size = len(audit.classes)
    with house_style():
        figure = new_figure(FULL_WIDTH, 0.9 + max(sum(lines), 1) * (1.0 + 0.3 * max(size, 3)))
        set_title(figure, f"{title}: what is taken for what in each group")
        if not axes_shown or not size:
            return _empty(figure, f"There are no two to {MOST_GROUPS} groups of emotions to draw.")
        places = figure.subplots(sum(lines), columns, squeeze=False)
        for axes in places.ravel():
            axes.set_axis_off()
        start = 0
        for axis, used in zip(axes_shown, lines, strict=True):
            for number, group in enumerate(axis.groups):
                own = confusions[(confusions["axis"] == axis.name) & (confusions["group"] == group)]
                counts = own["count"].to_numpy().reshape(size, size)
                axes = places[start + number // columns, number % columns]
                _draw_matrix(axes, counts, audit.classes, first=number % columns == 0)
                row = served[(served["axis"] == axis.name) & (served["group"] == group)].iloc[0]
                axes.set_title(f"{group}: UAR {_interval(row)}\n{_behind(row.to_dict())}")
            start += used
    return figure


def _rows_of(gaps: pd.DataFrame) -> list[Row]:
    """Return the rows of an axis that are drawn, in the order of `SHOWN`; balanced ones where they tell more."""
    rows = {(row["metric"], row["variant"]): row for row in gaps.to_dict("records")}
    shown: list[Row] = [rows[key] for key in SHOWN if key in rows]
    spoken = {row["metric"]: row["value"] for row in shown if row["variant"] == "as spoken"}
    kept: list[Row] = []
    for row in shown:
        same = row["variant"] == "balanced" and abs(row["value"] - spoken.get(row["metric"], np.inf)) < 0.002
        if not same:
            kept.append(row)
    return kept


def _draw_gaps(axes: Axes, rows: Sequence[Row], names: Sequence[str]) -> None:
    for place, row in enumerate(rows):
        told = row["verdict"] == BEYOND
        colour = VERMILION if told else GREY
        axes.barh(place, 100 * row["random_high"], height=0.62, color=LIGHT, zorder=1)
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=colour, linewidth=1.5, zorder=3)
        axes.plot(
            100 * row["value"], place, "o", color=colour, markersize=4.5,
            markerfacecolor=colour if told else "white", zorder=4,
        )  # fmt: skip
        if row["truth"] and row["truth"] > 0.002:
            axes.plot(100 * row["truth"], place, "|", color=INK, markersize=7, zorder=5)
        _note(axes, place, _words(row), INK if told else GREY)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), names)
    axes.set_xlim(0, max(axes.get_xlim()[1], 102 * max(_reach(row) for row in rows)))  # the panels share it
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)


def _explain(axes: Axes, figure: Figure) -> None:
    axes.set_xlabel("gap (points, CCC × 100) with 95 % interval over speakers; by speaker over utterances")
    figure.supxlabel(
        "Grey bar: 95 of 100 models that hear nothing show less. Filled: beyond chance (p adjusted for axes ≤ 0.05, "
        "above the bar).\n"
        "Tick: what a perfect model would show, as groups do not speak all emotions equally often.",
        x=0.008, ha="left", fontsize=7, color=GREY,
    )  # fmt: skip


def _draw_speakers(axes: Axes, rows: Sequence[Row], genders: Mapping[str, str], metric: str, *, named: bool) -> None:
    looks = {"female": (ORANGE, "s"), "male": (BLUE, "o"), "": (GREY, "D")}
    for place, row in enumerate(rows):
        colour, marker = looks[genders.get(row["group"], "")]
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=colour, linewidth=1.1)
        axes.plot(100 * row["value"], place, marker, color=colour, markersize=4)
    for gender, (colour, marker) in looks.items():
        if gender in {genders.get(row["group"], "") for row in rows}:
            axes.plot([], [], marker, color=colour, markersize=4, label=gender or "gender not known")
    mean = float(np.mean([row["value"] for row in rows]))
    axes.axvline(100 * mean, color=GREY, linestyle=(0, (4, 3)), linewidth=0.8, zorder=0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)) if named else [], [row["group"] for row in rows] if named else [])
    sure = " with 95 % interval over utterances" if any(not np.isnan(row["low"]) for row in rows) else ""
    axes.set_xlabel(f"{metric} {'(%)' if metric == 'UAR' else '× 100'}{sure}")
    if not named:
        axes.set_ylabel(f"{len(rows)} speakers, the worst served on top")
    axes.tick_params(axis="y", length=0, labelsize=7)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, handletextpad=0.2)


def _draw_heat(axes: Axes, shares: FloatArray, classes: Sequence[str]) -> None:
    axes.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(*shares.shape):
        share = shares[row, column]
        words, ink = ("–", GREY) if np.isnan(share) else (f"{100 * share:.0f}", "white" if share > 0.62 else INK)
        axes.text(column, row, words, ha="center", va="center", fontsize=6.5, color=ink)
    axes.set_xticks(range(len(classes)), classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0, labelleft=False)
    axes.spines[:].set_visible(False)
    axes.set_title("recall of each emotion (%)")


def _draw_matrix(axes: Axes, counts: FloatArray, classes: Sequence[str], *, first: bool) -> None:
    whole = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, whole, out=np.full_like(counts, np.nan), where=whole > 0)
    axes.set_axis_on()
    axes.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(*shares.shape):
        share = shares[row, column]
        words, ink = ("–", GREY) if np.isnan(share) else (f"{100 * share:.0f}", "white" if share > 0.62 else INK)
        axes.text(column, row, words, ha="center", va="center", fontsize=7, color=ink)
    axes.set_xticks(range(len(classes)), classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes if first else [])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if first:
        axes.set_ylabel("true (rows sum to 100 %)")


def _named(row: Row) -> str:
    balanced = ", balanced" if row["variant"] == "balanced" else ""
    return f"{GAP_NAMES[row['metric']]}{balanced}" + (f" ({row['class']})" if row["class"] else "")


def _between(row: Row) -> str:
    """Say how many groups there are, or between which two the gap is."""
    if row["groups"] > 2:
        return f"{row['groups']} groups"
    return f"{GAP_NAMES[row['metric']]} of {row['higher']} over {row['lower']}"


def _behind(row: Row) -> str:
    return f"{row['utterances']:,} utterances, {row['speakers']} speakers"


def _reach(row: Row) -> float:
    """Return where the row's drawing ends on the right."""
    return float(np.nanmax([row["value"], row["high"], row["random_high"], row["truth"]]))


def _words(row: Row) -> str:
    verdict = "" if row["verdict"] in (BEYOND, WITHIN) else f"  {row['verdict']}"
    return f"{percent(row['value'], row['low'], row['high'])}  {p_words(row['p'])}{verdict}"


def _interval(row: Any) -> str:
    return percent(row["value"], row["low"], row["high"], digits=0)


def _note(axes: Axes, place: int, words: str, colour: str) -> None:
    axes.annotate(
        words, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=7, color=colour,
        annotation_clip=False,
    )  # fmt: skip


def _empty(figure: Figure, words: str) -> Figure:
    figure.text(0.5, 0.4, words, ha="center", color=GREY)
    return figure
