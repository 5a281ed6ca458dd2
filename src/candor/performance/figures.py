"""The printed figures of the stage: who is taken for whom, and which system recognises best."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from candor.figures import BLUE, FULL_WIDTH, GREY, INK, LIGHT, VERMILION, house_style, new_figure, set_title
from candor.numbers import percent
from candor.performance.caveats import caveats_of
from candor.performance.evaluate import Evaluation
from candor.stats.intervals import FloatArray
from candor.tables.performance import METRIC_NAMES


def confusion_figure(evaluation: Evaluation, title: str) -> Figure:
    """Draw the confusion matrix, each row as shares of its class, beside the recalls with their intervals.

    Cells hold the share in per cent and the number of utterances, on average over seeds.
    """
    size = len(evaluation.classes)
    height = 1.15 + 0.52 * max(size, 3)
    with house_style():
        figure = new_figure(FULL_WIDTH, height)
        matrix, recalls = figure.subplots(1, 2, sharey=True, width_ratios=[2.3, 1])
        _draw_confusions(matrix, evaluation)
        _draw_recalls(recalls, evaluation)
        set_title(figure, title)
        _warn(figure, caveats_of({"backbone": "the backbone", **evaluation.metrics.to_dict("records")[0]}))
    return figure


def ranking_figure(rows: pd.DataFrame, metric: str = "uar") -> Figure:
    """Draw one metric of every backbone and recipe with its interval, best first, and the level of chance.

    Parameters
    ----------
    rows
        Rows of `Summary` of one dataset.
    metric
        ``uar``, ``accuracy`` or ``macro_f1``; ``ccc`` where a rating is predicted.
    """
    rows = rows[rows["metric"] == metric].sort_values(["value", "backbone", "recipe"], ascending=[False, True, True])
    if rows.empty:
        raise ValueError(f"no row of the summary holds {metric}")
    with house_style():
        figure = new_figure(FULL_WIDTH, 1.0 + 0.25 * max(len(rows), 2))
        axes = figure.subplots()
        _draw_ranking(axes, rows.reset_index(drop=True))
        unit = "× 100" if metric == "ccc" else "(%)"
        axes.set_xlabel(f"{METRIC_NAMES[metric]} {unit} with 95 % interval over speakers")
        set_title(figure, ", ".join(rows["dataset"].unique()))
        _warn(figure, "; ".join(dict.fromkeys(filter(None, map(caveats_of, rows.to_dict("records"))))))
    return figure


def _warn(figure: Figure, caveat: str) -> None:
    """Write below the figure what must not be overlooked."""
    if caveat:
        figure.supxlabel(caveat, x=0.008, ha="left", fontsize=7.5, color=VERMILION)


def _draw_confusions(axes: Axes, evaluation: Evaluation) -> None:
    classes, size = evaluation.classes, len(evaluation.classes)
    counts = evaluation.counts.sum(axis=0).mean(axis=0)
    whole = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, whole, out=np.zeros_like(counts), where=whole > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(size, size):
        _label_cell(axes, row, column, shares[row, column], counts[row, column])
    axes.set_xticks(range(size), classes)
    axes.set_yticks(range(size), classes)
    if max(map(len, classes)) * size > 55:
        for label in axes.get_xticklabels():
            label.set(rotation=35, ha="right", rotation_mode="anchor")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Share of the true class (%), utterances below")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    edges = np.arange(size + 1) - 0.5
    axes.hlines(edges, edges[0], edges[-1], color="white", linewidth=1.2)
    axes.vlines(edges, edges[0], edges[-1], color="white", linewidth=1.2)


def _label_cell(axes: Axes, row: int, column: int, share: float, count: float) -> None:
    if count == 0:
        axes.text(column, row, "0", ha="center", va="center", fontsize=7, color=GREY)
        return
    ink = "white" if share > 0.62 else INK
    axes.text(column, row - 0.04, f"{100 * share:.0f}", ha="center", va="bottom", fontsize=8.5, color=ink)
    axes.text(column, row + 0.06, f"{count:,.0f}", ha="center", va="top", fontsize=6.5, color=ink)


def _draw_recalls(axes: Axes, evaluation: Evaluation) -> None:
    for place, row in enumerate(evaluation.per_class.to_dict("records")):
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=BLUE, linewidth=1.4)
        axes.plot(100 * row["recall"], place, "o", color=BLUE, markersize=4.5)
        _note(axes, place, _interval(row, digits=0) if row["utterances"] else "does not occur", INK)
    uniform = 100 / len(evaluation.classes)
    axes.axvline(uniform, color=GREY, linestyle=(0, (4, 3)), linewidth=0.8, zorder=0)
    axes.annotate(
        "guessing", (uniform, 1), xycoords=("data", "axes fraction"), xytext=(2, -2), textcoords="offset points",
        fontsize=6.5, color=GREY, va="top",
    )  # fmt: skip
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("recall (%)")
    axes.set_title("Recall, 95 % interval over speakers")


def _draw_ranking(axes: Axes, rows: pd.DataFrame) -> None:
    for place, row in enumerate(rows.to_dict("records")):
        sound = row["interpretable"] == "yes"
        colour = BLUE if sound else GREY
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=colour, linewidth=1.6)
        axes.plot(100 * row["value"], place, "o", color=colour, markerfacecolor=colour if sound else "white")
        mark = "" if sound else f"  {row['interpretable']}"
        _note(axes, place, _interval(row, digits=1) + mark, INK if sound else GREY)
    _draw_chance(axes, 100 * rows["chance"].to_numpy())
    ends = 100 * rows[["low", "value", "high", "chance"]]
    start, end = float(ends.min().min()), float(ends.max().max())
    margin = max(0.05 * (end - start), 1.0)
    axes.set_xlim(start - margin if start < 0 else max(0.0, start - margin), min(100.5, end + margin))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [f"{row['backbone']} · {row['recipe']}" for _, row in rows.iterrows()])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)


def _draw_chance(axes: Axes, chances: FloatArray) -> None:
    """Draw one line where chance is the same for all rows, a tick in each row where it is not."""
    if np.ptp(chances) < 0.05:
        axes.axvline(chances[0], color=VERMILION, linestyle=(0, (4, 3)), linewidth=0.9, zorder=1)
    else:
        axes.plot(chances, range(len(chances)), "|", color=VERMILION, markersize=9, zorder=1)
    axes.annotate(
        "chance", (chances[0], 1), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
        ha="center", fontsize=7, color=VERMILION,
    )  # fmt: skip


def _note(axes: Axes, place: int, words: str, colour: str) -> None:
    """Write `words` to the right of the row at `place`."""
    axes.annotate(
        words, (1.03, place), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, color=colour,
        annotation_clip=False,
    )  # fmt: skip


def _interval(row: Mapping[Hashable, Any], digits: int) -> str:
    value = row["recall" if "recall" in row else "value"]
    return percent(value, row["low"], row["high"], digits, alone=" [one speaker]")
