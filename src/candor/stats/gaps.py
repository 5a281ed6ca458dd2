"""How far groups differ, at most and on average, with intervals that hold for all comparisons at once.

A figure is laid out as rates `[…, groups, classes, sides]`, NaN where a group has none. Two groups differ in a class by
the greatest of the differences over its sides; over pairs of groups and classes the greatest or the mean is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from candor.stats.intervals import FloatArray

How = Literal["max", "mean"]

_BLOCK = 2**21
"""Numbers that are worked on at once."""


@dataclass(frozen=True)
class Gap:
    """A gap between groups with its interval, and between which groups it is widest.

    Parameters
    ----------
    value
        The gap; NaN where nothing can be compared.
    low, high
        The interval; NaN where a group has one speaker.
    widest
        The two groups that differ most, the one with the higher rate first, and the class in which they do.
    """

    value: float
    low: float
    high: float
    widest: tuple[int, int, int] | None


def gap(rates: FloatArray, how: How) -> FloatArray:
    """Return the gap, without the last three axes.

    Parameters
    ----------
    rates
        `[…, groups, classes, sides]`.
    how
        ``max`` for the worst case over pairs of groups and classes, ``mean`` for the average over both.
    """
    if how == "max":
        spread = np.fmax.reduce(rates, axis=-3) - np.fmin.reduce(rates, axis=-3)
        return np.asarray(np.fmax.reduce(spread.reshape(*spread.shape[:-2], -1), axis=-1))
    total, number = np.zeros(rates.shape[:-3]), np.zeros(rates.shape[:-3])
    for first, second in _pairs(rates.shape[-3], int(np.prod(rates.shape)) // rates.shape[-3]):
        apart = np.abs(rates[..., first, :, :] - rates[..., second, :, :])
        by_class = np.fmax.reduce(apart, axis=-1)
        there = ~np.isnan(by_class)
        total += np.where(there, by_class, 0.0).sum(axis=(-2, -1))
        number += there.sum(axis=(-2, -1))
    return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)


def gap_interval(
    rates: FloatArray,
    variance: Callable[[np.ndarray, np.ndarray], FloatArray],
    freedom: Callable[[np.ndarray, np.ndarray], FloatArray],
    how: How,
    level: float = 0.95,
) -> Gap:
    r"""Return the gap with an interval for other speakers of the same groups.

    With :math:`\hat\delta_k` the differences between groups, one per pair, class and side, :math:`m` of them, all
    intervals

    .. math:: |\hat\delta_k| \pm t_{\nu_k,\,1-\alpha_m/2}\,\hat\sigma_k, \qquad \alpha_m = 1-(1-\alpha)^{1/m}

    hold at once with probability of at least :math:`1-\alpha` (Šidák). So the greatest and the mean of their lower
    ends, cut off at 0, and of their upper ends bound the greatest and the mean of the true differences, whichever
    differences came out as the greatest in the sample.

    Parameters
    ----------
    rates
        `[groups, classes, sides]`.
    variance
        Returns the variance of the differences between these groups, `[pairs, classes, sides]`; NaN without any.
    freedom
        Returns the degrees of freedom of these variances, in a shape that broadcasts.
    how
        As for `gap`.
    level
        Nominal coverage.

    References
    ----------
    .. [1] Z. Šidák, "Rectangular confidence regions for the means of multivariate normal distributions", JASA 62, 1967.
    """
    value = float(gap(rates, how))
    if np.isnan(value):
        return Gap(np.nan, np.nan, np.nan, None)
    each = rates.shape[1] * rates.shape[2]
    pairs = list(_pairs(len(rates), each))
    number = sum(int((~np.isnan(rates[first] - rates[second])).sum()) for first, second in pairs)
    share = (1 - (1 - (1 - level)) ** (1 / max(number, 1))) / 2
    lows, highs, counted = [], [], 0
    for first, second in pairs:
        apart = np.abs(rates[first] - rates[second])
        reach = stdtrit(freedom(first, second), 1 - share) * np.sqrt(variance(first, second))
        if np.isnan(reach[~np.isnan(apart)]).any():
            return Gap(value, np.nan, np.nan, widest(rates))
        low = np.fmax.reduce(np.maximum(apart - reach, 0.0), axis=-1)
        high = np.fmax.reduce(np.minimum(apart + reach, 1.0) if _bounded(rates) else apart + reach, axis=-1)
        there = ~np.isnan(low)
        lows.append(_taken(low[there], how))
        highs.append(_taken(high[there], how))
        counted += int(there.sum())
    if how == "max":
        return Gap(value, max(lows), max(highs), widest(rates))
    return Gap(value, sum(lows) / counted, sum(highs) / counted, widest(rates))


def widest(rates: FloatArray) -> tuple[int, int, int] | None:
    """Return the groups with the highest and the lowest rate, and the class, where these lie furthest apart.

    Parameters
    ----------
    rates
        `[groups, classes, sides]`.
    """
    spread = np.fmax.reduce(rates, axis=0) - np.fmin.reduce(rates, axis=0)
    if np.isnan(spread).all():
        return None
    place = np.unravel_index(int(np.nanargmax(spread)), spread.shape)
    own = rates[:, place[0], place[1]]
    return int(np.nanargmax(own)), int(np.nanargmin(own)), int(place[0])


def _bounded(rates: FloatArray) -> bool:
    """Tell whether these are shares, whose differences cannot exceed one."""
    return bool(np.nanmin(rates) >= 0 and np.nanmax(rates) <= 1)


def _taken(values: FloatArray, how: How) -> float:
    if how == "max":
        return float(values.max(initial=0.0))
    return float(values.sum())


def _pairs(groups: int, each: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return every two groups, as many at a time as fit into memory at `each` numbers per group."""
    first, second = np.array(list(combinations(range(groups), 2)), dtype=np.intp).reshape(-1, 2).T
    at_once = max(1, _BLOCK // max(each, 1))
    return [(first[at : at + at_once], second[at : at + at_once]) for at in range(0, len(first), at_once)]
