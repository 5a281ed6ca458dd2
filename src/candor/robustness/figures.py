"""The printed figures of the stage: what changes over the strength of each test, and which tests are passed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from candor.figures import (
    BLUE,
    FULL_WIDTH,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    VERMILION,
    house_style,
    new_figure,
    set_title,
)
from candor.performance.verdicts import NOT_INTERPRETABLE
from candor.robustness.battery import TESTS
from candor.robustness.names import ALL

COLUMNS = 4
"""Tests side by side."""

SHADES = LinearSegmentedColormap.from_list("share", [VERMILION, "#F7F2E8", BLUE])
"""From many predictions that change to none."""

TICK, CROSS, UNSURE = "✓", "✗", "?"


def curves_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw the share of predictions that stay the same, and the change of the score, over the strength of each test.

    Parameters
    ----------
    rows
        Rows of `RobustnessResult`.
    title
        What stands above.
    """
    tests = [test for test in TESTS if test in set(rows["test"])]
    metric = str(rows["metric"].iloc[0]).upper()
    lines = -(-len(tests) // COLUMNS)
    lowest = _lowest(rows)
    with house_style():
        figure = new_figure(FULL_WIDTH, 0.75 + 2.05 * lines)
        grid = figure.subplots(2 * lines, COLUMNS, height_ratios=[1.15, 1] * lines, squeeze=False)
        for place in range(lines * COLUMNS):
            upper, lower = (grid[2 * (place // COLUMNS) + half, place % COLUMNS] for half in (0, 1))
            if place >= len(tests):
                upper.set_axis_off()
                lower.set_axis_off()
                continue
            own = rows[rows["test"] == tests[place]]
            _unchanged(upper, own)
            _change(lower, own, lowest)
            upper.set_title(TESTS[tests[place]].title, pad=4)
            lower.set_xlabel(TESTS[tests[place]].unit, labelpad=1, fontsize=7)
            if place % COLUMNS:
                upper.tick_params(labelleft=False)
                lower.tick_params(labelleft=False)
            else:
                upper.set_ylabel("unchanged\n(%)")
                lower.set_ylabel(f"change of\n{metric} (points)")
        figure.align_ylabels()
        _legend(figure, metric)
        set_title(figure, f"{title}, {_behind(rows)}{_doubt(rows)}")
    return figure


def verdicts_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw which tests every backbone and recipe passes, with the share unchanged and the change of the score.

    Parameters
    ----------
    rows
        Rows of `RobustnessSummary`.
    title
        What stands above.
    """
    judged = rows[rows["headline"] == "yes"]
    systems = list(dict.fromkeys(zip(judged["backbone"], judged["recipe"], strict=True)))
    tests = [test for test in TESTS if test in set(judged["test"])]
    cell = 0.92
    width = max(4.6, 1.75 + cell * len(systems) + 0.75)
    with house_style():
        figure = new_figure(width, 1.55 + 0.27 * (len(tests) + 1))
        axes = figure.subplots()
        for column, (backbone, recipe) in enumerate(systems):
            own = judged[(judged["backbone"] == backbone) & (judged["recipe"] == recipe)].set_index("test")
            for line, test in enumerate(tests):
                if test in own.index:
                    _cell(axes, column, line, own.loc[test])
            _total(axes, column, len(tests), own.loc[ALL])
        axes.set_xlim(-0.5, len(systems) - 0.5)
        axes.set_ylim(len(tests) + 0.6, -0.5)
        axes.set_xticks(range(len(systems)), [f"{backbone}\n{recipe}" for backbone, recipe in systems])
        axes.xaxis.tick_top()
        names = [f"{TESTS[test].title}, {_signed(TESTS[test].headline)} {TESTS[test].unit}" for test in tests]
        axes.set_yticks([*range(len(tests)), len(tests) + 0.1], [*names, "All: passed"])
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        metric = str(judged["metric"].iloc[0]).upper()
        axes.set_xlabel(
            f"{TICK} passed, {CROSS} failed, {UNSURE} the interval reaches across the threshold.\n"
            f"Per cent of predictions unchanged, and change of {metric} in points.",
            loc="left", fontsize=7,
        )  # fmt: skip
        set_title(figure, title)
    return figure


def _unchanged(axes: Axes, rows: pd.DataFrame) -> None:
    places = np.arange(len(rows))
    middle, low, high = _scaled(rows, "unchanged")
    _band(axes, places, middle, low, high, BLUE)
    _marks(axes, rows, middle, BLUE)
    headline = rows["headline"].to_numpy() == "yes"
    for place in places[headline]:
        _threshold(axes, float(place), 100 * rows["least_unchanged"].to_numpy(dtype=float)[place])
    chance = 100 * rows["chance_unchanged"].to_numpy(dtype=float)
    axes.plot(places, chance, color=GREY, linestyle=(0, (1, 1.5)), linewidth=1.1, zorder=1)
    axes.set_ylim(-4, 109)
    axes.set_yticks([0, 50, 100])
    _strengths(axes, rows, named=False)


def _change(axes: Axes, rows: pd.DataFrame, lowest: float) -> None:
    places = np.arange(len(rows))
    middle, low, high = _scaled(rows, "change")
    random = 100 * rows["random_low"].to_numpy(dtype=float)
    edges = np.concatenate([[-0.4], places[1:-1], [len(rows) - 0.6]]) if len(rows) > 1 else np.array([-0.4, 0.4])
    shown = random if len(rows) > 1 else np.repeat(random, 2)
    axes.fill_between(edges, np.nan_to_num(shown), 0.0, color=LIGHT, linewidth=0, zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=1)
    _band(axes, places, middle, low, high, ORANGE)
    _marks(axes, rows, middle, ORANGE)
    for place, threshold in zip(places, 100 * rows["least_change"].to_numpy(dtype=float), strict=True):
        if threshold == threshold:
            _threshold(axes, float(place), threshold)
    axes.set_ylim(lowest, 12)
    axes.set_yticks([tick for tick in (-60, -40, -20, 0) if tick >= lowest])
    _strengths(axes, rows, named=True)


def _scaled(rows: pd.DataFrame, what: str) -> tuple[np.ndarray, ...]:
    return tuple(100 * rows[name].to_numpy(dtype=float) for name in (what, f"{what}_low", f"{what}_high"))


def _band(axes: Axes, places: np.ndarray, middle: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str) -> None:
    axes.vlines(places, low, high, color=colour, linewidth=1.2)
    axes.plot(places, middle, color=colour, linewidth=0.9)


def _marks(axes: Axes, rows: pd.DataFrame, middle: np.ndarray, colour: str) -> None:
    """Draw a point per strength; that of the verdict is larger, and hollow if the test is failed."""
    for place, (headline, passed) in enumerate(zip(rows["headline"], rows["passed"], strict=True)):
        style: Any = {"color": colour, "markersize": 5.5 if headline == "yes" else 3.2}
        if headline == "yes" and passed != "yes":
            style["markerfacecolor"] = "white"
        axes.plot(place, middle[place], "D" if headline == "yes" else "o", **style)


def _threshold(axes: Axes, place: float, height: float) -> None:
    axes.plot([place - 0.38, place + 0.38], [height, height], color=VERMILION, linewidth=1.3, zorder=3)


def _strengths(axes: Axes, rows: pd.DataFrame, *, named: bool) -> None:
    axes.set_xlim(-0.55, len(rows) - 0.45)
    labels = [_brief(value) for value in rows["strength"]] if named else [""] * len(rows)
    axes.set_xticks(range(len(rows)), labels, fontsize=6.5)
    axes.grid(axis="y", color=LIGHT, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=6.5, pad=1.5)


def _points(change: float) -> str:
    """Write a change in points.

    >>> _points(-0.162), _points(-0.001), _points(0.02)
    ('−16', '0', '+2')
    """
    rounded = round(100 * change)
    return f"{rounded:+d}".replace("-", "−") if rounded else "0"


def _brief(value: float) -> str:
    """Write a strength in few letters.

    >>> _brief(7000.0), _brief(0.03), _brief(-20.0)
    ('7k', '.03', '−20')
    """
    text = f"{value / 1000:g}k" if value >= 1000 else _signed(value)
    return text.removeprefix("0") if text != "0" else text


def _signed(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _lowest(rows: pd.DataFrame) -> float:
    """Return where the axes of the change end, the same for all tests."""
    ends = 100 * pd.concat([rows["change_low"], rows["change"], rows["random_low"]]).astype(float)
    return float(min(-22.0, np.nan_to_num(np.nanmin(ends)) - 4)) if ends.notna().any() else -22.0


def _legend(figure: Figure, metric: str) -> None:
    handles = [
        figure.axes[0].plot([], [], "D", color=INK, markersize=5, label="strength of the verdict")[0],
        figure.axes[0].plot([], [], "D", color=INK, markersize=5, markerfacecolor="white", label="not passed")[0],
        figure.axes[0].plot([], [], color=VERMILION, linewidth=1.3, label="threshold")[0],
        figure.axes[0].fill_between([], [], [], color=LIGHT, label="lost by models that hear nothing"),
        figure.axes[0].plot([], [], color=GREY, linestyle=(0, (1, 1.5)), label="unchanged by chance")[0]
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=5, handlelength=1.2, columnspacing=1.0, fontsize=7)


def _cell(axes: Axes, column: int, line: int, row: Any) -> None:
    """Draw a test of a system: the mark does not rest on the colour."""
    share = row["unchanged"]
    face = "white" if share != share else SHADES(float(np.clip((share - 0.4) / 0.6, 0.0, 1.0)))
    axes.fill_between([column - 0.47, column + 0.47], line - 0.45, line + 0.45, color=face, linewidth=0, alpha=0.75)
    if share != share:
        words = "–"
    else:
        mark = {"yes": TICK, "no": CROSS}.get(row["passed"], "·")
        mark += UNSURE if row["certain"] == "no" else ""
        words = f"{100 * share:.0f}, {_points(row['change'])} {mark}"
    axes.text(column, line, words, ha="center", va="center", fontsize=7.5, color=INK)


def _total(axes: Axes, column: int, line: int, row: Any) -> None:
    made = row["tests_passed"] == row["tests_passed"]
    words = (
        f"{row['tests_passed']:.0f} of {row['tests_made']:.0f}" if made else str(row["verdict"]).replace(": ", ":\n")
    )
    axes.text(column, line + 0.1, words, ha="center", va="center", fontsize=7.5, fontweight="bold" if made else None)


def _behind(rows: pd.DataFrame) -> str:
    whole = rows[rows["test"] == ALL].iloc[0]
    return f"{whole['utterances']:,} utterances of {whole['speakers']:,} speakers"


def _doubt(rows: pd.DataFrame) -> str:
    whole: Sequence[str] = list(rows.loc[rows["test"] == ALL, "verdict"])
    return f" ({whole[0]})" if whole and whole[0].startswith(NOT_INTERPRETABLE) else ""
