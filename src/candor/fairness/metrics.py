r"""What is compared between groups: rates of confusion counts, or of sums over ratings, group by group.

Each function takes sums `[…, groups, …]` and returns rates `[…, groups, classes, sides]` as `candor.stats.gaps` takes
them, NaN where a group has none. With :math:`g` the group, :math:`y` what is true and :math:`\hat y` what is said:

=========================  =====================================================================================
demographic parity         :math:`P(\hat y=c\mid g)` for each class
statistical parity         total variation between :math:`P(\hat y\mid g)` of two groups: half the sum of the
                           differences over classes
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

import numpy as np

from candor.stats.intervals import FloatArray

Rates = Callable[[FloatArray], FloatArray]


def demographic_parity(counts: FloatArray) -> FloatArray:
    """Return how often each class is said."""
    return _said(counts)[..., None]


def statistical_parity(counts: FloatArray) -> FloatArray:
    """Return how often each class is said, as the sides of one comparison, to be added up (`HALF_SUM`)."""
    return _said(counts)[..., None, :]


def over_sets(shares: FloatArray) -> FloatArray:
    """Return the share of each set of classes, of shares of classes on the last axis.

    Every set but that of all classes; of a set and the rest, which differ by the same, only one.
    """
    classes = shares.shape[-1]
    sets = (np.arange(1, max(2, 2 ** (classes - 1)))[:, None] >> np.arange(classes)) & 1
    return np.asarray(shares @ sets.T.astype(np.float64))


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


def noise_of_said(counts: FloatArray) -> FloatArray:
    r"""Return :math:`p_c(1-p_c)/n_g` for how often each class is said, with :math:`p_c` of all groups together."""
    pooled = _said(counts.sum(axis=-3, keepdims=True))
    return np.asarray(pooled * (1 - pooled) / _positive(counts.sum(axis=(-2, -1)))[..., None])


def noise_of_recalls(counts: FloatArray) -> FloatArray:
    r"""Return :math:`r_c(1-r_c)/n_{gc}` for the recall of each class, with :math:`r_c` of all groups together."""
    pooled = _recalls(counts.sum(axis=-3, keepdims=True))
    return np.asarray(pooled * (1 - pooled) / _positive(counts.sum(axis=-1)))


def noise_of_odds(counts: FloatArray) -> FloatArray:
    """Return the same for recalls, and for how often each class is said of others."""
    whole = counts.sum(axis=-3, keepdims=True)
    others = counts.sum(axis=(-2, -1))[..., None] - counts.sum(axis=-1)
    falsely = equalised_odds(whole)[..., 1]
    return np.stack([noise_of_recalls(counts), falsely * (1 - falsely) / _positive(others)], axis=-1)


def noise_of_uar(common: np.ndarray) -> Rates:
    """Return the function for the noise of `uar_over`."""

    def noise(counts: FloatArray) -> FloatArray:
        each = noise_of_recalls(counts)[..., common]
        return np.asarray(each.sum(axis=-1)[..., None, None] / max(int(common.sum()), 1) ** 2)

    return noise


def noise_of_balanced(shares: FloatArray, kind: str) -> Rates:
    r"""Return the function for the noise of rates of `balanced` counts, :math:`\sum_y w_y^2 q_{yc}(1-q_{yc})/n_{gy}`.

    Parameters
    ----------
    shares
        As `balanced` takes them.
    kind
        ``said`` for how often each class is said, ``odds`` for recalls and how often each is said of others.
    """

    def noise(counts: FloatArray) -> FloatArray:
        whole = counts.sum(axis=-3, keepdims=True)
        q = _ratio(whole, np.broadcast_to(whole.sum(axis=-1, keepdims=True), whole.shape), nothing=0.0)
        cells = q * (1 - q) / _positive(counts.sum(axis=-1))[..., None]
        weights = np.broadcast_to(shares[:, None], cells.shape[-2:])
        if kind == "said":
            return np.asarray((weights**2 * cells).sum(axis=-2))
        others = np.where(np.eye(len(shares)) > 0, 0.0, weights / np.maximum(1 - shares, 1e-9))
        falsely = (others**2 * cells).sum(axis=-2)
        return np.stack([np.diagonal(cells, axis1=-2, axis2=-1), falsely], axis=-1)

    return noise


def noise_of_number(sums: FloatArray) -> FloatArray:
    """Return one over the number of utterances, to which the noise of CCC and MAE is in proportion."""
    return np.asarray(1 / _positive(sums[..., 0, 0])[..., None, None])


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


def _said(counts: FloatArray) -> FloatArray:
    return _ratio(counts.sum(axis=-2), counts.sum(axis=(-2, -1))[..., None])


def _recalls(counts: FloatArray) -> FloatArray:
    return _ratio(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))


def _positive(numbers: FloatArray) -> FloatArray:
    return np.where(numbers > 0, numbers, np.nan)


def _ratio(part: FloatArray, whole: FloatArray, nothing: float = np.nan) -> FloatArray:
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, nothing), where=whole > 1e-9))
