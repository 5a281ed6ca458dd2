"""How well classes are recognised: metrics of confusion counts.

Each function takes counts `[..., classes, classes]` with the truth in rows and what was predicted in columns, and keeps
the leading axes. A class without true utterances has no recall, so the macro averages leave it out: they equal
scikit-learn's with ``labels=`` the classes that occur in the truth and ``zero_division=0``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from candor.stats.intervals import FloatArray, Statistic


def count_confusions(codes: Sequence[NDArray[np.intp]], shape: Sequence[int]) -> FloatArray:
    """Count how often each combination of codes occurs.

    Parameters
    ----------
    codes
        One array of codes per axis, the last two of them the true and the predicted class.
    shape
        Number of codes of each axis.

    Returns
    -------
    array of `shape`
    """
    flat = np.ravel_multi_index(tuple(codes), tuple(shape))
    return np.bincount(flat, minlength=int(np.prod(shape))).astype(np.float64).reshape(tuple(shape))


def accuracy(counts: FloatArray) -> FloatArray:
    """Return the share of utterances recognised (in the field also *weighted accuracy*, WA)."""
    return _ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))


def recall(counts: FloatArray) -> FloatArray:
    """Return the share of each class's utterances that is recognised; 0 for a class that does not occur."""
    return _ratio(_right(counts), counts.sum(axis=-1))


def precision(counts: FloatArray) -> FloatArray:
    """Return the share of each class's predictions that is right; 0 for a class that is never predicted."""
    return _ratio(_right(counts), counts.sum(axis=-2))


def f1(counts: FloatArray) -> FloatArray:
    """Return the harmonic mean of precision and recall of each class; 0 where neither occurs."""
    return _ratio(2 * _right(counts), counts.sum(axis=-1) + counts.sum(axis=-2))


def uar(counts: FloatArray) -> FloatArray:
    """Return the unweighted average recall over the classes that occur.

    References
    ----------
    .. [1] B. Schuller, S. Steidl, A. Batliner, "The INTERSPEECH 2009 Emotion Challenge", Interspeech 2009.
    """
    return _mean_over_occurring(recall(counts), counts)


def macro_f1(counts: FloatArray) -> FloatArray:
    """Return the mean F1 over the classes that occur."""
    return _mean_over_occurring(f1(counts), counts)


#: The metrics of the summary, by their names there.
METRICS: dict[str, Statistic] = {"uar": uar, "accuracy": accuracy, "macro_f1": macro_f1}


def chance(counts: FloatArray, statistic: Statistic) -> float:
    """Return what the better of two models that hear nothing would reach.

    One guesses each of the classes equally often, the other always says the most frequent one.

    Parameters
    ----------
    counts
        Confusion counts `[classes, classes]`; only the numbers of true utterances matter.
    statistic
        The metric.
    """
    occurring = counts.sum(axis=-1)
    uniform = np.repeat(occurring[:, None] / len(occurring), len(occurring), axis=1)
    majority = np.zeros_like(uniform)
    majority[:, occurring.argmax()] = occurring
    return float(max(statistic(uniform), statistic(majority)))


def _right(counts: FloatArray) -> FloatArray:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def _mean_over_occurring(per_class: FloatArray, counts: FloatArray) -> FloatArray:
    occurs = counts.sum(axis=-1) > 0
    return _ratio((per_class * occurs).sum(axis=-1), occurs.sum(axis=-1).astype(np.float64))


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
