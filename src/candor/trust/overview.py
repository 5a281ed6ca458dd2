"""Datasets side by side: the profiles of all systems on all datasets, and a picture of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from candor.figures import COLOURS, FULL_WIDTH, GREY, INK, LIGHT, MARKERS, house_style, new_figure, set_title
from candor.trust.axes import SCALE, Axis, axes_for


def datasets_figure(profiles: pd.DataFrame) -> Figure:
    """Draw every axis of all systems, with a mark for each dataset.

    Parameters
    ----------
    profiles
        Rows of `TrustOverview`.
    """
    systems = list(dict.fromkeys(f"{row.backbone} · {row.recipe}" for row in profiles.itertuples()))
    datasets = list(dict.fromkeys(profiles["dataset"]))
    row_height = 0.2 + 0.1 * len(datasets)
    with house_style():
        figure = new_figure(FULL_WIDTH, 1.5 + 2 * (0.55 + row_height * len(systems)))
        panels = figure.subplots(2, 3, sharey=True).flatten().tolist()
        scales = [axes_for(metric, 0.0) for metric in dict.fromkeys(profiles["metric"])]
        for panel, alike in zip(panels, zip(*scales, strict=True), strict=True):
            _panel(panel, alike[0], profiles, systems, datasets)
            panel.set_title(_head(alike), color=INK)
        handles = [
            Line2D([], [], color=colour, marker=marker, markersize=4, linewidth=1.4, label=dataset)
            for dataset, colour, marker in zip(datasets, cycle(COLOURS), cycle(MARKERS), strict=False)
        ]
        handles.append(Line2D([], [], color=GREY, marker="|", markersize=6, linewidth=0, label="chance"))
        handles.append(Line2D([], [], color=GREY, marker="o", markerfacecolor="white", markersize=4, linewidth=0,
                              label="hollow: at chance or one class, not to be interpreted"))  # fmt: skip
        figure.legend(handles=handles, loc="outside lower left", ncols=4, handlelength=1.8)
        set_title(figure, "Trust profiles of all systems: left is worse, right is better")
    return figure


def _head(alike: Sequence[Axis]) -> str:
    """Return what stands above a panel: the name of its axis and the unit, or all units on a line of their own."""
    units = list(dict.fromkeys(axis.unit for axis in alike if axis.unit))
    between = "\n" if len(units) > 1 else ", "
    return between.join(filter(None, [alike[0].head, " or ".join(units)]))


def _panel(panel: Axes, axis: Axis, profiles: pd.DataFrame, systems: Sequence[str], datasets: Sequence[str]) -> None:
    step = 0.7 / max(len(datasets), 1)
    for dataset, colour, marker in zip(datasets, cycle(COLOURS), cycle(MARKERS), strict=False):
        shift = (datasets.index(dataset) - (len(datasets) - 1) / 2) * step
        for row in profiles[profiles["dataset"] == dataset].to_dict("records"):
            place = systems.index(f"{row['backbone']} · {row['recipe']}") + shift
            value = float(row[axis.name])
            if math.isnan(value):
                panel.annotate("none", (0.02, place), xycoords=("axes fraction", "data"), fontsize=6, color=colour,
                               va="center", style="italic")  # fmt: skip
                continue
            if axis.name == "performance":
                panel.plot(axis.place(float(row["chance"])), place, "|", color=GREY, markersize=6)
            sound = row["interpretable"] == "yes"
            ends = [float(row.get(f"{axis.name}_{end}", math.nan)) for end in ("low", "high")]
            panel.plot([axis.place(end) for end in ends], [place, place], color=colour, linewidth=1.4)
            panel.plot(axis.place(value), place, marker, color=colour, markersize=4,
                       markerfacecolor=colour if sound else "white")  # fmt: skip
    ticks = (0.0, 0.5, 1.0)
    panel.set_xlim(-0.04, 1.04)
    panel.set_xticks(ticks, [axis.number(axis.at(place), SCALE) for place in ticks])
    panel.set_ylim(len(systems) - 0.45, -0.55)
    panel.set_yticks(range(len(systems)), systems)
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set_visible(False)
    panel.grid(axis="x", color=LIGHT, linewidth=0.5)
    panel.set_axisbelow(True)
