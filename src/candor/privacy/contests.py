"""Scores of models, which ROC curves are of, and figures of these as a whole and without each speaker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from candor.privacy.people import Codes
from candor.privacy.ranking import Curve, Flags, Ranked
from candor.stats.intervals import FloatArray

Figure = Callable[[Curve], float | FloatArray]
"""What is read off a curve: a number, or an array of several."""


@dataclass(frozen=True)
class Contest:
    """Scores of one model, each for a pair of two speakers, or for an utterance of one.

    Parameters
    ----------
    real, control
        The scores in order, with what is true, and with what was dealt out anew, several times.
    first, second
        Of each score, the speakers it depends on, by number.
    heavy
        The scores by whose number the contest counts among several, so that it counts less without a speaker.
    fold
        Which fold it is of.
    """

    real: Ranked
    control: tuple[Ranked, ...]
    first: Codes
    second: Codes
    heavy: Flags
    fold: int

    @classmethod
    def of(
        cls, scores: FloatArray, truth: Flags, dealt: Sequence[Flags],
        first: Codes, second: Codes, heavy: Flags, fold: int,
    ) -> Contest:  # fmt: skip
        """Return the contest with its scores in order."""
        return cls(Ranked(scores, truth), tuple(Ranked(scores, own) for own in dealt), first, second, heavy, fold)

    def weight(self, kept: Flags | None) -> float:
        """Return how much it counts, as a whole or with some of the scores."""
        return float((self.heavy if kept is None else self.heavy & kept).sum())


@dataclass
class Contests:
    """The contests of all folds and seeds; a figure of them is the mean, weighted by what there is of each.

    Parameters
    ----------
    each
        The contests.
    """

    each: list[Contest] = field(default_factory=list)

    def whole(self, figure: Figure, *, control: bool = False) -> FloatArray:
        """Return a figure of all speakers; NaN where no contest has one."""
        return _mean([self._of(own, figure, None, control) for own in self.each])

    def figure(self, figure: Figure, *, control: bool = False) -> tuple[FloatArray, FloatArray]:
        """Return a figure of all speakers, and without each of those who are there, [speakers, ...]."""
        there = self.present()
        told = [self._of(own, figure, None, control) for own in self.each]
        whole = _mean(told)
        without = np.full((len(there), *whole.shape), np.nan)
        for place, speaker in enumerate(there):
            without[place] = _mean([
                self._of(own, figure, (own.first != speaker) & (own.second != speaker), control)
                if self._concerns(own, speaker) else value
                for own, value in zip(self.each, told, strict=True)
            ])  # fmt: skip
        return whole, without

    def by_fold(self, figure: Figure) -> list[float]:
        """Return the figure of each fold, averaged over seeds."""
        values: dict[int, list[float]] = {}
        for own in self.each:
            value, weight = self._of(own, figure, None, False)
            if weight:
                values.setdefault(own.fold, []).append(float(value))
        return [float(np.mean(own)) for own in values.values()]

    def present(self) -> list[int]:
        """Return the speakers, by number, whom any score depends on."""
        return sorted({code for own in self.each for codes in (own.first, own.second) for code in set(codes.tolist())})

    def _concerns(self, own: Contest, speaker: int) -> bool:
        return bool((own.first == speaker).any() or (own.second == speaker).any())

    @staticmethod
    def _of(own: Contest, figure: Figure, kept: Flags | None, control: bool) -> tuple[FloatArray, float]:
        """Return a figure of one contest, and its weight: 0 where there is no figure."""
        curves = [ranked.curve(kept) for ranked in (own.control if control else (own.real,))]
        values = [np.asarray(figure(curve)) for curve in curves if curve is not None]
        return (np.asarray(np.mean(values, axis=0)), own.weight(kept)) if values else (np.zeros(()), 0.0)


def _mean(told: Sequence[tuple[FloatArray, float]]) -> FloatArray:
    """Return the mean of figures with their weights; NaN where there are none."""
    weights = sum(weight for _, weight in told)
    return np.asarray(sum(weight * value for value, weight in told) / weights if weights else np.nan)
