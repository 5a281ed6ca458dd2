"""The printed figure of what each client of a federation holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from candor.corpora.figures import shared_start
from candor.figures import BLUE, COLOURS, FULL_WIDTH, GREY, INK, LIGHT, SKY, house_style, new_figure, set_title

COUNTS = "n_"
"""What the columns of the classes' counts begin with."""

APART = 60
"""Up to so many clients have bars of their own, with their names; the bars of more would be thinner than letters."""

LONGEST = 24
"""Of longer names of clients only the last characters are written: shards are told apart by these."""

TINT = 0.55
"""How much white is in the colours of further classes once all colours are taken."""


def clients_figure(held: pd.DataFrame, title: str) -> Figure:
    """Draw how many examples of each class every client holds, whoever holds most first.

    Up to `APART` clients are bars; more are the columns of a map, with their amounts above it.

    Parameters
    ----------
    held
        Rows of `ClientsHeld` of one fold.
    title
        What stands above.
    """
    rows = held.assign(examples=held["train"] + held["dev"])
    counts = [str(name) for name in rows if str(name).startswith(COUNTS)]
    # Of those who hold as much, those with the same classes side by side.
    order = ["examples", *counts, "client"]
    rows = rows.sort_values(order, ascending=[False] * (len(order) - 1) + [True], ignore_index=True)
    classes = [name.removeprefix(COUNTS) for name in counts]
    with house_style():
        if len(rows) <= APART:
            figure = new_figure(FULL_WIDTH, 1.35 + 0.165 * max(len(rows), 4))
            _draw_bars(figure.subplots(), rows, classes)
            _explain_colours(figure, rows, classes)
        else:
            figure = new_figure(FULL_WIDTH, 2.4 + 0.2 * len(classes))
            amounts, shares = figure.subplots(2, 1, sharex=True, height_ratios=[1.3, 0.4 + 0.2 * len(classes)])
            _draw_amounts(amounts, rows)
            _draw_shares(figure, shares, rows, classes)
        set_title(figure, title)
    return figure


def colours_of(classes: Sequence[str]) -> dict[str, str]:
    """Return a colour per class; once all are taken, the same ones with white in them, then greys."""
    colours = [*COLOURS, *map(_tinted, COLOURS), GREY, LIGHT]
    return {name: colours[place % len(colours)] for place, name in enumerate(classes)}


def _tinted(colour: str) -> str:
    red, green, blue = (1 - (1 - part) * (1 - TINT) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def _draw_bars(axes: Axes, rows: pd.DataFrame, classes: Sequence[str]) -> None:
    """Draw a bar per client, its classes one after the other, and beside it what it learns from and judges on."""
    start = np.zeros(len(rows))
    for name, colour in colours_of(classes).items():
        widths = rows[f"{COUNTS}{name}"].to_numpy(float)
        axes.barh(
            range(len(rows)), widths, left=start, height=0.76, color=colour, edgecolor="white", linewidth=0.4
        )  # fmt: skip
        start += widths
    most = float(start.max())
    outside: Any = {"va": "center", "fontsize": 6.5, "textcoords": "offset points", "annotation_clip": False}
    numbers = zip(rows["train"], rows["dev"], start, strict=True)
    for place, (train, dev, end) in enumerate(numbers):
        axes.annotate(f"{train:,} + {dev:,}", (end, place), xytext=(4, 0), color=GREY, **outside)
    axes.set_xlim(0, 1.14 * most)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), _short_names(rows["client"].tolist()), fontsize=6.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel("examples; beside each bar: to learn from + to judge models on")
    axes.set_title(_spread_of(rows))


def _explain_colours(figure: Figure, rows: pd.DataFrame, classes: Sequence[str]) -> None:
    """Write below which colour is which class, and how many examples of it there are."""
    colours = colours_of(classes)
    totals = {name: int(rows[f"{COUNTS}{name}"].sum()) for name in classes}
    figure.legend(
        [Patch(color=colours[name]) for name in classes],
        [f"{name}: {totals[name]:,}" for name in classes],
        loc="outside lower center", ncols=min(len(classes), 5), handlelength=0.9, handleheight=0.9, columnspacing=1.4,
    )  # fmt: skip


def _draw_amounts(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw how many examples each client holds, in the order of the map below."""
    edges = np.arange(len(rows) + 1) - 0.5
    axes.stairs(rows["examples"], edges, fill=True, color=SKY, linewidth=0, label="to judge models on")
    axes.stairs(rows["train"], edges, fill=True, color=BLUE, linewidth=0, label="to learn from")
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylim(0, None)
    axes.set_ylabel("examples")
    axes.grid(axis="y", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.set_title(_spread_of(rows))
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2, handlelength=0.9, reverse=True)


def _draw_shares(figure: Figure, axes: Axes, rows: pd.DataFrame, classes: Sequence[str]) -> None:
    """Draw a column per client, the darker where more of what it holds is of a class."""
    counts = rows[[f"{COUNTS}{name}" for name in classes]].to_numpy(float)
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    image = axes.imshow(shares.T, cmap="Blues", vmin=0, vmax=100, aspect="auto", interpolation="nearest")
    totals = counts.sum(axis=0)
    axes.set_yticks(range(len(classes)), [f"{name}: {total:,.0f}" for name, total in zip(classes, totals, strict=True)])
    axes.xaxis.set_major_locator(NullLocator())
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.hlines(np.arange(1, len(classes)) - 0.5, -0.5, len(rows) - 0.5, color="white", linewidth=1.2)
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.set_xlabel(f"{len(rows):,} clients, whoever holds most first", color=INK)
    bar = figure.colorbar(image, ax=axes, aspect=12, pad=0.015, ticks=[0, 50, 100])
    bar.outline.set_visible(False)
    bar.set_label("% of its\nexamples", fontsize=7)


def _spread_of(rows: pd.DataFrame) -> str:
    """Say how many clients there are, and how unequal in what they hold."""
    fewest, middle, most = (f"{amount:,.0f}" for amount in rows["examples"].quantile([0, 0.5, 1]))
    each = f"{fewest} to {most} examples each, median {middle}" if fewest != most else f"{most} examples each"
    return f"{len(rows):,} clients, {each}"


def _short_names(names: Sequence[str]) -> list[str]:
    """Return names for which there is room: where they are long, without what all of them begin with."""
    shared = len(shared_start(names)) if max(map(len, names)) > LONGEST else 0
    short = [name[shared:] for name in names]
    cut = [name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}" for name in short]
    return [name.replace("$", r"\$") for name in cut]
