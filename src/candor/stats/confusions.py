"""Counts of what is true and what was said, and the shares that are right.

Counts are `[..., classes, classes]` with the truth in rows and what was said in columns; leading axes are kept. A class
without true utterances has no recall, so the unweighted average leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from candor.stats.intervals import FloatArray


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


def count_hits(hit: NDArray[np.bool_], codes: Sequence[NDArray[np.intp]], shape: Sequence[int]) -> FloatArray:
    """Count what is a hit and what is not, `[*shape, 2, 2]`.

    They stand in the first row of a table of two classes, hits on its diagonal, so that its accuracy is their share.

    Parameters
    ----------
    hit
        What is one.
    codes, shape
        As for `count_confusions`, without the classes.
    """
    missed = np.where(hit, 0, 1)
    return count_confusions([*codes, np.zeros_like(missed), missed], [*shape, 2, 2])


def accuracy(counts: FloatArray) -> FloatArray:
    """Return the share of utterances recognised (in the field also *weighted accuracy*, WA)."""
    return ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))


def recall(counts: FloatArray) -> FloatArray:
    """Return the share of each class's utterances that is recognised; 0 for a class that does not occur."""
    return ratio(right(counts), counts.sum(axis=-1))


def uar(counts: FloatArray) -> FloatArray:
    """Return the unweighted average recall over the classes that occur.

    References
    ----------
    .. [1] B. Schuller, S. Steidl, A. Batliner, "The INTERSPEECH 2009 Emotion Challenge", Interspeech 2009.
    """
    return mean_over_occurring(recall(counts), counts)


def right(counts: FloatArray) -> FloatArray:
    """Return how many utterances of each class are right."""
    return np.diagonal(counts, axis1=-2, axis2=-1)


def mean_over_occurring(per_class: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the mean of figures of classes over those that occur in the truth."""
    occurs = counts.sum(axis=-1) > 0
    return ratio((per_class * occurs).sum(axis=-1), occurs.sum(axis=-1).astype(np.float64))


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return a share; 0 of nothing."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
