"""The lengths at which operations are counted, and the mean over all utterances that follows from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

COUNTED = 25
"""Lengths at most; a system is run once for each."""


def counted_lengths(samples: ArrayLike, most: int = COUNTED) -> list[int]:
    """Return lengths of a dataset's utterances: half dense where many are, half spread evenly to the longest.

    Few utterances are long, but attention takes the square of their length.

    Parameters
    ----------
    samples
        The length of each utterance.
    most
        How many are returned at most. Where there are no more different ones, all are.

    Examples
    --------
    >>> counted_lengths([3, 1, 2, 2])
    [1, 2, 3]
    >>> counted_lengths([10] * 50 + [*range(10, 110)], most=5)
    [10, 34, 43, 76, 109]
    """
    ordered = np.sort(np.asarray(samples))
    different = np.unique(ordered)
    if len(different) <= most:
        return [int(length) for length in different]
    common = ordered[np.linspace(0, len(ordered) - 1, most - most // 2).round().astype(int)]
    even = np.linspace(different[0], different[-1], most // 2 + 2)[1:-1]
    spread = different[np.abs(different[:, None] - even).argmin(axis=0)]
    return [int(length) for length in np.union1d(common, spread)]


def mean_over(samples: ArrayLike, lengths: Sequence[int], counts: Sequence[int]) -> float:
    """Return the mean count over utterances, on straight lines between the lengths that were counted.

    Parameters
    ----------
    samples
        The length of each utterance, none outside of `lengths`.
    lengths
        Rising lengths.
    counts
        What was counted at each.

    Examples
    --------
    >>> mean_over([1, 2, 3], [1, 3], [10, 30])
    20.0
    """
    return float(np.interp(np.asarray(samples, dtype=float), lengths, np.asarray(counts, dtype=float)).mean())
