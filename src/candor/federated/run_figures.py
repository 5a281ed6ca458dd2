"""The printed figures of runs: how a federation learned, and how runs compare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from candor.federated.defences.words import epsilon_in_words
from candor.federated.settings import CENTRAL
from candor.figures import (
    BLUE,
    COLOURS,
    FULL_WIDTH,
    GREY,
    INK,
    LIGHT,
    MARKERS,
    ORANGE,
    SKY,
    VERMILION,
    house_style,
    new_figure,
    set_title,
)
from candor.numbers import percent

BAND = (0.1, 0.9)


def curves_figure(rounds: pd.DataFrame, judged: pd.DataFrame, title: str, chosen_by: str = "dev_uar") -> Figure:
    """Draw losses, UAR and the spread of the clients over the rounds: a thin line per fold, their mean as a thick one.

    Parameters
    ----------
    rounds
        Rows of `Rounds` of all folds, with a column `fold`.
    judged
        Rows of `Judged` of all folds, with a column `fold`.
    title
        What was trained on what.
    chosen_by
        The column of `rounds` that the selected model is the best by.
    """
    with house_style():
        figure = new_figure(FULL_WIDTH, 3.0)
        losses, uars, clients = figure.subplots(1, 3)
        _draw_lines(losses, rounds, "train_loss", BLUE, "chosen clients, training")
        _draw_lines(losses, rounds, "dev_loss", ORANGE, "all clients, validation")
        _draw_lines(uars, rounds, "dev_uar", ORANGE, "all clients together")
        _draw_lines(uars, rounds, "clients_uar", SKY, "mean of the clients' own")
        chosen = rounds[rounds["selected"] == "yes"]
        uars.plot(chosen["round"], chosen[chosen_by], "o", color=VERMILION, markersize=3, label="selected")
        _draw_spread(clients, judged)
        losses.set_title("Loss (nat)")
        uars.set_title("UAR on validation data")
        clients.set_title("Accuracy of single clients")
        for axes in (losses, uars, clients):
            axes.set_xlabel("round")
            # Outside the lines: three panels are too narrow to find a free corner in each.
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.27), ncols=1, borderaxespad=0)
        set_title(figure, title)
    return figure


def runs_figure(summary: pd.DataFrame, rounds: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the test UAR of every run with its interval, best first, and how each came there.

    Parameters
    ----------
    summary
        Rows of `FederatedSummary` of one dataset.
    rounds
        Rows of `Rounds` of all folds of each run, by its name.
    """
    rows = summary[summary["metric"] == "uar"].sort_values(["value", "run"], ascending=[False, True])
    order, central = list(rows["run"]), set(rows.loc[rows["model_type"] == CENTRAL, "run"])
    styles = {run: (COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]) for place, run in enumerate(order)}
    with house_style():
        figure = new_figure(FULL_WIDTH, max(2.6, 1.1 + 0.26 * len(rows)))
        ranking, curves = figure.subplots(1, 2, width_ratios=[1.15, 1])
        _draw_ranking(ranking, rows.reset_index(drop=True), styles)
        for run in order:
            colour, marker = styles[run]
            mean = rounds[run].dropna(subset="dev_uar").groupby("round")["dev_uar"].mean()
            dashed = (0, (4, 2)) if run in central else "solid"
            every = max(1, len(mean) // 6)
            curves.plot(
                mean.index, 100 * mean, color=colour, linewidth=1.2, linestyle=dashed, marker=marker, markersize=3.5,
                markevery=every,
            )  # fmt: skip
        curves.set_xlabel("round")
        curves.set_title("Clients' validation UAR (%)")
        curves.grid(axis="y", color=LIGHT, linewidth=0.5)
        set_title(figure, ", ".join(summary["dataset"].unique()))
    return figure


def _draw_ranking(axes: Axes, rows: pd.DataFrame, styles: Mapping[str, tuple[str, str]]) -> None:
    for place, row in rows.iterrows():
        colour, marker = styles[row["run"]]
        y = float(str(place))
        if np.isfinite(row["low"]):
            axes.plot([100 * row["low"], 100 * row["high"]], [y, y], color=colour, linewidth=1.4)
        axes.plot(100 * row["value"], y, marker, color=colour, markersize=5)
        axes.annotate(
            f"{percent(row['value'])} [{percent(row['low'])}, {percent(row['high'])}]"
            if np.isfinite(row["low"])
            else percent(row["value"]),
            (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=7, color=INK, annotation_clip=False,
        )  # fmt: skip
    chance = 100 * rows["chance"].iloc[0]
    axes.axvline(chance, color=GREY, linestyle=(0, (4, 3)), linewidth=0.8, zorder=0)
    axes.annotate(
        "chance", (chance, 1), xycoords=("data", "axes fraction"), xytext=(2, -2), textcoords="offset points",
        fontsize=6.5, color=GREY, va="top",
    )  # fmt: skip
    # Whoever sees the figure alone is to see what a run guarantees, also where its name does not say it.
    names = [", ".join(filter(None, [row["run"], epsilon_in_words(row)])) for row in rows.to_dict("records")]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    whom = "speakers" if (rows["backbone"] != "").any() else "examples"
    axes.set_xlabel(f"UAR (%) of held-out {whom}, 95 % interval")
    axes.set_title("Test")


def _draw_lines(axes: Axes, rounds: pd.DataFrame, column: str, colour: str, label: str) -> None:
    there = rounds.dropna(subset=column)
    for _, rows in there.groupby("fold"):
        axes.plot(rows["round"], rows[column], color=colour, linewidth=0.5, alpha=0.35)
    mean = there.groupby("round")[column].mean()
    axes.plot(mean.index, mean, color=colour, linewidth=1.6, label=label)


def _draw_spread(axes: Axes, judged: pd.DataFrame) -> None:
    by_round = judged.groupby("round")["accuracy"]
    low, middle, high = (by_round.quantile(share) for share in (BAND[0], 0.5, BAND[1]))
    axes.fill_between(low.index, low, high, color=ORANGE, alpha=0.25, linewidth=0, label="from the 10th to the 90th %")
    held = judged["examples"].median()
    axes.plot(middle.index, middle, color=ORANGE, linewidth=1.6, label=f"median client, of {held:.0f} examples")
    axes.set_ylim(0, 1)
