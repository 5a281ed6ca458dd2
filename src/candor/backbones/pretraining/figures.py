"""The loss curve of a pretraining."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from candor.figures import BLUE, FULL_WIDTH, GREY, INK, LIGHT, ORANGE, VERMILION, house_style, new_figure, set_title


def loss_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw the loss in training and on held-out audio over the epochs, and that of copying the last frame.

    Parameters
    ----------
    rows
        Rows of `candor.tables.pretraining.Pretraining`.
    title
        What was pretrained.
    """
    with house_style():
        figure = new_figure(FULL_WIDTH, 2.8)
        axes = figure.subplots()
        _draw_losses(axes, rows.sort_values("epoch"))
        _draw_selected(axes, rows[rows["selected"] == "yes"].iloc[0])
        set_title(figure, title)
    return figure


def _draw_losses(axes: Axes, rows: pd.DataFrame) -> None:
    copying = rows["copy_loss"].iloc[0]
    axes.axhline(copying, color=VERMILION, linestyle=(0, (4, 3)), linewidth=0.9, label="copying the last frame")
    # One point alone makes no line.
    mark = "o" if len(rows) < 3 else ""
    axes.plot(rows["epoch"], rows["held_out_loss"], color=BLUE, linewidth=1.6, marker=mark, label="held-out audio")
    trained = rows[rows["train_loss"].notna()]
    axes.plot(trained["epoch"], trained["train_loss"], color=ORANGE, linewidth=1.2, marker=mark, label="training audio")
    axes.set_ylim(bottom=0)
    axes.set_xlim(-0.02 * max(rows["epoch"].max(), 1), None)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel("epoch; 0 is the network before training")
    axes.set_ylabel("mean absolute difference (sd)")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def _draw_selected(axes: Axes, row: pd.Series) -> None:
    """Mark the epoch that is kept, and say how far below copying it is."""
    share = 100 * (1 - row["held_out_loss"] / row["copy_loss"])
    words = f"{share:.0f} % below" if share >= 0 else f"{-share:.0f} % above"
    axes.plot(row["epoch"], row["held_out_loss"], "o", color=BLUE, markersize=5)
    axes.set_title(f"Epoch {row['epoch']:.0f} is kept: held-out loss {words} copying", color=INK)
    axes.vlines(row["epoch"], 0, row["held_out_loss"], color=GREY, linewidth=0.6, linestyle=(0, (1, 2)))
