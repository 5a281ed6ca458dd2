"""The printed figures of the stage: how trainings went, and which layers they listen to."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from candor.figures import BLUE, FULL_WIDTH, GREY, ORANGE, VERMILION, house_style, new_figure, set_title


def curves_figure(history: pd.DataFrame, title: str, score: str) -> Figure:
    """Draw losses and dev scores over the epochs, a thin line per fold and seed and their mean as a thick one.

    Parameters
    ----------
    history
        Rows of `History` of all folds, with a column `fold`.
    title
        What was trained on what.
    score
        What the dev score is called.
    """
    with house_style():
        figure = new_figure(FULL_WIDTH, 2.6)
        losses, scores = figure.subplots(1, 2)
        _draw_lines(losses, history, "train_loss", BLUE, "train")
        _draw_lines(losses, history, "dev_loss", ORANGE, "dev")
        _draw_lines(scores, history, "dev_score", ORANGE, "dev")
        chosen = history[history["selected"] == "yes"]
        scores.plot(chosen["epoch"], chosen["dev_score"], "o", color=VERMILION, markersize=3, label="selected")
        for axes, what in ((losses, "Loss"), (scores, f"{score} on dev")):
            axes.set_xlabel("epoch")
            axes.set_title(what)
            axes.legend()
        set_title(figure, title)
    return figure


def layers_figure(layers: pd.DataFrame, title: str) -> Figure:
    """Draw the weight of each layer: a point per fold and seed, the mean as a bar, and what equal weights would be.

    Parameters
    ----------
    layers
        Rows of `LayerWeights` of all folds, with a column `fold`.
    title
        What was trained on what.
    """
    mean = layers.groupby("layer")["weight"].mean()
    with house_style():
        figure = new_figure(FULL_WIDTH, 2.3)
        axes = figure.subplots()
        axes.bar(mean.index, mean, width=0.7, color=BLUE, alpha=0.35, linewidth=0)
        spread = np.linspace(-0.25, 0.25, max(2, len(layers) // len(mean)))
        for layer, rows in layers.groupby("layer"):
            places = float(str(layer)) + spread[: len(rows)]
            axes.plot(places, rows["weight"], "o", color=BLUE, markersize=2, alpha=0.7)
        axes.axhline(1 / len(mean), color=GREY, linestyle="--", linewidth=0.8)
        axes.text(axes.get_xlim()[1], 1 / len(mean), " equal", color=GREY, va="center", ha="left", fontsize=7.5)
        axes.set_xticks(range(len(mean)))
        axes.set_ylim(bottom=0)
        axes.set_xlabel("layer of the backbone, 0 is the lowest")
        axes.set_title("Weight")
        set_title(figure, title)
    return figure


def _draw_lines(axes: Axes, history: pd.DataFrame, column: str, colour: str, label: str) -> None:
    for _, rows in history.groupby(["fold", "seed"]):
        axes.plot(rows["epoch"], rows[column], color=colour, linewidth=0.5, alpha=0.35)
    mean = history.groupby("epoch")[column].mean()
    axes.plot(mean.index, mean, color=colour, linewidth=1.6, label=label)
