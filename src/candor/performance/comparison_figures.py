"""The printed figure of the comparison: which system is ahead of which, and how surely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from candor.figures import BLUE, FULL_WIDTH, GREY, INK, LIGHT, house_style, new_figure, set_title
from candor.numbers import p_words
from candor.performance.pairs import NOT_TOLD_APART, TOO_FEW_SPEAKERS, leader_first
from candor.tables.performance import METRIC_NAMES


def comparison_figure(rows: pd.DataFrame, metric: str = "uar") -> Figure:
    """Draw the difference between every two systems with its interval, the greatest first.

    In each pair the one that is ahead is named first. Blue and filled: better after Holm's adjustment for all pairs.

    Parameters
    ----------
    rows
        Rows of `Comparison` of one dataset.
    metric
        ``uar``, ``accuracy`` or ``macro_f1``; ``ccc`` where a rating is predicted.
    """
    chosen = rows[rows["metric"] == metric]
    pairs = sorted(map(leader_first, chosen.to_dict("records")), key=lambda row: -row["difference"])
    kinds = [kind for kind in ("backbone", "recipe") if any(row["differ_in"] == kind for row in pairs)]
    numbers = [sum(row["differ_in"] == kind for row in pairs) for kind in kinds]
    with house_style():
        figure = new_figure(FULL_WIDTH, 0.9 + 0.25 * max(len(pairs), 2) + 0.35 * len(kinds))
        set_title(figure, ", ".join(rows["dataset"].unique()))
        if not pairs:
            figure.text(0.5, 0.4, "There are no two systems to compare.", ha="center", color=GREY)
            return figure
        panels = figure.subplots(len(kinds), 1, sharex=True, squeeze=False, height_ratios=[n + 0.8 for n in numbers])
        for axes, kind in zip(panels[:, 0], kinds, strict=True):
            _draw(axes, [row for row in pairs if row["differ_in"] == kind])
            axes.set_title("Backbones with the same recipe" if kind == "backbone" else "Recipes on the same backbone")
        unit = "× 100" if metric == "ccc" else "points"
        panels[-1, 0].set_xlabel(
            f"difference in {METRIC_NAMES[metric]} ({unit}) with 95 % interval over speakers; p adjusted by Holm"
        )
    return figure


def _draw(axes: Axes, pairs: list[dict[str, Any]]) -> None:
    for place, row in enumerate(pairs):
        told = row["better"] not in (NOT_TOLD_APART, TOO_FEW_SPEAKERS)
        colour = BLUE if told else GREY
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=colour, linewidth=1.6)
        axes.plot(100 * row["difference"], place, "o", color=colour, markerfacecolor=colour if told else "white")
        axes.annotate(
            _words(row), (1.03, place), xycoords=("axes fraction", "data"), va="center", fontsize=7.5,
            color=INK if told else GREY, annotation_clip=False,
        )  # fmt: skip
    axes.axvline(0, color=GREY, linestyle=(0, (4, 3)), linewidth=0.9, zorder=0)
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.set_yticks(range(len(pairs)), [f"{row['ahead']} over {row['behind']} · {row['same']}" for row in pairs])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)


def _words(row: Mapping[str, Any]) -> str:
    difference, low, high = (100 * row[name] for name in ("difference", "low", "high"))
    if np.isnan(low):
        return f"{difference:+.1f} [one speaker]"
    figures = f"{difference:+.1f} [{low:+.1f}, {high:+.1f}]".replace("-", "\u2212")
    if row["better"] == TOO_FEW_SPEAKERS:
        return f"{figures}  {TOO_FEW_SPEAKERS}"
    p = p_words(row["p_holm"])
    return f"{figures}  {p}{'' if row['better'] != NOT_TOLD_APART else ' n.s.'}"
