"""How well classes are recognised: metrics of confusion counts.

Each function takes counts `[..., classes, classes]` with the truth in rows and what was predicted in columns, and keeps
the leading axes. A class without true utterances has no recall, so the macro averages leave it out: they equal
scikit-learn's with ``labels=`` the classes that occur in the truth and ``zero_division=0``.
"""

from __future__ import annotations

import numpy as np

from candor.stats.confusions import accuracy, mean_over_occurring, ratio, right, uar
from candor.stats.intervals import FloatArray, Statistic


def precision(counts: FloatArray) -> FloatArray:
    """Return the share of each class's predictions that is right; 0 for a class that is never predicted."""
    return ratio(right(counts), counts.sum(axis=-2))


def f1(counts: FloatArray) -> FloatArray:
    """Return the harmonic mean of precision and recall of each class; 0 where neither occurs."""
    return ratio(2 * right(counts), counts.sum(axis=-1) + counts.sum(axis=-2))


def macro_f1(counts: FloatArray) -> FloatArray:
    """Return the mean F1 over the classes that occur."""
    return mean_over_occurring(f1(counts), counts)


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
