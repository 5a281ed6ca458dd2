r"""What is compared between groups: rates of confusion counts, or of sums over ratings, group by group.

Each function takes sums `[…, groups, …]` and returns rates `[…, groups, classes, sides]` as `candor.stats.gaps` takes
them, NaN where a group has none. With :math:`g` the group, :math:`y` what is true and :math:`\hat y` what is said:

=========================  =====================================================================================
demographic parity         :math:`P(\hat y=c\mid g)` for each class
statistical parity         total variation between :math:`P(\hat y\mid g)` of two groups; as the greatest difference in
                           :math:`P(\hat y\in A\mid g)` over sets :math:`A` of classes, which is the same
equality of opportunity    :math:`P(\hat y=c\mid y=c,g)`, the recall, for each class
equalised odds             the same and :math:`P(\hat y=c\mid y\ne c,g)`; the greater difference of the two counts
UAR                        the mean recall over the classes that all groups have
CCC, MAE                   of arousal and valence
=========================  =====================================================================================

References
----------
.. [1] M. Hardt, E. Price, N. Srebro, "Equality of opportunity in supervised learning", NeurIPS 2016.
.. [2] C. Dwork et al., "Fairness through awareness", ITCS 2012, for the distance between distributions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from candor.stats.intervals import FloatArray

Rates = Callable[[FloatArray], FloatArray]


def demographic_parity(counts: FloatArray) -> FloatArray:
    """Return how often each class is said."""
    return _said(counts)[..., None]


def statistical_parity(counts: FloatArray) -> FloatArray:
    """Return how often one of each set of classes is said; the widest difference is the total variation distance."""
    return (_said(counts) @ _sets(counts.shape[-1]).T)[..., None, :]


def equality_of_opportunity(counts: FloatArray) -> FloatArray:
    """Return the recall of each class."""
    return _recalls(counts)[..., None]


def equalised_odds(counts: FloatArray) -> FloatArray:
    """Return the recall of each class, and how often it is said of others."""
    spoken, said = counts.sum(axis=-1), counts.sum(axis=-2)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    others = spoken.sum(axis=-1, keepdims=True) - spoken
    return np.stack([_ratio(right, spoken), _ratio(said - right, others)], axis=-1)


def uar_over(common: np.ndarray) -> Rates:
    """Return the function for the mean recall over some classes.

    Parameters
    ----------
    common
        Which classes.
    """

    def rates(counts: FloatArray) -> FloatArray:
        recalls = _recalls(counts)[..., common]
        return recalls.mean(axis=-1)[..., None, None] if common.any() else np.full((*counts.shape[:-2], 1, 1), np.nan)

    return rates


def balanced(counts: FloatArray, shares: FloatArray) -> FloatArray:
    """Return confusion counts as they would be if every group spoke the classes in the same shares.

    Direct standardisation: what is said of each class stays as it is in the group. What groups differ in then is not
    that one of them speaks more of a class.

    Parameters
    ----------
    counts
        `[…, groups, classes, classes]`.
    shares
        The share of each class, 0 for those to be left out.
    """
    spoken = counts.sum(axis=-1, keepdims=True)
    return _ratio(counts, np.broadcast_to(spoken, counts.shape), nothing=0.0) * shares[:, None]


def ccc_of_sums(sums: FloatArray) -> FloatArray:
    """Return the concordance of what is foretold with the ratings, averaged over seeds."""
    number, p, t, pp, tt, pt = np.moveaxis(sums[..., :6], -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_p, mean_t = p / number, t / number
        covariance = pt / number - mean_p * mean_t
        spread = pp / number - mean_p**2 + tt / number - mean_t**2 + (mean_p - mean_t) ** 2
        value = np.where(spread > 0, 2 * covariance / spread, np.where(number > 0, 0.0, np.nan))
    return np.asarray(value.mean(axis=-1)[..., None, None])


def mae_of_sums(sums: FloatArray) -> FloatArray:
    """Return the mean absolute error, averaged over seeds."""
    return np.asarray(_ratio(sums[..., 6], sums[..., 0]).mean(axis=-1)[..., None, None])


def gini(values: FloatArray) -> FloatArray:
    r"""Return the Gini coefficient along the last axis: 0 where all are equal, towards 1 where one has all.

    .. math:: G = \frac{\sum_i\sum_j |x_i - x_j|}{2 n^2 \bar x}
    """
    ordered = np.sort(values, axis=-1)
    number = values.shape[-1]
    weights = 2 * np.arange(1, number + 1) - number - 1
    return _ratio((ordered * weights).sum(axis=-1), number * ordered.sum(axis=-1), nothing=0.0)


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


def _said(counts: FloatArray) -> FloatArray:
    return _ratio(counts.sum(axis=-2), counts.sum(axis=(-2, -1))[..., None])


def _recalls(counts: FloatArray) -> FloatArray:
    return _ratio(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))


@cache
def _sets(classes: int) -> FloatArray:
    """Return every set of classes, once: of a set and the rest only the one with the first class; not all classes."""
    numbers = np.arange(1, 2 ** (classes - 1)) if classes > 1 else np.zeros(1, dtype=int)
    return ((numbers[:, None] >> np.arange(classes)) & 1).astype(np.float64)


def _ratio(part: FloatArray, whole: FloatArray, nothing: float = np.nan) -> FloatArray:
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, nothing), where=whole > 1e-9))
