"""The radar: a small chart for each system, all on the same printed scales."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from candor.figures import BLUE, FULL_WIDTH, GREY, INK, LIGHT, VERMILION, house_style, new_figure, set_title
from candor.trust.axes import SCALE, Axis
from candor.trust.profile import axes_of

COLUMNS = 2
PANEL = 3.1
RINGS = (0.25, 0.5, 0.75, 1.0)
MIDDLE = 0.5
"""The ring whose values are written; those of the centre and the rim stand at the ends of the axes."""
OTHERS = "#A6A6A6"
REACH = 1.62
"""How far a panel reaches from its centre, in lengths of an axis: room for what stands at the ends."""

Profile = Mapping[Any, Any]


def radar_figure(profiles: pd.DataFrame, axes: pd.DataFrame, title: str) -> Figure:
    """Draw the profile of each system over those of all others.

    Parameters
    ----------
    profiles
        Rows of `TrustProfile` of one dataset.
    axes
        Rows of `TrustAxes` of the same.
    title
        What stands above.
    """
    number = len(profiles)
    columns = min(COLUMNS, number)
    lines = math.ceil(number / columns)
    with house_style():
        figure = new_figure(FULL_WIDTH, PANEL * lines + 0.95)
        panels = np.atleast_2d(figure.subplots(lines, columns, squeeze=False)).flatten().tolist()
        for panel in panels[number:]:
            panel.set_axis_off()
        systems = {name: own.set_index("axis") for name, own in axes.groupby(["backbone", "recipe"], sort=False)}
        for panel, profile in zip(panels, profiles.to_dict("records"), strict=False):
            system = (profile["backbone"], profile["recipe"])
            _grid(panel, axes_of(profile))
            for other, rows in systems.items():
                if other != system:
                    _outline(panel, rows["place"].to_numpy(), OTHERS, 0.8)
            _draw(panel, profile, systems[system])
        _explain(figure, many=number > 1, unsound=bool((profiles["interpretable"] != "yes").any()))
        set_title(figure, title)
    return figure


def _angles(number: int) -> list[float]:
    """Return the directions of so many axes, clockwise from the top."""
    return [math.pi / 2 - 2 * math.pi * place / number for place in range(number)]


def _point(angle: float, place: float) -> tuple[float, float]:
    return place * math.cos(angle), place * math.sin(angle)


def _grid(panel: Axes, axes: Sequence[Axis]) -> None:
    """Draw rings and axes, with the values of the scale along each, and name what is at its end."""
    panel.set_aspect("equal")
    panel.set_xlim(-REACH, REACH)
    panel.set_ylim(-1.38, 1.38)
    panel.set_axis_off()
    angles = _angles(len(axes))
    for ring in RINGS:
        points = np.array([_point(angle, ring) for angle in [*angles, angles[0]]])
        panel.plot(points[:, 0], points[:, 1], color=GREY if ring == 1 else LIGHT, linewidth=0.6, zorder=0)
    for axis, angle in zip(axes, angles, strict=True):
        end = _point(angle, 1.0)
        panel.plot([0, end[0]], [0, end[1]], color=LIGHT, linewidth=0.6, zorder=0)
        x, y = _point(angle, MIDDLE)
        panel.text(
            x + 0.13 * math.sin(angle), y - 0.13 * math.cos(angle), f"{axis.number(axis.at(MIDDLE), SCALE)}{axis.sign}",
            fontsize=5.5, color=GREY, ha="center", va="center", zorder=5,
            path_effects=[withStroke(linewidth=1.5, foreground="white")],
        )  # fmt: skip
        _name_end(panel, axis, angle)


def _name_end(panel: Axes, axis: Axis, angle: float) -> None:
    x, y = _point(angle, 1.1)
    side = "center" if abs(x) < 0.1 else "left" if x > 0 else "right"
    scale = from_to(axis)
    panel.text(
        x, y + (0.02 if y > 0 else -0.02), f"{axis.title}\n{scale}", fontsize=6.5, color=INK, ha=side,
        va="bottom" if y > 0.9 else "top" if y < -0.9 else "center", linespacing=1.25,
    )  # fmt: skip


def _draw(panel: Axes, profile: Profile, rows: pd.DataFrame) -> None:
    sound = profile["interpretable"] == "yes"
    colour = BLUE if sound else GREY
    _outline(panel, rows["place"].to_numpy(), colour, 1.6, fill=sound, dashed=not sound)
    for angle, row in zip(_angles(len(rows)), rows.to_dict("records"), strict=True):
        if math.isnan(row["place"]):
            at = _point(angle, 0.16)
            panel.text(*at, "none", fontsize=6, color=GREY, ha="center", va="center", style="italic", zorder=6)
            continue
        if not math.isnan(row["place_low"]):
            ends = np.array([_point(angle, row["place_low"]), _point(angle, row["place_high"])])
            panel.plot(ends[:, 0], ends[:, 1], color=colour, linewidth=3.2, alpha=0.45, zorder=3)
        panel.plot(*_point(angle, row["place"]), "o", color=colour, markersize=3.8, zorder=4,
                   markerfacecolor=colour if sound else "white")  # fmt: skip
        if not math.isnan(row["beside_place"]):
            _tick(panel, angle, row["beside_place"])
    name = f"{profile['backbone']} · {profile['recipe']}"
    panel.set_title(
        name if sound else f"{name}: {profile['interpretable']}", color=INK if sound else GREY, fontsize=8.5
    )


def _tick(panel: Axes, angle: float, place: float) -> None:
    """Draw what chance or the control shows as a stroke across an axis."""
    x, y = _point(angle, place)
    across = 0.07 * math.sin(angle), -0.07 * math.cos(angle)
    panel.plot([x - across[0], x + across[0]], [y - across[1], y + across[1]], color=VERMILION, linewidth=1.4, zorder=3)


def _outline(
    panel: Axes, places: np.ndarray, colour: str, width: float, *, fill: bool = False, dashed: bool = False
) -> None:
    """Join the places on neighbouring axes; where one has no figure, the line is open there."""
    angles = _angles(len(places))
    style = (0, (4, 2)) if dashed else "-"
    for first in range(len(places)):
        second = (first + 1) % len(places)
        if np.isnan(places[[first, second]]).any():
            continue
        ends = np.array([_point(angles[place], places[place]) for place in (first, second)])
        panel.plot(ends[:, 0], ends[:, 1], color=colour, linewidth=width, linestyle=style, zorder=2)
        if fill:
            panel.fill(*np.vstack([ends, [0, 0]]).T, color=colour, alpha=0.1, linewidth=0, zorder=1)


def from_to(axis: Axis) -> str:
    """Return both ends of a scale, with the sign of its unit once.

    >>> from_to(Axis("attack", "fooled", "fooled", 1.0, 0.0, unit="per cent"))
    '100 to 0 %'
    """
    return f"{axis.number(axis.centre, SCALE)} to {axis.number(axis.rim, SCALE)}{axis.sign}"


def _explain(figure: Figure, *, many: bool, unsound: bool) -> None:
    shown = [
        Line2D([], [], color=BLUE, marker="o", markersize=3.8, linewidth=1.6,
               label="this system; outer is better on every axis"),
        Line2D([], [], color=BLUE, linewidth=3.2, alpha=0.45, label="95 % interval over speakers"),
        Line2D([], [], color=VERMILION, marker="|", markersize=7, markeredgewidth=1.4, linewidth=0,
               label="what chance (gap) or random signs (fooled) show"),
    ]  # fmt: skip
    if many:
        shown.insert(1, Line2D([], [], color=OTHERS, linewidth=0.8, label="the other systems"))
    if unsound:
        shown.append(Line2D([], [], color=GREY, marker="o", markersize=3.8, linewidth=1.6, linestyle=(0, (4, 2)),
                            markerfacecolor="white", label="at chance or one class, not to be interpreted",
                            ))  # fmt: skip
    figure.legend(handles=shown, loc="outside lower left", ncols=2, handlelength=2.2, columnspacing=2.0)
