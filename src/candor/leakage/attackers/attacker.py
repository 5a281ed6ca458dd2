"""What every attacker does: learn from some updates, and say what others show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from candor.leakage.updates import Numbers
from candor.stats.intervals import FloatArray

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Lesson:
    """What an attacker is taught: shadow updates by number, and what he is told of whose they are.

    Parameters
    ----------
    train, dev
        Updates to learn from, and those of other people, by which a choice is made.
    labels
        The attribute of every shadow update, as a code.
    classes
        How many values it has.
    parts
        Into which of several parts its person falls, of every shadow update: one part after the other may be held out.
    """

    train: Numbers
    dev: Numbers
    labels: Codes
    classes: int
    parts: Codes

    @property
    def both(self) -> Numbers:
        """Return all that may be learned from in the end."""
        return np.concatenate([self.train, self.dev])


class Taught(Protocol):
    """An attacker after a lesson."""

    @property
    def held_out(self) -> Numbers:
        """Shadow updates of people whom he had not learned from when he looked at them."""
        ...

    def of_held_out(self) -> FloatArray:
        """Return log odds of these, [updates, classes]; there is none where nothing was held out."""
        ...

    def of_means(self, groups: Sequence[Numbers]) -> FloatArray:
        """Return log odds of means over victims' updates, [groups, classes], up to what all classes share."""
        ...


class Attacker(Protocol):
    """Reads off one layer, or all."""

    def learn(self, lesson: Lesson, seed: int, like: Taught | None = None) -> Taught:
        """Return the attacker after a lesson.

        Parameters
        ----------
        lesson
            What he is taught.
        seed
            Of all that is random.
        like
            The same attacker after another lesson, from whom he may take over what else he would have to choose.
        """
        ...


def log_odds(decisions: FloatArray) -> FloatArray:
    """Return decisions of a classifier as log odds of each class; of two classes it gives those of the second alone.

    >>> log_odds(np.array([2.0, -1.0])).tolist()
    [[0.0, 2.0], [0.0, -1.0]]
    """
    return np.column_stack([np.zeros_like(decisions), decisions]) if decisions.ndim == 1 else decisions


def means_over(values: FloatArray, groups: Sequence[Numbers]) -> FloatArray:
    """Return the mean of some rows for each group, [groups, ...]."""
    return np.stack([values[group].mean(axis=0) for group in groups])
