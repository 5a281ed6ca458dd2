"""How unequally speakers are served, each of whom has a figure of their own, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.special import stdtrit

from candor.stats.intervals import FloatArray

_SMALLEST = 1e-9
_NORMAL_SAMPLES = 4_000


def gini(values: FloatArray) -> FloatArray:
    r"""Return the Gini coefficient along the last axis: 0 where all are equal, towards 1 where one has all.

    .. math:: G = \frac{\sum_i\sum_j |x_i - x_j|}{2 n^2 \bar x}
    """
    ordered = np.sort(values, axis=-1)
    number = values.shape[-1]
    weights = 2 * np.arange(1, number + 1) - number - 1
    return _share((ordered * weights).sum(axis=-1), number * ordered.sum(axis=-1))


def below_the_mean(values: FloatArray) -> FloatArray:
    """Return how far the worst tenth, at least one, lies below the mean along the last axis."""
    worst = max(1, round(values.shape[-1] / 10))
    return np.asarray(values.mean(axis=-1) - np.sort(values, axis=-1)[..., :worst].mean(axis=-1))


def deviation(values: FloatArray) -> FloatArray:
    """Return the standard deviation along the last axis."""
    return np.asarray(values.std(axis=-1, ddof=1))


SPREADS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "uar_sd": deviation,
    "uar_gini": gini,
    "uar_worst_decile": below_the_mean,
}
"""How unequally speakers are served, of the UAR of each; by the names in the table."""


def spread_interval(values: FloatArray, metric: str, level: float = 0.95) -> tuple[float, float]:
    """Return an interval of a spread for other speakers of the same population, on the logarithm with Student's t.

    The error is that of a delete-one jackknife. Of the worst tenth, with few speakers a single one, a jackknife knows
    too little; there it is that of as many values from a normal distribution, which does not depend on its scale.

    Parameters
    ----------
    values
        The figure of each speaker.
    metric
        One of `SPREADS`.
    level
        Nominal coverage.
    """
    number, spread = len(values), SPREADS[metric]
    if number < 3:
        return np.nan, np.nan
    if spread is below_the_mean:
        error = _error_of_normal(number)
    else:
        without = np.log(np.maximum([spread(np.delete(values, one)) for one in range(number)], _SMALLEST))
        error = float(np.sqrt((number - 1) / number * ((without - without.mean()) ** 2).sum()))
    value = float(np.log(max(float(spread(values)), _SMALLEST)))
    reach = float(stdtrit(number - 1, 0.5 + level / 2)) * error
    return float(np.exp(value - reach)), min(float(np.exp(value + reach)), 1.0)


@cache
def _error_of_normal(number: int) -> float:
    """Return how much the logarithm of the worst tenth's distance varies between samples of a normal distribution."""
    samples = np.random.default_rng(0).standard_normal((_NORMAL_SAMPLES, number))
    return float(np.log(np.maximum(below_the_mean(samples), _SMALLEST)).std())


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > _SMALLEST))
