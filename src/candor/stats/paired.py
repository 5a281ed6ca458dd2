"""How far two systems differ that were tested on the same utterances, and whether chance could explain it.

Both were heard on the same speakers, so what makes a speaker hard cancels out of the difference. The interval is a
delete-one-speaker jackknife of the difference, the test swaps the systems speaker by speaker; how often both are right
is simulated by `benchmarks/paired_coverage.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from candor.stats.intervals import (
    FloatArray,
    Interval,
    Statistic,
    jackknife_error,
    one_turned,
    quantile,
    utterance_error,
)

#: Up to so many speakers every way of swapping is tried; above, a random sample of them.
EXACT_SPEAKERS = 14

#: Random swaps where there are too many to try them all.
DRAWS = 9_999

_EPSILON = 1e-10
_BLOCK = 2**18


def paired_interval(first: FloatArray, second: FloatArray, statistic: Statistic, level: float = 0.95) -> Interval:
    r"""Return how far `statistic` of the first system exceeds that of the second, with an interval for other speakers.

    With :math:`\hat\delta` the difference of the statistics of all speakers together, each averaged over seeds, and
    :math:`\hat\delta_{(s)}` the same without speaker :math:`s`, the interval is

    .. math::

        \hat\delta \pm t_{\nu}\,\hat\sigma,\qquad
        \hat\sigma^2 = \frac{S-1}{S}\sum_s\bigl(\hat\delta_{(s)} - \bar\delta_{(\cdot)}\bigr)^2,\qquad
        \nu = \frac{(\sum_s n_s)^2}{\sum_s n_s^2} - 1

    cut off at -1 and 1, with :math:`n_s` the utterances of speaker :math:`s`. For an accuracy and equally many
    utterances of each speaker it is the interval of Student's paired t test on the speakers' accuracies.

    Parameters
    ----------
    first, second
        Confusion counts `[speakers, seeds, classes, classes]` of the same utterances, truth in rows, speakers in the
        same order. The systems may differ in their number of seeds.
    statistic
        The figure, between 0 and 1.
    level
        Nominal coverage.

    Returns
    -------
    Interval
        One speaker: the difference, without an interval. Systems with equal counts: as wide as if one utterance had
        made a difference, about 3/n as by the rule of three. Speakers who all show the same difference by chance:
        the error is that of independent utterances.

    Raises
    ------
    ValueError
        If the counts are not those of the same utterances.
    """
    first, second = _alongside(first, second)
    value = float((statistic(first.sum(axis=0)) - statistic(second.sum(axis=0))).mean())
    if len(first) == 1:
        return Interval(value, np.nan, np.nan, 1)
    if np.allclose(first, second, rtol=0, atol=_EPSILON):
        turned = [other for right in (False, True) for other in one_turned(first, right=right)]
        reach = max((abs(end) for other in turned for end in _limits(other, second, statistic, level)), default=0.0)
        return Interval(value, -reach, reach, len(first))
    low, high = _limits(first, second, statistic, level)
    return Interval(value, low, high, len(first))


def paired_interval_of_sums(
    first: FloatArray, second: FloatArray, statistic: Statistic, utterances: FloatArray, level: float = 0.95
) -> Interval:
    """Return the interval of `paired_interval` for any sums over utterances that a figure can be computed from.

    It is not cut off, and as wide as the speakers differ, even where they do not.

    Parameters
    ----------
    first, second
        Sums `[speakers, seeds, sums]` over the same utterances, speakers in the same order, with equally many seeds.
    statistic
        The figure: sums `[…, sums]` to `[…]`.
    utterances
        How many each speaker has.
    level
        Nominal coverage.
    """

    def difference(both: FloatArray) -> FloatArray:
        return statistic(both[..., 0, :]) - statistic(both[..., 1, :])

    both = np.stack([first, second], axis=2)
    value = float(difference(both.sum(axis=0)).mean())
    if len(both) == 1:
        return Interval(value, np.nan, np.nan, 1)
    reach = quantile(utterances, level) * jackknife_error(both, difference)
    return Interval(value, value - reach, value + reach, len(both))


def swap_test(first: FloatArray, second: FloatArray, statistic: Statistic, draws: int = DRAWS, seed: int = 0) -> float:
    """Return the two-sided p value of the difference between two systems if they were interchangeable.

    Were they, then who is called first could be decided for each speaker by a coin, without a change in distribution.
    So the systems' predictions are swapped for some of the speakers, all seeds of a speaker together, and the
    difference is compared with those after all such swaps: all 2^S of them up to `EXACT_SPEAKERS` speakers, `draws`
    random ones above, where the p value is (b + 1) / (draws + 1) with b of them as far from zero.

    Parameters
    ----------
    first, second, statistic
        As for `paired_interval`.
    draws
        Random swaps where there are too many to try them all.
    seed
        Seed of these.

    Returns
    -------
    float
        The p value; NaN for one speaker, who would give 1 whatever the systems do.

    References
    ----------
    .. [1] B. Phipson, G. K. Smyth, "Permutation P-values should never be zero", Statistical Applications in Genetics
       and Molecular Biology 9, 2010.
    """
    return swap_sums(*_alongside(first, second), statistic, draws, seed)


def swap_sums(first: FloatArray, second: FloatArray, statistic: Statistic, draws: int = DRAWS, seed: int = 0) -> float:
    """Return the p value of `swap_test` for any sums over utterances that a figure can be computed from.

    Parameters
    ----------
    first, second
        Sums `[speakers, seeds, …]` over the same utterances, speakers in the same order, with equally many seeds.
    statistic
        The figure: sums `[…, seeds, …]` to `[…, seeds]`.
    draws, seed
        As for `swap_test`.
    """
    speakers = len(first)
    if speakers == 1:
        return np.nan
    totals = first.sum(axis=0), second.sum(axis=0)
    observed = abs(float((statistic(totals[0]) - statistic(totals[1])).mean()))
    gaps = (first - second).reshape(speakers, -1)
    extreme = tried = 0
    for swapped in _swaps(speakers, draws, seed, rows=max(1, _BLOCK // gaps.shape[1])):
        # Counts of one cell lie side by side in memory for all swaps, over which numpy sums several times faster.
        moved = np.moveaxis((gaps.T @ swapped.T).reshape(*first.shape[1:], -1), -1, 0)
        differences = (statistic(totals[0] - moved) - statistic(totals[1] + moved)).mean(axis=1)
        extreme += int(np.count_nonzero(np.abs(differences) >= observed - _EPSILON))
        tried += len(swapped)
    return extreme / tried if speakers <= EXACT_SPEAKERS else (extreme + 1) / (tried + 1)


def least_p(speakers: int, draws: int = DRAWS) -> float:
    """Return the smallest p value that `swap_test` can give for so many speakers."""
    return 2 / 2**speakers if speakers <= EXACT_SPEAKERS else 1 / (draws + 1)


def holm(p: Sequence[float] | FloatArray) -> FloatArray:
    """Return p values adjusted for being one of many, by Holm's step-down rule; NaN stays and does not count.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6,
       1979.
    """
    adjusted = np.array(p, dtype=np.float64)
    order = np.argsort(adjusted, kind="stable")[: np.count_nonzero(~np.isnan(adjusted))]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * adjusted[order]), 1)
    return adjusted


def _alongside(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the counts of both systems for those who speak, with equally many seeds."""
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    truth = first[:, :1].sum(axis=-1)
    if len(first) != len(second) or not all(np.allclose(counts.sum(axis=-1), truth) for counts in (first, second)):
        raise ValueError("both systems must be tested on the same utterances, with every seed")
    spoken = first.sum(axis=(1, 2, 3)) > 0
    if not spoken.any():
        raise ValueError("a comparison needs at least one speaker with utterances")
    seeds = np.lcm(first.shape[1], second.shape[1])
    one, other = (np.tile(counts[spoken], (1, seeds // counts.shape[1], 1, 1)) for counts in (first, second))
    return one, other


def _limits(first: FloatArray, second: FloatArray, statistic: Statistic, level: float) -> tuple[float, float]:
    def difference(both: FloatArray) -> FloatArray:
        return statistic(both[..., 0, :, :]) - statistic(both[..., 1, :, :])

    both = np.stack([first, second], axis=2)
    value = float(difference(both.sum(axis=0)).mean())
    error = jackknife_error(both, difference)
    if error < _EPSILON:
        error = float(np.hypot(utterance_error(first, statistic), utterance_error(second, statistic)))
    reach = quantile(first.sum(axis=(1, 2, 3)), level) * error
    return max(value - reach, -1.0), min(value + reach, 1.0)


def _swaps(speakers: int, draws: int, seed: int, rows: int) -> Iterator[FloatArray]:
    """Yield blocks of swaps `[rows, speakers]`, 1 where the systems change places.

    Of all swaps, half are enough: swapping everybody else instead turns the sign of the difference only.
    """
    if speakers <= EXACT_SPEAKERS:
        numbers, bits = np.arange(2 ** (speakers - 1)), np.arange(speakers)
        for start in range(0, len(numbers), rows):
            yield (numbers[start : start + rows, None] >> bits & 1).astype(np.float64)
    else:
        rng = np.random.default_rng(seed)
        for start in range(0, draws, rows):
            yield (rng.random((min(rows, draws - start), speakers)) < 0.5).astype(np.float64)
