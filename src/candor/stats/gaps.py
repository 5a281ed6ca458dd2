"""How far groups differ, at most and on average, with intervals that hold for all comparisons at once.

A figure is laid out as rates `[…, groups, classes, sides]`, NaN where a group has none. Two groups differ in a class by
the greatest of the differences over its sides, or by half their sum; over pairs of groups and classes the greatest or
the mean is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from candor.stats.intervals import FloatArray

How = Literal["max", "mean"]
Norm = Literal["max", "half sum"]

_BLOCK = 2**20
"""Numbers that are worked on at once."""

_QUANTILES = 2_000

_SMALLEST = 1e-12


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


def gap(rates: FloatArray, how: How, norm: Norm = "max", noise: FloatArray | None = None) -> FloatArray:
    """Return the gap, without the last three axes; NaN where fewer than two groups have a rate.

    Parameters
    ----------
    rates
        `[…, groups, classes, sides]`.
    how
        ``max`` for the worst case over pairs of groups and classes, ``mean`` for the average over both.
    norm
        How far two groups differ in a class: ``max`` for the greatest difference over its sides, ``half sum`` for half
        of their sum, which is the total variation where the sides are the shares of a distribution.
    noise
        The variance of each rate by its number of utterances alone. Differences are then counted in standard errors, so
        that those of few utterances, which are wide by chance, do not outweigh the others.
    """
    if noise is None and norm == "max" and how == "max":
        spread = _spread(rates, axis=-3)
        return np.asarray(np.fmax.reduce(spread.reshape(*spread.shape[:-2], -1), axis=-1))
    if noise is None and norm == "max" and rates.shape[-1] == 1:
        return _mean_over_pairs(rates[..., 0])
    best, total, number = (np.full(rates.shape[:-3], fill) for fill in (np.nan, 0.0, 0.0))
    for first, second in _pairs(rates.shape[-3], rates[..., :1, :, :].size):
        apart = np.abs(rates[..., first, :, :] - rates[..., second, :, :])
        by_class = _together(apart, norm)
        if noise is not None:
            by_class = _in_errors(apart, noise[..., first, :, :] + noise[..., second, :, :], norm)
        there = ~np.isnan(by_class)
        best = np.fmax(best, np.fmax.reduce(by_class.reshape(*by_class.shape[:-2], -1), axis=-1))
        total += np.where(there, by_class, 0.0).sum(axis=(-2, -1))
        number += there.sum(axis=(-2, -1))
    if how == "max":
        return best
    return np.asarray(np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0))


def gap_interval(
    rates: FloatArray,
    variance: Callable[[np.ndarray, np.ndarray], FloatArray],
    freedom: Callable[[np.ndarray, np.ndarray], FloatArray],
    how: How,
    norm: Norm = "max",
    most: float = np.inf,
    level: float = 0.95,
) -> Gap:
    r"""Return the gap with an interval for other speakers of the same groups.

    With :math:`\hat\delta_k` the differences between groups, one per pair, class and side, :math:`m` of them, all
    intervals

    .. math:: |\hat\delta_k| \pm t_{\nu_k,\,1-\alpha_m/2}\,\hat\sigma_k, \qquad \alpha_m = 1-(1-\alpha)^{1/m}

    hold at once with probability of at least :math:`1-\alpha` (Šidák). So the gap of their lower ends, cut off at 0,
    and that of their upper ends bound the gap of the true differences, whichever came out as the greatest.

    Parameters
    ----------
    rates
        `[groups, classes, sides]`.
    variance
        Returns the variance of the differences between these groups, `[pairs, classes, sides]`; NaN without any.
    freedom
        Returns the degrees of freedom of these variances, in a shape that broadcasts.
    how, norm
        As for `gap`.
    most
        The widest gap that there can be.
    level
        Nominal coverage.

    References
    ----------
    .. [1] Z. Šidák, "Rectangular confidence regions for the means of multivariate normal distributions", JASA 62, 1967.
    """
    value = float(gap(rates, how, norm))
    if np.isnan(value):
        return Gap(np.nan, np.nan, np.nan, None)
    pairs = list(_pairs(len(rates), rates[0].size))
    number = sum(int((~np.isnan(rates[first] - rates[second])).sum()) for first, second in pairs)
    share = 1 - (1 - (1 - level)) ** (1 / max(number, 1))
    ends: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    for first, second in pairs:
        apart = np.abs(rates[first] - rates[second])
        reach = _quantile(freedom(first, second), share) * np.sqrt(variance(first, second))
        if np.isnan(reach[~np.isnan(apart)]).any():
            return Gap(value, np.nan, np.nan, widest(rates, norm))
        for kept, end in zip(ends, (np.maximum(apart - reach, 0.0), apart + reach), strict=True):
            by_class = np.minimum(_together(end, norm), most)
            there = by_class[~np.isnan(by_class)]
            kept.append(there if how == "mean" else there.max(initial=0.0, keepdims=True))
    low, high = (np.concatenate(kept) for kept in ends)
    combined = np.max if how == "max" else np.mean
    return Gap(value, float(combined(low)), float(combined(high)), widest(rates, norm))


def widest(rates: FloatArray, norm: Norm = "max") -> tuple[int, int, int] | None:
    """Return the groups that lie furthest apart, the one with the higher rate first, and the class in which they do.

    Parameters
    ----------
    rates
        `[groups, classes, sides]`.
    norm
        As for `gap`; with ``half sum``, where neither group is the higher one, in the order of the groups.
    """
    if norm == "max":
        spread = _spread(rates, axis=0)
        if np.isnan(spread).all():
            return None
        label, side = np.unravel_index(int(np.nanargmax(spread)), spread.shape)
        own = rates[:, label, side]
        return int(np.nanargmax(own)), int(np.nanargmin(own)), int(label)
    best = (-1.0, 0, 0, 0)
    for first, second in _pairs(len(rates), rates[0].size):
        by_class = np.nan_to_num(_together(np.abs(rates[first] - rates[second]), norm), nan=-1.0)
        pair, label = np.unravel_index(int(by_class.argmax()), by_class.shape)
        best = max(best, (float(by_class[pair, label]), int(first[pair]), int(second[pair]), int(label)))
    return best[1:] if best[0] >= 0 else None


def _together(apart: FloatArray, norm: Norm) -> FloatArray:
    """Return how far two groups differ in each class, from how far they do in each side of it."""
    return np.asarray(np.fmax.reduce(apart, axis=-1) if norm == "max" else apart.sum(axis=-1) / 2)


def _in_errors(apart: FloatArray, noise: FloatArray, norm: Norm) -> FloatArray:
    """Return how far two groups differ in each class, in standard errors."""
    if norm == "max":
        return _together(apart / np.sqrt(np.maximum(noise, _SMALLEST)), norm)
    return np.asarray(_together(apart, norm) / np.sqrt(np.maximum(noise.sum(axis=-1), _SMALLEST)))


def _spread(rates: FloatArray, axis: int) -> FloatArray:
    """Return the greatest difference between groups; NaN where fewer than two have a rate."""
    apart = np.fmax.reduce(rates, axis=axis) - np.fmin.reduce(rates, axis=axis)
    return np.where((~np.isnan(rates)).sum(axis=axis) > 1, apart, np.nan)


def _mean_over_pairs(rates: FloatArray) -> FloatArray:
    """Return the mean difference over pairs of groups and classes, `[…, groups, classes]`, without forming pairs."""
    ordered = np.sort(rates, axis=-2)  # NaN come last
    number = (~np.isnan(rates)).sum(axis=-2, keepdims=True)
    weights = 2 * np.arange(1, rates.shape[-2] + 1)[:, None] - number - 1
    total = np.where(np.isnan(ordered), 0.0, weights * ordered).sum(axis=(-2, -1))
    pairs = (number * (number - 1) / 2).sum(axis=(-2, -1))
    return np.asarray(np.divide(total, pairs, out=np.full_like(total, np.nan), where=pairs > 0))


def _quantile(freedom: FloatArray, share: float) -> FloatArray:
    """Return the two-sided quantile of Student's t; of many degrees of freedom by interpolation, to save time."""
    freedom = np.asarray(freedom, dtype=np.float64)
    if freedom.size <= _QUANTILES:
        return np.asarray(stdtrit(freedom, 1 - share / 2))
    inverse, quantiles = _table(share)
    return np.asarray(np.interp(1 / freedom, inverse, quantiles))


@cache
def _table(share: float) -> tuple[FloatArray, FloatArray]:
    inverse = np.linspace(0.0, 1.0, _QUANTILES)
    with np.errstate(divide="ignore"):
        return inverse, np.asarray(stdtrit(1 / inverse, 1 - share / 2))


def _pairs(groups: int, each: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield every two groups, as many at a time as fit into memory at `each` numbers per pair."""
    first, second = np.array(list(combinations(range(groups), 2)), dtype=np.intp).reshape(-1, 2).T
    at_once = max(1, _BLOCK // max(each, 1))
    for start in range(0, len(first), at_once):
        yield first[start : start + at_once], second[start : start + at_once]
