"""How well scores tell two kinds of things apart: ROC curve, area, equal error rate, hits at few false alarms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from candor.stats.intervals import FloatArray

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Curve:
    """A ROC curve, from (0, 0) to (1, 1): one point per threshold.

    Parameters
    ----------
    false_alarms, hits
        Share of negatives and of positives whose score is at or above the threshold.
    """

    false_alarms: FloatArray
    hits: FloatArray

    def area(self) -> float:
        """Return the area below it: how often a positive scores above a negative, ties counting half.

        References
        ----------
        .. [1] J. A. Hanley, B. J. McNeil, "The meaning and use of the area under a ROC curve", Radiology 143, 1982.
        """
        return float(np.trapezoid(self.hits, self.false_alarms))

    def equal_error(self) -> float:
        """Return the rate at which as many negatives are taken for positives as positives are missed.

        Between two thresholds the curve is a straight line.
        """
        apart = self.false_alarms - (1 - self.hits)
        after = int(np.argmax(apart >= 0))
        before = max(after - 1, 0)
        rise = apart[after] - apart[before]
        share = -apart[before] / rise if rise > 0 else 0.0
        return float(self.false_alarms[before] + share * (self.false_alarms[after] - self.false_alarms[before]))

    def hits_at(self, false_alarms: float | FloatArray) -> FloatArray:
        """Return the share of positives that is found at so many false alarms, on a straight line between points."""
        rates = np.atleast_1d(np.asarray(false_alarms, dtype=np.float64))
        after = np.searchsorted(self.false_alarms, rates, side="right")
        before = after - 1
        after = np.minimum(after, len(self.hits) - 1)
        run = self.false_alarms[after] - self.false_alarms[before]
        share = np.divide(rates - self.false_alarms[before], run, out=np.zeros_like(rates), where=run > 0)
        return np.asarray(self.hits[before] + share * (self.hits[after] - self.hits[before]))


class Ranked:
    """Scores in their order, sorted once, so that curves without some of them take no second sorting.

    Parameters
    ----------
    scores
        Higher for what is taken for a positive.
    positive
        What is one.
    """

    def __init__(self, scores: FloatArray, positive: Flags) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._positive = positive[self._order]
        self._last_of_tie = np.append(ordered[1:] != ordered[:-1], True)

    def curve(self, kept: Flags | None = None) -> Curve | None:
        """Return the curve of some of the scores; None where positives or negatives are lacking.

        Parameters
        ----------
        kept
            Which, in the order they were given in; None for all.
        """
        there = np.ones(len(self._order), dtype=bool) if kept is None else kept[self._order]
        hits = np.cumsum(self._positive & there)[self._last_of_tie]
        alarms = np.cumsum(~self._positive & there)[self._last_of_tie]
        if not len(hits) or not hits[-1] or not alarms[-1]:
            return None
        return Curve(np.append(0.0, alarms / alarms[-1]), np.append(0.0, hits / hits[-1]))
