"""Membership inference: whether a model's loss tells the utterances it was trained on from those it never heard.

The attacker takes for members what the model has a low loss on [1]_. Members are the utterances of a fold's train part,
the others those of its test part; dev is neither, as it chose the epoch.

References
----------
.. [1] S. Yeom et al., "Privacy risk in machine learning: analyzing the connection to overfitting", CSF 2018.
.. [2] N. Carlini et al., "Membership inference attacks from first principles", IEEE S&P 2022, for hits at few false
   alarms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from candor.privacy.contests import Contest, Contests
from candor.privacy.names import AUC, DEALINGS, FALSE_ALARMS, MEMBERSHIP, OUTPUTS, THRESHOLD, TPR
from candor.privacy.outcomes import Row, What, contest_row
from candor.privacy.ranking import Curve
from candor.stats.intervals import FloatArray
from candor.stats.jackknife import jackknife_interval

READS = "loss of the outputs"
ROUNDING = 1e-9
GRID = np.unique(np.concatenate([np.geomspace(0.002, 1.0, 41), np.linspace(0.0, 1.0, 21), [FALSE_ALARMS]]))
"""False alarms at which the mean curve is drawn; below the first but 0, no corpus has enough others."""

FIGURES: dict[str, Callable[[Curve], float]] = {
    AUC: Curve.area,
    TPR: lambda curve: float(curve.hits_at(FALSE_ALARMS)[0]),
}


def chance_of(metric: str, contests: Contests) -> float:
    r"""Return what scores that say nothing reach, on average over models as figures are.

    Of :math:`n` others, :math:`k = \lfloor n/100\rfloor` may be taken for members. Hits are then those above the
    :math:`k+1`-th other: :math:`(k+1)/(n+1)` of the members, which is 1 % only where others are many.

    Parameters
    ----------
    metric
        The figure.
    contests
        The scores.
    """
    if metric != TPR:
        return 0.5
    others = np.array([own.weight(None) for own in contests.each])
    taken = np.floor(FALSE_ALARMS * others + ROUNDING)
    return float(np.average((taken + 1) / (others + 1), weights=others)) if others.any() else FALSE_ALARMS


def member_rows(fold: int, seed: int, table: pd.DataFrame, clusters: pd.Series[str], losses: FloatArray) -> list[Row]:
    """Return the rows of `MemberLosses` of one model."""
    facts = zip(table["utterance"], clusters, table["part"], losses.tolist(), strict=True)
    return [
        {"utterance": name, "speaker": speaker, "fold": fold, "seed": seed, "member": _member(part), "loss": loss}
        for name, speaker, part, loss in facts
        if part != "dev"
    ]


def _member(part: str) -> str:
    return "yes" if part == "train" else "no"


def contests_of(losses: pd.DataFrame) -> tuple[Contests, FloatArray]:
    """Return the scores of all models, and how many utterances each speaker was tested with, once per seed at most.

    Parameters
    ----------
    losses
        Rows of `MemberLosses`.
    """
    names = sorted(set(losses["speaker"]))
    contests = Contests()
    for (fold, seed), own in losses.groupby(["fold", "seed"], sort=True):
        run = [int(str(fold)), int(str(seed))]
        speakers = pd.Index(names).get_indexer(pd.Index(own["speaker"]))
        member = (own["member"] == "yes").to_numpy()
        random = np.random.default_rng(run)
        dealt = [random.permutation(member) for _ in range(DEALINGS)]
        scores = -own["loss"].to_numpy(dtype=np.float64)
        contests.each.append(Contest.of(scores, member, dealt, speakers, speakers, ~member, run[0]))
    others = losses[losses["member"] == "no"].drop_duplicates(["utterance", "fold"])
    number = others["speaker"].value_counts()
    return contests, np.array([number.get(names[code], 0) for code in contests.present()], dtype=np.float64)


def membership_rows(contests: Contests, number: FloatArray) -> list[Row]:
    """Return the rows of area and of hits at few false alarms.

    Parameters
    ----------
    contests, number
        As `contests_of` returns them.
    """
    return [
        contest_row(
            What(MEMBERSHIP, OUTPUTS, THRESHOLD, metric, READS),
            contests,
            figure,
            chance_of(metric, contests),
            number,
            0,
        )
        for metric, figure in FIGURES.items()
    ]


def curve_rows(contests: Contests, number: FloatArray) -> Iterator[dict[str, Any]]:
    """Yield the rows of `MembershipCurve`: hits at each share of false alarms, on average over models.

    Parameters
    ----------
    contests, number
        As `contests_of` returns them.

    References
    ----------
    .. [1] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006, section 10.1.
    """
    step = 1 / max(float(number.sum()), 1.0)
    whole, without_each = contests.figure(_on_grid)
    # Where no contest has a curve there is one NaN instead of one per rate.
    hits, control = (np.broadcast_to(own, GRID.shape) for own in (whole, contests.whole(_on_grid, control=True)))
    without = np.broadcast_to(without_each.T, (len(GRID), len(number)))
    for rate, value, others, beside in zip(GRID.tolist(), hits.tolist(), without, control.tolist(), strict=True):
        found = jackknife_interval(value, others, number, step)
        yield {
            "false_alarms": rate, "hits": value, "low": found.low, "high": found.high, "control": beside
        }  # fmt: skip


def _on_grid(curve: Curve) -> FloatArray:
    return curve.hits_at(GRID)
