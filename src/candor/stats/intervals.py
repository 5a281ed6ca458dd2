"""Intervals for figures from few speakers, whose utterances are alike.

The interval is a delete-one-speaker jackknife on the logit scale with a Student t quantile. How it was chosen:
`docs/intervals.md`; the simulation behind it: `benchmarks/interval_coverage.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

FloatArray = NDArray[np.float64]

#: A figure between 0 and 1 from confusion counts: `[..., classes, classes]` to `[...]`.
Statistic = Callable[[FloatArray], FloatArray]

_EPSILON = 1e-12


@dataclass(frozen=True)
class Interval:
    """A figure with its confidence interval.

    Parameters
    ----------
    value
        The figure.
    low, high
        The interval; NaN where one speaker alone leaves nothing to estimate it from.
    speakers
        Number of speakers behind it.
    """

    value: float
    low: float
    high: float
    speakers: int


def speaker_interval(counts: FloatArray, statistic: Statistic, level: float = 0.95) -> Interval:
    r"""Return `statistic` of all speakers together, with an interval for other speakers of the same population.

    With :math:`\hat\theta` the statistic of the counts summed over speakers, averaged over seeds, and
    :math:`\hat\theta_{(s)}` the same without speaker :math:`s`, the interval is

    .. math::

        \operatorname{logit}^{-1}\!\left(\operatorname{logit}\hat\theta
        \pm t_{\nu}\,\frac{\hat\sigma}{\hat\theta(1-\hat\theta)}\right),\qquad
        \hat\sigma^2 = \frac{S-1}{S}\sum_s\bigl(\hat\theta_{(s)} - \bar\theta_{(\cdot)}\bigr)^2,\qquad
        \nu = \frac{(\sum_s n_s)^2}{\sum_s n_s^2} - 1

    with :math:`n_s` the utterances of speaker :math:`s`. The degrees of freedom are :math:`S-1` where all speakers
    have equally many utterances, and fewer where some dominate.

    Parameters
    ----------
    counts
        Confusion counts `[speakers, seeds, classes, classes]`, truth in rows. Speakers without utterances are left out.
    statistic
        The figure, between 0 and 1.
    level
        Nominal coverage.

    Returns
    -------
    Interval
        One speaker: the value, without an interval. A value of exactly 1 (or 0): the open side is that of the same
        counts with one utterance turned wrong (or right), the one that moves the figure furthest; the other side
        is the value itself. A figure that no utterance moves, as the UAR of a model that says one class, has an
        interval of zero width.

    References
    ----------
    .. [1] B. Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", SIAM, 1982, chapter 3.
    .. [2] L. Kish, "Survey Sampling", Wiley, 1965, for the effective number of unequal clusters.
    """
    counts = np.asarray(counts, dtype=np.float64)
    counts = counts[counts.sum(axis=(1, 2, 3)) > 0]
    if len(counts) == 0:
        raise ValueError("an interval needs at least one speaker with utterances")
    value = float(statistic(counts.sum(axis=0)).mean())
    if len(counts) == 1:
        return Interval(value, np.nan, np.nan, 1)
    if value > 1 - _EPSILON:
        lows = [_limits(turned, statistic, level)[0] for turned in one_turned(counts, right=False)]
        return Interval(value, min(lows, default=value), value, len(counts))
    if value < _EPSILON:
        highs = [_limits(turned, statistic, level)[1] for turned in one_turned(counts, right=True)]
        return Interval(value, value, max(highs, default=value), len(counts))
    low, high = _limits(counts, statistic, level)
    return Interval(value, low, high, len(counts))


def jackknife_error(counts: FloatArray, statistic: Statistic) -> float:
    """Return the standard error of `statistic` by leaving out one speaker at a time."""
    without = counts.sum(axis=0) - counts
    return error_of(statistic(without).mean(axis=-1))


def error_of(without: FloatArray) -> float:
    """Return the standard error of a figure, from its values without each speaker."""
    speakers = len(without)
    return float(np.sqrt((speakers - 1) / speakers * ((without - without.mean()) ** 2).sum()))


def effective_speakers(utterances: FloatArray) -> float:
    """Return how many speakers with equally many utterances those with so many are worth (Kish)."""
    return float(utterances.sum() ** 2 / (utterances**2).sum())


def quantile(utterances: FloatArray, level: float = 0.95) -> float:
    """Return how many standard errors an interval over speakers with so many utterances reaches to either side."""
    return float(stdtrit(max(effective_speakers(utterances) - 1, 1.0), 0.5 + level / 2))


def _limits(counts: FloatArray, statistic: Statistic, level: float) -> tuple[float, float]:
    value = float(statistic(counts.sum(axis=0)).mean())
    if not _EPSILON < value < 1 - _EPSILON:
        return value, value
    error = jackknife_error(counts, statistic)
    if error < _EPSILON:
        # Speakers that are all alike by chance are no proof that others would be; what is left is binomial error.
        error = utterance_error(counts, statistic)
    reach = quantile(counts.sum(axis=(1, 2, 3)), level) * error / (value * (1 - value))
    return float(expit(logit(value) - reach)), float(expit(logit(value) + reach))


def utterance_error(counts: FloatArray, statistic: Statistic) -> float:
    """Return the standard error as if each utterance had its own speaker, by leaving out one at a time."""
    total = counts.sum(axis=0)
    cells = np.eye(total.shape[-1] ** 2).reshape(-1, 1, *total.shape[1:])
    without = total - np.minimum(cells, total)
    shifts = statistic(without) - statistic(total)
    number = np.moveaxis(total.reshape(len(total), -1), 0, 1)
    return float(np.sqrt((number * shifts**2).sum(axis=0)).mean())


def one_turned(counts: FloatArray, *, right: bool) -> Iterator[FloatArray]:
    """Yield the counts with one utterance of one class turned right or wrong in all seeds, for each class."""
    classes = counts.shape[-1]
    for label in range(classes):
        rows = counts[:, :, label]
        speaker = int(rows.sum(axis=(1, 2)).argmax())
        turned = counts.copy()
        for seed in range(counts.shape[1]):
            wrong = np.delete(np.arange(classes), label)
            other = int(wrong[rows[speaker, seed, wrong].argmax()]) if right else (label + 1) % classes
            source, target = (other, label) if right else (label, other)
            if rows[speaker, seed, source] >= 1:
                turned[speaker, seed, label, source] -= 1
                turned[speaker, seed, label, target] += 1
        if not np.array_equal(turned, counts):
            yield turned
