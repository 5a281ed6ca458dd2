"""The figures of a dataset: recognition against what is read off, over ε; and each layer of all runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from candor.figures import COLOURS, FULL_WIDTH, GREY, INK, LIGHT, MARKERS, house_style, new_figure, set_title
from candor.leakage.names import AUC, DOES_NOT_KNOW, KNOWS, LABELS, NONE, NORMS, UNDEFENDED
from candor.leakage.published import layers
from candor.stats.intervals import FloatArray

STYLES = {UNDEFENDED: "none", DOES_NOT_KNOW: "--", KNOWS: "-"}
KINDS = (("-", "o", "attack, who knows"), ("--", "o", "attack, who does not know"), (":", "s", "emotion"))
NEAR = 0.05
"""Of the width and height of a panel: a point that is nearer to one with a label has none."""


def tradeoff_figure(summary: pd.DataFrame) -> Figure:
    """Draw UAR of emotion and AUC of the attack over ε, and one against the other.

    The AUC, as noise moves what an attacker says of everybody: he still tells people apart, but no more where to draw
    the line.

    Parameters
    ----------
    summary
        Rows of `LeakageSummary` of one dataset.
    """
    rows = summary[(summary["headline"] == "yes") & (summary["metric"] == AUC) & summary["value"].notna()]
    rows = rows.assign(shown=[_shown(row) for row in rows.to_dict("records")])
    attributes = list(dict.fromkeys(rows["attribute"]))
    with house_style():
        keys = len(_families(rows)) // 2 + len(KINDS)
        figure = new_figure(FULL_WIDTH, (2.9 + 0.13 * keys) * max(1, len(attributes)))
        # Where no run has an ε there is nothing to draw over it.
        several = [1.25, 1] if np.isfinite(rows["shown"]).any() else [1]
        panels = figure.subplots(max(1, len(attributes)), len(several), width_ratios=several, squeeze=False)
        for (*over, against), attribute in zip(panels, attributes or [""], strict=True):
            own = rows[rows["attribute"] == attribute]
            for axes in over:
                _draw_over_epsilon(axes, own, attribute)
            _draw_against(against, own)
        set_title(figure, ", ".join(summary["dataset"].unique()))
    return figure


def published_figure(summary: pd.DataFrame) -> Figure:
    """Draw what is read off each layer of each run, as a table of colours, with the figures in it."""
    table = layers(summary[~summary["layer"].isin([NONE]) & ~summary["attacker"].isin([NORMS, LABELS])])
    columns = [name for name in table.columns if name.startswith("uar_")]
    values = 100 * table[columns].to_numpy(dtype=np.float64)
    names = [
        f"{row['attribute']}: {row['backbone']} {row['entry']}, {row['attacker']}"
        + ("" if row["knowledge"] == UNDEFENDED else f", {row['knowledge']}")
        for row in table.to_dict("records")
    ]
    with house_style():
        figure = new_figure(FULL_WIDTH, 0.8 + 0.24 * len(names))
        axes = figure.subplots()
        axes.imshow(values, cmap="magma_r", vmin=50, vmax=100, aspect="auto")
        for place, row in enumerate(values):
            for number, value in enumerate(row):
                if np.isfinite(value):
                    colour = "white" if value > 71 else INK
                    axes.text(number, place, f"{value:.1f}", ha="center", va="center", fontsize=7, color=colour)
        axes.set_xticks(range(len(columns)), [name.removeprefix("uar_") for name in columns])
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        set_title(figure, f"{', '.join(summary['dataset'].unique())}: UAR of attacks on one update (%)")
    return figure


def _shown(row: Mapping[Any, Any]) -> float:
    """Return the ε that a run is drawn at: one that holds, for who sees models or else updates, or one it claims."""
    for name in ("epsilon", "epsilon_updates", "claimed_epsilon"):
        if not pd.isna(row[name]):
            return float(row[name])
    return float("nan")


def _families(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Return what has curves of its own: a backbone and an entry of the config."""
    return list(dict.fromkeys(zip(rows["backbone"], rows["entry"], strict=True)))


def _draw_over_epsilon(axes: Axes, rows: pd.DataFrame, attribute: str) -> None:
    with_epsilon = rows[np.isfinite(rows["shown"])]
    key: list[tuple[dict[str, Any], str]] = []
    for place, (backbone, entry) in enumerate(_families(with_epsilon)):
        colour = COLOURS[place % len(COLOURS)]
        own = with_epsilon[(with_epsilon["backbone"] == backbone) & (with_epsilon["entry"] == entry)]
        for knowledge in dict.fromkeys(own["knowledge"]):
            one = own[own["knowledge"] == knowledge].sort_values("shown")
            axes.plot(one["shown"], 100 * one["value"], STYLES[knowledge], color=colour, marker="o", markersize=3.5)
        one = own.drop_duplicates("run").sort_values("shown")
        axes.plot(one["shown"], 100 * one["ser_uar"], ":", color=colour, marker="s", markersize=3.5)
        key.append(({"color": colour}, f"{backbone} {entry} ({own['defence'].iloc[0]})"))
    for backbone, model_type in dict.fromkeys(zip(with_epsilon["backbone"], with_epsilon["model_type"], strict=True)):
        plain = rows[(rows["backbone"] == backbone) & (rows["model_type"] == model_type) & (rows["defence"] == "")]
        for row in plain.head(1).to_dict("records"):
            for name, style in (("value", "-"), ("ser_uar", ":")):
                axes.axhline(100 * row[name], color=GREY, linestyle=style, linewidth=0.9)
            key.append(({"color": GREY}, f"{backbone} {row['entry']} (no defence)"))
    for style, marker, what in KINDS:
        key.append(({"color": INK, "linestyle": style, "marker": marker, "markersize": 3.5}, what))
    for drawn, what in key:
        axes.plot([], [], label=what, **drawn)
    axes.set_xscale("log")
    axes.set_xlabel("ε (client_dp: models; local_dp: updates; user_dp: claims)")
    axes.set_ylabel("UAR of emotion, AUC of attack (%)")
    axes.axhline(50, color=LIGHT, linestyle=(0, (4, 3)), linewidth=0.8, zorder=0)
    axes.grid(axis="y", color=LIGHT, linewidth=0.4)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=2, fontsize=6, borderaxespad=0, handlelength=4)
    axes.set_title(f"Emotion, and {attribute} that is read off")


def _draw_against(axes: Axes, rows: pd.DataFrame) -> None:
    for place, (backbone, entry) in enumerate(_families(rows)):
        own = rows[(rows["backbone"] == backbone) & (rows["entry"] == entry)]
        # Of a run with a defence the attacker who reads more is drawn.
        worst = own.sort_values("value", ascending=False).drop_duplicates("run")
        axes.plot(
            100 * worst["value"], 100 * worst["ser_uar"], linestyle="none", color=COLOURS[place % len(COLOURS)],
            marker=MARKERS[place % len(MARKERS)], markersize=4.5, label=f"{backbone} {entry}",
        )  # fmt: skip
    _name_budgets(axes, rows)
    axes.axvline(100 * rows["chance"].iloc[0] if len(rows) else 50, color=GREY, linestyle=(0, (4, 3)), linewidth=0.8)
    axes.set_xlabel("AUC of the stronger attack (%), off one update")
    axes.set_ylabel("UAR of emotion (%)")
    axes.grid(color=LIGHT, linewidth=0.4)
    if len(rows):
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=2, fontsize=6, borderaxespad=0)
    axes.set_title("Left is better kept, up is better recognised")


def _name_budgets(axes: Axes, rows: pd.DataFrame) -> None:
    """Write which ε a point is of, where there is room."""
    with_epsilon = rows[np.isfinite(rows["shown"])].sort_values("value", ascending=False).drop_duplicates("run")
    size = np.array([np.ptp(100 * rows[name]) or 1.0 for name in ("value", "ser_uar")]) if len(rows) else np.ones(2)
    named: list[FloatArray] = []
    for row in with_epsilon.to_dict("records"):
        point = np.array([100 * row["value"], 100 * row["ser_uar"]])
        if any((np.abs(point - other) < NEAR * size * (2, 1)).all() for other in named):
            continue
        named.append(point)
        claims = "" if pd.isna(row["claimed_epsilon"]) else "claims "
        told = float(f"{row['shown']:.3g}")  # 3 digits, and no power of ten
        axes.annotate(f"{claims}ε={told:g}", tuple(point), xytext=(3, 3), textcoords="offset points", fontsize=6)
