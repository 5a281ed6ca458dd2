"""Logistic regression, on coordinates that stand for any number of an update's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_sample_weight

from candor.leakage.attackers.attacker import Lesson, Taught, log_odds, means_over
from candor.leakage.updates import Float32, Numbers
from candor.stats.intervals import FloatArray

FREEDOMS = (0.01, 0.1, 1.0, 10.0)
"""How little weights are held back, scikit-learn's C. The one is taken by which people held out are told best."""

FREEDOMS_UNDER_NOISE = (*FREEDOMS, 100.0, 1000.0)
"""On the scale of what is noised, what is not is small, and takes larger weights."""

STEPS = 2000


@dataclass(frozen=True)
class Logistic:
    """A regression whose weights are held back by their square; values of the attribute weigh the same.

    How much they are held back is what tells people best who were held out, part by part of all shadow people; then it
    learns from all of them.

    Who knows of a defence that noises updates learns from shadow updates before their noise: noise that is learned
    from ends up in the weights. It is by noised ones, as the victims' are, that he chooses.

    Parameters
    ----------
    shadow, victims
        What is seen of updates, [updates, coordinates], in which inner products are those of the updates. Being linear,
        it says of a mean of updates the mean of what it says of each.
    sent
        The shadow updates as they were sent, where they were noised.
    """

    shadow: Float32 | FloatArray
    victims: Float32 | FloatArray
    sent: Float32 | FloatArray | None = None

    def learn(self, lesson: Lesson, seed: int, like: Taught | None = None) -> Taught:
        """Return the regression after a lesson; nothing is random in it."""
        if isinstance(like, _TaughtLogistic):
            nobody = lesson.both[:0]
            return self._taught(lesson, like.freedom, nobody, np.empty((0, lesson.classes)))
        offered = FREEDOMS if self.sent is None else FREEDOMS_UNDER_NOISE
        told = [self._of_held_out(lesson, freedom) for freedom in offered]
        losses = [_loss(own, lesson.labels[lesson.both]) for own in told]
        best = int(np.argmin(losses))
        return self._taught(lesson, offered[best], lesson.both, told[best])

    def _of_held_out(self, lesson: Lesson, freedom: float) -> FloatArray:
        """Return what is said of all shadow updates by who has not learned from their people, [updates, classes]."""
        seen = self.shadow if self.sent is None else self.sent
        parts = lesson.parts[lesson.both]
        told = np.empty((len(parts), lesson.classes))
        for part in np.unique(parts):
            left = lesson.both[parts != part]
            own = _fitted(self.shadow[left], lesson.labels[left], freedom)
            told[parts == part] = log_odds(own.decision_function(seen[lesson.both[parts == part]]))
        return told

    def _taught(self, lesson: Lesson, freedom: float, held_out: Numbers, told: FloatArray) -> Taught:
        own = _fitted(self.shadow[lesson.both], lesson.labels[lesson.both], freedom)
        return _TaughtLogistic(log_odds(own.decision_function(self.victims)), freedom, held_out, told)


@dataclass(frozen=True)
class _TaughtLogistic:
    of_victims: FloatArray
    freedom: float
    held_out: Numbers
    told: FloatArray

    def of_held_out(self) -> FloatArray:
        return self.told

    def of_means(self, groups: Sequence[Numbers]) -> FloatArray:
        # A regression is linear: what it says of a mean is the mean of what it says.
        return means_over(self.of_victims, groups)


def _fitted(values: Any, labels: Any, freedom: float) -> Any:
    return LogisticRegression(C=freedom, class_weight="balanced", max_iter=STEPS).fit(values, labels)


def _loss(odds: FloatArray, labels: Any) -> float:
    weights = compute_sample_weight("balanced", labels)
    return float(log_loss(labels, softmax(odds, axis=1), sample_weight=weights, labels=range(odds.shape[1])))
