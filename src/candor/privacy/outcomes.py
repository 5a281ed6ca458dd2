"""From what attackers say to figures with their intervals, beside the control, and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from candor.privacy.contests import Contests, Figure
from candor.privacy.names import BEYOND, EER, NOT_ATTACKED, NOT_BEYOND, TOO_FEW
from candor.stats.intervals import FloatArray, Interval, Statistic, speaker_interval
from candor.stats.jackknife import jackknife_interval, paired_jackknife
from candor.stats.paired import paired_interval

Row = dict[str, Any]

NUMBERS = (
    *("value", "low", "high", "chance", "control", "control_low", "control_high"),
    *("difference", "difference_low", "difference_high", "fold_mean", "fold_sd", "dev"),
    *("utterances", "speakers", "folds", "left_out"),
)


@dataclass(frozen=True)
class What:
    """Which attack a row tells of: on what, on which states, by whom, in which figure, and what he read."""

    attribute: str
    source: str
    attacker: str
    metric: str
    reads: str

    def row(self, **facts: Any) -> Row:
        """Return the row; what is not told stays blank."""
        names = {"attribute": self.attribute, "source": self.source, "attacker": self.attacker, "metric": self.metric}
        return {**names, **dict.fromkeys(NUMBERS), "reads": self.reads, "verdict": "", "note": "", **facts}

    def without(self, reason: str, left_out: int | None = None) -> Row:
        """Return the row of an attack that there is not."""
        return self.row(verdict=f"{NOT_ATTACKED}: {reason}", left_out=left_out)


@dataclass(frozen=True)
class Counted:
    """What an attacker says of the utterances of all folds, counted.

    Parameters
    ----------
    real, control
        Counts `[speakers, seeds, classes, classes]`, truth in rows.
    by_fold
        The figure of each fold, averaged over seeds.
    utterances
        How many were tested.
    """

    real: FloatArray
    control: FloatArray
    by_fold: Sequence[float]
    utterances: int


def counted_row(
    what: What, counted: Counted, statistic: Statistic, chance: float, left_out: int, note: str = ""
) -> Row:
    """Return the row of a share that is counted: the higher, the more leaks."""
    value, control = (speaker_interval(counts, statistic) for counts in (counted.real, counted.control))
    apart = paired_interval(counted.real, counted.control, statistic)
    return what.row(
        **three(value, control, apart),
        **spread(counted.by_fold),
        chance=chance,
        utterances=counted.utterances,
        speakers=value.speakers,
        left_out=left_out,
        verdict=verdict(value, apart, chance, lower=False),
        note=note,
    )


def equally_heavy(shares: FloatArray, utterances: FloatArray) -> FloatArray:
    """Return counts in which every speaker weighs the same, so that the accuracy is the mean of the speakers'.

    Parameters
    ----------
    shares
        Of each speaker and seed, how much is right, `[speakers, seeds]`.
    utterances
        How many each speaker has.
    """
    each = utterances.mean()
    counts = np.zeros((*shares.shape, 2, 2))
    counts[:, :, 0, 0], counts[:, :, 0, 1] = each * shares, each * (1 - shares)
    return counts


def contest_row(
    what: What, contests: Contests, figure: Figure, chance: float, utterances: FloatArray, left_out: int, note: str = ""
) -> Row:
    """Return the row of a figure of scores.

    Parameters
    ----------
    what
        Which attack.
    contests
        The scores.
    figure
        The figure of one ROC curve, a number.
    chance
        What scores that say nothing give.
    utterances
        How many of each speaker who is there were tested.
    left_out, note
        As in the table.
    """
    own, control, apart = contest_intervals(contests, figure, utterances)
    return what.row(
        **three(own, control, apart),
        **spread(contests.by_fold(figure)),
        chance=chance,
        utterances=int(utterances.sum()),
        speakers=int((utterances > 0).sum()),
        left_out=left_out,
        verdict=verdict(own, apart, chance, lower=what.metric == EER),
        note=note,
    )


def contest_intervals(
    contests: Contests, figure: Figure, utterances: FloatArray
) -> tuple[Interval, Interval, Interval]:
    """Return a figure of scores, that of the control, and by how much the first exceeds the second.

    Parameters
    ----------
    contests
        The scores.
    figure
        The figure of one ROC curve, a number.
    utterances
        How many of each speaker who is there were tested.
    """
    step = 1 / max(float(utterances.sum()), 1.0)
    value, without = contests.figure(figure)
    beside, beside_without = contests.figure(figure, control=True)
    return (
        jackknife_interval(float(value), without, utterances, step),
        jackknife_interval(float(beside), beside_without, utterances, step),
        paired_jackknife(float(value - beside), without - beside_without, utterances, step),
    )


def verdict(value: Interval, apart: Interval, chance: float, *, lower: bool) -> str:
    """Say whether more is read off than by chance and than from labels that mean nothing, both by intervals.

    Parameters
    ----------
    value
        The figure.
    apart
        By how much it exceeds the control's.
    chance
        What an attacker who hears nothing reaches.
    lower
        Whether a low figure is the leak, as for the error rate of verification.
    """
    if np.isnan(value.low) or np.isnan(apart.low):
        return TOO_FEW
    beyond = value.high < chance and apart.high < 0 if lower else value.low > chance and apart.low > 0
    return BEYOND if beyond else NOT_BEYOND


def three(value: Interval, control: Interval, apart: Interval) -> Row:
    """Return the cells of a figure, of the control's, and of their difference, each with its interval."""
    parts = {"": value, "control": control, "difference": apart}
    return {
        key: number
        for name, own in parts.items()
        for key, number in (
            (name or "value", own.value),
            (f"{name}_low" if name else "low", own.low),
            (f"{name}_high" if name else "high", own.high),
        )
    }


def spread(by_fold: Sequence[float]) -> Row:
    """Return the cells that tell how a figure differs from fold to fold, and how many folds have one."""
    sd = float(np.std(by_fold, ddof=1)) if len(by_fold) > 1 else None
    return {"fold_mean": float(np.mean(by_fold)) if len(by_fold) else None, "fold_sd": sd, "folds": len(by_fold)}
