"""The printed figures of the stage: what leaks layer by layer, the ROC of membership, and all systems."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from candor.figures import (
    BLUE,
    FULL_WIDTH,
    GREY,
    INK,
    LIGHT,
    VERMILION,
    house_style,
    new_figure,
    set_title,
)
from candor.numbers import percent
from candor.performance.verdicts import NOT_INTERPRETABLE
from candor.privacy.names import (
    ALL_LAYERS,
    AUC,
    BACKBONE,
    BEYOND,
    CNN,
    EMBEDDING,
    FALSE_ALARMS,
    GENDER,
    HEADLINES,
    LINEAR,
    MEMBERSHIP,
    SPEAKER,
    THRESHOLD,
    TPR,
    VERIFICATION,
    read_off,
)

STYLES = {LINEAR: (BLUE, "s"), CNN: (VERMILION, "o"), THRESHOLD: (VERMILION, "o")}
PANELS = {
    GENDER: "Gender: UAR",
    SPEAKER: "Which speaker: accuracy",
    VERIFICATION: "Same speaker?: equal error rate",
}
HEADLINE_NAMES = {
    (GENDER, BACKBONE): "Gender, backbone\nUAR",
    (GENDER, EMBEDDING): "Gender, embedding\nUAR",
    (VERIFICATION, EMBEDDING): "Speaker, embedding\nequal error rate",
    (MEMBERSHIP, "outputs"): "Trained on?, loss\nAUC",
}
MOST_TICKS = 7


def leaks_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw what is read off each layer, all layers together and the embedding, a panel per attribute.

    Parameters
    ----------
    rows
        Rows of `PrivacyResult`.
    title
        What stands above.
    """
    asked = [attribute for attribute in PANELS if (rows["attribute"] == attribute).any()]
    layers = _layers(rows)
    with house_style():
        figure = new_figure(FULL_WIDTH, 3.1)
        panels = figure.subplots(1, len(asked), squeeze=False)[0]
        for axes, attribute in zip(panels, asked, strict=True):
            _leaks(axes, rows[rows["attribute"] == attribute], layers)
            axes.set_title(PANELS[attribute])
        panels[0].set_ylabel("per cent, with 95 % interval")
        figure.supxlabel(_below(rows, layers), fontsize=8)
        shown: dict[str, Any] = {}
        for axes in panels:
            shown |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(shown.values(), shown.keys(), loc="outside upper right", ncols=len(shown), handletextpad=0.4)
        set_title(figure, title)
    return figure


def membership_figure(curve: pd.DataFrame, rows: pd.DataFrame, title: str) -> Figure:
    """Draw the mean ROC curve of membership, as a whole and where false alarms are few.

    Parameters
    ----------
    curve
        Rows of `MembershipCurve`.
    rows
        Rows of `PrivacyResult`.
    title
        What stands above.
    """
    own = {row["metric"]: row for row in rows[rows["attribute"] == MEMBERSHIP].to_dict("records")}
    with house_style():
        figure = new_figure(FULL_WIDTH, 3.3)
        whole, few = figure.subplots(1, 2)
        for axes in (whole, few):
            _roc(axes, curve)
        few.set_xscale("log")
        few.set_yscale("log")
        few.set_xlim(0.2, 100)
        few.set_ylim(0.2, 100)
        for axis in (few.xaxis, few.yaxis):
            axis.set_ticks([1, 10, 100], ["1", "10", "100"])
        few.axvline(100 * FALSE_ALARMS, color=GREY, linestyle=(0, (1, 2)), linewidth=0.9)
        whole.set_title(f"AUC {_interval_words(own[AUC])}, chance 50")
        few.set_title(f"Hits at 1 % false alarms {_interval_words(own[TPR])}, chance {100 * own[TPR]['chance']:.1f}")
        for axes in (whole, few):
            axes.set_xlabel("false alarms: others taken for members (%)")
        whole.set_ylabel("hits: members found (%)")
        figure.legend(*whole.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        number = f"{own[AUC]['utterances']:,.0f} utterances of {own[AUC]['speakers']:,.0f} unheard speakers"
        set_title(figure, f"{title}: {number}")
        _warn(figure, own[AUC]["verdict"])
    return figure


def systems_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw the headline figures of every backbone and recipe, a panel each.

    Parameters
    ----------
    rows
        Rows of `PrivacySummary`.
    title
        What stands above.
    """
    rows = rows[rows["headline"] == "yes"]
    asked = [what for what in HEADLINES if len(_headline(rows, what))]
    systems = list(dict.fromkeys(zip(rows["backbone"], rows["recipe"], strict=True)))
    with house_style():
        figure = new_figure(FULL_WIDTH, 1.6 + 0.42 * max(len(systems), 2))
        panels = figure.subplots(1, max(len(asked), 1), squeeze=False, sharey=True)[0]
        for axes, what in zip(panels, asked, strict=False):
            _system_panel(axes, _headline(rows, what), systems)
            axes.set_title(f"{HEADLINE_NAMES[what]}, {_number_of(_headline(rows, what))}")
        panels[0].set_yticks(range(len(systems)), [f"{backbone}\n{recipe}" for backbone, recipe in systems])
        panels[0].set_ylim(max(len(systems), 1) - 0.5, -0.5)
        how = "per cent, with 95 % interval over speakers; low error rates and high other figures leak"
        figure.supxlabel(how, fontsize=8)
        for colour, marker, face, name in (
            (VERMILION, "o", VERMILION, "beyond control"),
            (VERMILION, "o", "white", "not, or not interpretable"),
            (GREY, "X", GREY, "labels dealt out anew"),
        ):
            panels[0].plot([], [], marker, color=colour, markerfacecolor=face, markersize=4.5, label=name)
        panels[0].plot([], [], color=INK, linestyle=(0, (4, 2)), linewidth=0.9, label="chance")
        handles = panels[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper right", ncols=4, handletextpad=0.3)
        set_title(figure, title)
    return figure


def _leaks(axes: Axes, rows: pd.DataFrame, layers: Sequence[int]) -> None:
    last = len(layers) - 1
    places: dict[str, float] = {f"layer {layer}": place for place, layer in enumerate(layers)}
    places |= {ALL_LAYERS: last + 1.3, EMBEDDING: last + 2.3}
    there = rows[rows["value"].notna() & rows["source"].isin(list(places))]
    attackers = [name for name in STYLES if (there["attacker"] == name).any()]
    for side, attacker in zip((-0.12, 0.12) if len(attackers) > 1 else (0.0,), attackers, strict=False):
        own = there[there["attacker"] == attacker]
        colour, marker = STYLES[attacker]
        x = np.array([places[source] for source in own["source"]])
        _points(axes, x + side, own, "control", GREY, "X", "labels dealt out anew", filled=True)
        _points(axes, x + side, own, "", colour, marker, attacker, filled=(own["verdict"] == BEYOND).tolist())
        single = np.array([source.startswith("layer") for source in own["source"]])
        axes.plot(x[single] + side, 100 * own["value"].to_numpy()[single], color=colour, linewidth=1.0)
    if len(there):
        axes.axhline(100 * there["chance"].iloc[0], color=INK, linestyle=(0, (4, 2)), linewidth=0.9, label="chance")
    else:
        reason = rows["verdict"].iloc[0].partition(": ")[2]
        axes.text(0.5, 0.5, _wrapped(reason), ha="center", va="center", color=GREY, transform=axes.transAxes)
    axes.axvline(last + 0.65, color=LIGHT, linewidth=0.8)
    shown = [number for number in range(len(layers)) if number % -(-len(layers) // MOST_TICKS) == 0]
    ticks = [*shown, places[ALL_LAYERS], places[EMBEDDING]]
    axes.set_xticks(ticks, [*(str(layers[number]) for number in shown), "all", "emb."])
    axes.set_xlim(-0.6, last + 2.8)
    _from_0_to_100(axes, "y")


def _points(
    axes: Axes, x: np.ndarray, rows: pd.DataFrame, what: str, colour: str, marker: str, name: str,
    *, filled: bool | Sequence[bool],
) -> None:  # fmt: skip
    """Draw figures with their intervals; hollow where they are not filled."""
    keys = ("value", "low", "high") if not what else (what, f"{what}_low", f"{what}_high")
    value, low, high = (100 * rows[key].to_numpy(dtype=float) for key in keys)
    for place, middle, least, most, full in zip(
        x, value, low, high, np.broadcast_to(filled, len(value)), strict=True
    ):  # fmt: skip
        axes.plot([place, place], [least, most], color=colour, linewidth=1.2, alpha=0.5 if what else 1.0)
        axes.plot(place, middle, marker, color=colour, markerfacecolor=colour if full else "white", markersize=3.6)
    axes.plot([], [], marker, color=colour, markersize=3.6, label=name)


def _roc(axes: Axes, curve: pd.DataFrame) -> None:
    x = 100 * curve["false_alarms"].to_numpy()
    axes.fill_between(x, 100 * curve["low"], 100 * curve["high"], color=VERMILION, alpha=0.16, linewidth=0)
    axes.plot(x, 100 * curve["hits"], color=VERMILION, linewidth=1.4, label="by loss, with 95 % interval")
    axes.plot(x, 100 * curve["control"], color=GREY, linewidth=1.2, label="membership dealt out anew")
    axes.plot(x, x, color=INK, linestyle=(0, (4, 2)), linewidth=0.9, label="chance")
    axes.set(xlim=(0, 100), ylim=(0, 100))
    axes.grid(color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)


def _system_panel(axes: Axes, rows: pd.DataFrame, systems: Sequence[tuple[str, str]]) -> None:
    for row in rows.to_dict("records"):
        place = systems.index((row["backbone"], row["recipe"]))
        if np.isnan(row["value"]):
            axes.text(50, place, "not attacked", ha="center", va="center", color=GREY, fontsize=7.5)
            continue
        for shift, keys, colour, marker in (
            (0.16, ("control", "control_low", "control_high"), GREY, "X"),
            (-0.16, ("value", "low", "high"), VERMILION, "o"),
        ):
            value, low, high = (100 * row[key] for key in keys)
            face = colour if colour == GREY or row["verdict"] == BEYOND else "white"
            axes.plot([low, high], [place + shift] * 2, color=colour, linewidth=1.4)
            axes.plot(value, place + shift, marker, color=colour, markerfacecolor=face, markersize=4.5)
    told = rows[rows["chance"].notna()]
    if len(told):
        axes.axvline(100 * told["chance"].iloc[0], color=INK, linestyle=(0, (4, 2)), linewidth=0.9, zorder=0)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _from_0_to_100(axes, "x")


def _number_of(rows: pd.DataFrame) -> str:
    """Return how many utterances figures are of, in the fewest words."""
    number = rows["utterances"].dropna()
    if number.empty:
        return "n = 0"
    least, most = int(number.min()), int(number.max())
    return f"n = {most:,}" if least == most else f"n = {least:,} to {most:,}"


def _headline(rows: pd.DataFrame, what: tuple[str, str]) -> pd.DataFrame:
    return rows[(rows["attribute"] == what[0]) & (rows["source"].map(read_off) == what[1])]


def _layers(rows: pd.DataFrame) -> list[int]:
    names = {source for source in rows["source"] if source.startswith("layer ")}
    return sorted(int(name.removeprefix("layer ")) for name in names)


def _below(rows: pd.DataFrame, layers: Sequence[int]) -> str:
    """Return what stands below the panels: what their axis is, and the n."""
    there = rows[rows["value"].notna() & rows["attribute"].isin(list(PANELS))]
    axis = "layer of the backbone, all layers, the head's embedding" if layers else "the head's embedding"
    if there.empty:
        return axis
    most = there.sort_values("utterances").iloc[-1]
    # A line of its own: as one they would be wider than the figure.
    hollow = "" if (there["verdict"] == BEYOND).all() else "\nhollow: not beyond the control, or not interpretable"
    return f"{axis}; up to {most['utterances']:,.0f} utterances of {most['speakers']:,.0f} speakers{hollow}"


def _interval_words(row: Any) -> str:
    return percent(row["value"], row["low"], row["high"])


def _warn(figure: Figure, verdict: str) -> None:
    """Write below the figure what must not be overlooked."""
    if verdict.startswith(NOT_INTERPRETABLE):
        figure.supxlabel(verdict, x=0.008, ha="left", fontsize=7.5, color=VERMILION)


def _wrapped(words: str, width: int = 30) -> str:
    return "\n".join(textwrap.wrap(words, width))


def _from_0_to_100(axes: Axes, which: str) -> None:
    (axes.set_xlim if which == "x" else axes.set_ylim)(-3, 103)
    (axes.set_xticks if which == "x" else axes.set_yticks)([0, 25, 50, 75, 100])
    axes.grid(axis="x" if which == "x" else "y", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
