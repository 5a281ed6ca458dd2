"""The printed figure of ratings: what models foretell beside what listeners said."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from candor.figures import BLUE, FULL_WIDTH, GREY, VERMILION, house_style, new_figure, set_title
from candor.performance.caveats import caveats_of
from candor.performance.ratings import RatingEvaluation


def rating_figure(evaluation: RatingEvaluation, title: str) -> Figure:
    """Draw the rating foretold over the true one, a point per test utterance, with the line on which both agree.

    Predictions are averaged over seeds.
    """
    predictions, metrics = evaluation.predictions, evaluation.metrics.set_index("metric")
    limits = [min(predictions["value"].min(), predictions["predicted"].min())]
    limits += [max(predictions["value"].max(), predictions["predicted"].max())]
    with house_style():
        figure = new_figure(FULL_WIDTH / 2, FULL_WIDTH / 2)
        axes = figure.subplots()
        axes.plot(limits, limits, color=GREY, linestyle="--", linewidth=0.8)
        opacity = float(np.clip(200 / len(predictions), 0.03, 0.6))
        axes.plot(predictions["value"], predictions["predicted"], "o", color=BLUE, markersize=2, alpha=opacity)
        axes.set_xlabel("rated by listeners")
        axes.set_ylabel("foretold, mean over seeds")
        axes.set_aspect("equal", adjustable="box")
        row = metrics.loc["ccc"]
        axes.set_title(
            f"CCC {row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}], MAE {metrics.loc['mae']['value']:.2f}"
        )
        set_title(figure, title)
        caveat = caveats_of({"backbone": "the backbone", **evaluation.metrics.to_dict("records")[0]})
        if caveat:
            figure.supxlabel(caveat, x=0.008, ha="left", fontsize=7.5, color=VERMILION)
    return figure
