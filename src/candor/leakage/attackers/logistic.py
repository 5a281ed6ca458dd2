"""Logistic regression, on coordinates that stand for any number of an update's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_sample_weight

from candor.leakage.attackers.attacker import Lesson, Taught, log_odds, means_over
from candor.leakage.updates import Float32, Numbers
from candor.stats.intervals import FloatArray

FREEDOMS = (0.01, 0.1, 1.0, 10.0)
"""How little weights are held back, scikit-learn's C. The one with the lowest loss on dev is taken."""

FREEDOMS_UNDER_NOISE = (*FREEDOMS, 100.0, 1000.0)
"""On the scale of what is noised, what is not is small, and takes larger weights."""

STEPS = 2000


@dataclass(frozen=True)
class Logistic:
    """A regression whose weights are held back by their square; values of the attribute weigh the same.

    Once it is chosen how much they are held back, it learns from dev as well, which is of shadow people too.

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
        train, dev, labels = lesson.train, lesson.dev, lesson.labels
        offered, chosen_by = (FREEDOMS, self.shadow) if self.sent is None else (FREEDOMS_UNDER_NOISE, self.sent)
        freedoms = [like.freedom] if isinstance(like, _TaughtLogistic) else offered
        tried = [_fitted(self.shadow[train], labels[train], freedom) for freedom in freedoms]
        losses = [_loss(own, chosen_by[dev], labels[dev]) for own in tried]
        best = int(np.argmin(losses))
        both = np.concatenate([train, dev])
        final = _fitted(self.shadow[both], labels[both], freedoms[best])
        on_dev, on_victims = (
            log_odds(own.decision_function(values))
            for own, values in ((tried[best], chosen_by[dev]), (final, self.victims))
        )
        return _TaughtLogistic(on_dev, on_victims, freedoms[best])


@dataclass(frozen=True)
class _TaughtLogistic:
    on_dev: FloatArray
    on_victims: FloatArray
    freedom: float

    def dev(self) -> FloatArray:
        return self.on_dev

    def of_means(self, groups: Sequence[Numbers]) -> FloatArray:
        # A regression is linear: what it says of a mean is the mean of what it says.
        return means_over(self.on_victims, groups)


def _fitted(values: Any, labels: Any, freedom: float) -> Any:
    return LogisticRegression(C=freedom, class_weight="balanced", max_iter=STEPS).fit(values, labels)


def _loss(regression: Any, values: Any, labels: Any) -> float:
    weights = compute_sample_weight("balanced", labels)
    chances = regression.predict_proba(values)
    return float(log_loss(labels, chances, sample_weight=weights, labels=regression.classes_))
