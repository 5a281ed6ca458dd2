"""The printed figure of the stage: score over operations, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from candor.figures import BLUE, FULL_WIDTH, GREY, INK, LIGHT, VERMILION, house_style, new_figure, set_title
from candor.numbers import percent, with_prefix
from candor.performance.verdicts import SOUND
from candor.tables.performance import METRIC_NAMES

LINE = 0.17
"""Inches from one label to the next."""

Row = dict[Any, Any]


def pareto_figure(rows: pd.DataFrame) -> Figure:
    """Draw the score of every system over what an utterance costs, with its interval, and the Pareto front.

    Each system is named at the right, where names have room, with a line to its point; those whose operations cannot be
    counted are named below, with their score.

    Parameters
    ----------
    rows
        Rows of `CostSummary` of one dataset.
    """
    counted = rows[rows["flops_per_clip"].notna()].sort_values(["score", "flops_per_clip", "backbone", "recipe"])
    left_out = rows[rows["flops_per_clip"].isna()].sort_values("score", ascending=False).to_dict("records")
    points = counted.to_dict("records")
    below = [_uncounted(row) for row in left_out]
    with house_style():
        figure = new_figure(FULL_WIDTH, max(3.4, 1.3 + LINE * len(points)) + LINE * len(below))
        axes = figure.subplots()
        set_title(figure, _title(rows))
        _scale(axes, points, rows)
        _front(axes, points)
        for row in points:
            _point(axes, row)
        _names(axes, points, figure.get_figheight() - 1.3 - LINE * len(below))
        _chance(axes, rows)
        _legend(axes)
        if below:
            figure.supxlabel("\n".join(["Operations not counted:", *below]), x=0.008, ha="left", fontsize=7.5)
    return figure


def _title(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    return f"{first['dataset']}: {first['tested']:,} test utterances of {first['speakers']:,} speakers"


def _scale(axes: Axes, points: Sequence[Row], rows: pd.DataFrame) -> None:
    metric = METRIC_NAMES[rows["metric"].iloc[0]]
    unit = "× 100" if metric == METRIC_NAMES["ccc"] else "(%)"
    axes.set_ylabel(f"{metric} {unit}, with 95 % interval over speakers")
    axes.set_xlabel("FLOPs per utterance, log scale (a multiply-add is 2)")
    axes.set_xscale("log")
    costs = [row["flops_per_clip"] for row in points] or [1e6, 1e9]
    axes.set_xlim(min(costs) / 2, max(costs) * 2)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if max(costs) / min(costs) > 30 else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: with_prefix(cost)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    heights = rows[["score", "low", "high", "chance"]] * 100
    low, high = float(heights.min().min()), float(heights.max().max())
    margin = max(0.06 * (high - low), 1.0)
    axes.set_ylim(low - margin, high + margin)
    axes.grid(color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)


def _front(axes: Axes, points: Sequence[Row]) -> None:
    """Draw the front as stairs: with so many operations, this is the best score that is had."""
    best = sorted((row["flops_per_clip"], 100 * row["score"]) for row in points if row["pareto"] == "yes")
    if best:
        costs, scores = zip(*best, strict=True)
        end = axes.get_xlim()[1]
        axes.step(
            [*costs, end], [*scores, scores[-1]], where="post", color=BLUE, linewidth=3.0, alpha=0.25, zorder=1,
            label="Pareto front",
        )  # fmt: skip


def _legend(axes: Axes) -> None:
    """Say above the axes what colours mean."""
    for colour, name in ((BLUE, "on it"), (VERMILION, "outdone")):
        axes.plot([], [], "o", color=colour, markersize=5, label=name)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, columnspacing=1.2, handletextpad=0.5)


def _point(axes: Axes, row: Row) -> None:
    sound = row["interpretable"] == SOUND
    colour = GREY if not sound else BLUE if row["pareto"] == "yes" else VERMILION
    cost, score = row["flops_per_clip"], 100 * row["score"]
    axes.plot([cost, cost], [100 * row["low"], 100 * row["high"]], color=colour, linewidth=1.4)
    axes.plot(cost, score, "o", color=colour, markerfacecolor=colour if sound else "white", markersize=5)


def _names(axes: Axes, points: Sequence[Row], height: float) -> None:
    """Name the points at the right, from the lowest score to the highest, each as near its height as there is room.

    Parameters
    ----------
    axes
        With its limits set.
    points
        Rows, the lowest score first.
    height
        Of the axes in inches, about.
    """
    bottom, top = axes.get_ylim()
    heights = [(100 * row["score"] - bottom) / (top - bottom) for row in points]
    line: dict[str, Any] = {"color": GREY, "linewidth": 0.4, "zorder": 0.5}
    for row, own, place in zip(points, heights, apart(heights, LINE / height), strict=True):
        # Level up to the edge and only then to the name, so that no two lines cross.
        axes.hlines(100 * row["score"], row["flops_per_clip"], axes.get_xlim()[1], **line)
        axes.plot([1.0, 1.05], [own, place], transform=axes.transAxes, clip_on=False, **line)
        colour = INK if row["interpretable"] == SOUND else GREY
        axes.text(1.06, place, _name(row), transform=axes.transAxes, va="center", fontsize=7.5, color=colour)


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Return rising places at least a gap apart and as near as may be to the given ones, from 0 to 1 if they fit.

    >>> apart([0.5, 0.5], 0.1)
    [0.45, 0.55]
    >>> apart([0.0, 0.0, 1.0], 0.1)
    [0.0, 0.1, 1.0]
    """
    groups: list[tuple[float, int]] = []  # the middle and the number of labels that touch
    for place in places:
        group = (place, 1)
        while groups and group[0] - gap * (group[1] - 1) / 2 < groups[-1][0] + gap * (groups[-1][1] + 1) / 2:
            middle, number = groups.pop()
            whole = number + group[1]
            group = ((middle * number + group[0] * group[1]) / whole, whole)
            group = (_inside(group[0], gap * (whole - 1) / 2), whole)
        groups.append((_inside(group[0], gap * (group[1] - 1) / 2), group[1]))
    return [round(middle + gap * (place - (number - 1) / 2), 9) for middle, number in groups for place in range(number)]


def _inside(middle: float, half: float) -> float:
    return min(max(middle, half), 1 - half) if half < 0.5 else 0.5


def _name(row: Row) -> str:
    mark = "" if row["interpretable"] == SOUND else f"  {row['interpretable']}"
    return f"{row['backbone']} · {row['recipe']}  {with_prefix(row['flops_per_clip'])}{mark}"


def _uncounted(row: Row) -> str:
    score = percent(row["score"], row["low"], row["high"], alone=" [one speaker]")
    mark = "" if row["interpretable"] == SOUND else f"  {row['interpretable']}"
    return f"{row['backbone']} · {row['recipe']}: {METRIC_NAMES[row['metric']]} {score}{mark}"


def _chance(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the level of chance, of all rows the highest."""
    chance = 100 * float(rows["chance"].max())
    axes.axhline(chance, color=VERMILION, linestyle=(0, (4, 3)), linewidth=0.9, zorder=1)
    axes.annotate(
        "chance", (0, chance), xycoords=("axes fraction", "data"), xytext=(3, 2), textcoords="offset points",
        fontsize=7, color=VERMILION,
    )  # fmt: skip
