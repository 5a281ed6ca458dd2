"""The printed figure of inversions: how near reconstructions come to the truth, by round and by how many there are."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from candor.figures import BLUE, FULL_WIDTH, GREY, LIGHT, ORANGE, VERMILION, house_style, new_figure, set_title

KINDS = {
    "cosine": (VERMILION, "o", "reconstructed"),
    "cosine_of_others": (ORANGE, "^", "other people's, as many"),
    "cosine_of_mean": (BLUE, "s", "the mean that the gradient points at"),
}


def inversion_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Draw the mean cosine of every inverted gradient over rounds and over examples, and who was read right.

    Parameters
    ----------
    rows
        Rows of `Inversions`.
    title
        What was inverted.
    """
    with house_style():
        figure = new_figure(FULL_WIDTH, 2.9)
        by_round, by_examples, genders = figure.subplots(1, 3, width_ratios=[1, 1, 0.7])
        by_examples.sharey(by_round)
        for column, (colour, marker, label) in KINDS.items():
            style = {"color": colour, "marker": marker, "markersize": 3.5, "linestyle": "none", "alpha": 0.8}
            by_round.plot(rows["round"], rows[column], label=label, **style)
            by_examples.plot(rows["examples"], rows[column], **style)
        by_round.set_ylim(-0.05, 1.05)
        by_round.set_xlabel("round")
        by_examples.set_xlabel("examples in the gradient")
        by_round.set_title("Cosine to the truth, mean of a client")
        for axes in (by_round, by_examples):
            axes.grid(axis="y", color=LIGHT, linewidth=0.4)
        by_round.legend(loc="upper center", bbox_to_anchor=(0.5, -0.26), fontsize=6.5, borderaxespad=0)
        told = rows[(rows["gender"] != "") & (rows["read"] != "")]
        for place, (column, label) in enumerate((("read", "reconstruction"), ("read_off_truth", "truth"))):
            shares = [(own[column] == gender).mean() for gender, own in told.groupby("gender")]
            if shares:
                genders.bar(place, 100 * sum(shares) / len(shares), width=0.6, color=(VERMILION, GREY)[place])
            genders.text(place, 2, label, rotation=90, ha="center", va="bottom", fontsize=7, color="white")
        genders.axhline(50, color=GREY, linestyle=(0, (4, 3)), linewidth=0.8)
        genders.set_ylim(0, 100)
        genders.set_xticks([])
        genders.set_title(f"Gender, UAR (%), n = {len(told)}")
        for axes in (by_round, by_examples):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        by_examples.set_title("the same, by examples")
        set_title(figure, title)
    return figure
