"""What was said and what is true, utterance by utterance, and their sums over any groups of utterances.

Every figure of the audit is computed from such sums, so that the same code serves the groups as they are, groups that
were shuffled, a group without one of its speakers, and models that guess.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from candor.stats.confusions import count_confusions
from candor.stats.intervals import FloatArray

Codes = NDArray[np.intp]


class Sample(ABC):
    """Test utterances in the order of their names.

    Parameters
    ----------
    speaker
        Who speaks, by number.
    strata
        Utterances that are alike in what is true of them, by number: shuffling among speakers stays within these.
    """

    def __init__(self, speaker: Codes, strata: Codes) -> None:
        self.speaker, self.strata = speaker, strata

    def __len__(self) -> int:
        return len(self.speaker)

    @abstractmethod
    def only(self, chosen: NDArray[np.bool_]) -> Sample:
        """Return the sample of some of the utterances."""

    @abstractmethod
    def sums(self, codes: Codes, groups: int) -> FloatArray:
        """Return the sums over each group, `[groups, …]`."""

    @abstractmethod
    def guessed(self, codes: Codes, groups: int, draws: int, random: np.random.Generator) -> FloatArray:
        """Return the sums if a model says what it says as often, but whatever is spoken: `[draws, groups, …]`."""

    def likely_sums(self, codes: Codes, groups: int) -> FloatArray:
        """Return the sums over each group that `without_utterance` starts from."""
        return self.sums(codes, groups)

    @abstractmethod
    def without_utterance(self, codes: Codes, groups: int) -> Iterator[tuple[Codes, FloatArray, FloatArray]]:
        """Yield groups, how many utterances of each are alike, and the group's sums without one of these."""


class ClassSample(Sample):
    """Emotions that were said and are true.

    Parameters
    ----------
    label
        The true class of each utterance, by number.
    predicted
        What each seed's model says, `[seeds, utterances]`.
    speaker
        Who speaks, by number.
    classes
        How many there are.
    """

    def __init__(self, label: Codes, predicted: Codes, speaker: Codes, classes: int) -> None:
        super().__init__(speaker, label)
        self.label, self.predicted, self.classes = label, predicted, classes

    @classmethod
    def of(cls, predictions: pd.DataFrame, tested: pd.DataFrame, classes: list[str]) -> ClassSample:
        """Return the sample of predictions of all folds and seeds.

        Parameters
        ----------
        predictions
            Rows of `Predictions`.
        tested
            A row per utterance, as `groups.utterances_tested` returns them.
        classes
            The emotions, in their order.
        """
        rows = predictions.sort_values(["seed", "utterance"])
        seeds, order = rows["seed"].nunique(), pd.Index(classes)
        label, said = (order.get_indexer(pd.Index(rows[name])).reshape(seeds, -1) for name in ("label", "predicted"))
        return cls(label[0], said, pd.factorize(tested["cluster"], sort=True)[0], len(classes))

    def only(self, chosen: NDArray[np.bool_]) -> ClassSample:
        """Return the sample of some of the utterances."""
        return ClassSample(self.label[chosen], self.predicted[:, chosen], self.speaker[chosen], self.classes)

    def sums(self, codes: Codes, groups: int) -> FloatArray:
        """Return confusion counts averaged over seeds, `[groups, classes, classes]`, truth in rows."""
        seeds = len(self.predicted)
        repeated = [np.tile(own, seeds) for own in (codes, self.label)]
        return count_confusions([*repeated, self.predicted.ravel()], [groups, self.classes, self.classes]) / seeds

    def guessed(self, codes: Codes, groups: int, draws: int, random: np.random.Generator) -> FloatArray:
        """Return confusion counts of models that say each class as often as this one, whatever is spoken."""
        counts = self.sums(codes, groups)
        said = counts.sum(axis=(0, 1))
        spoken = np.rint(counts.sum(axis=-1)).astype(np.int64)
        drawn = random.multinomial(spoken, said / said.sum(), size=(draws, groups, self.classes))
        return drawn.astype(np.float64)

    def likely_sums(self, codes: Codes, groups: int) -> FloatArray:
        """Return the counts with an utterance more of each class in each group, recognised as the class is on average.

        Where none of a group's utterances, or all of them, are recognised, this is no proof that the next one would be
        no different; nor is it where that is so of all groups, so the average itself has an utterance more, of which
        each class is said equally.
        """
        counts = self.sums(codes, groups)
        pooled = counts.sum(axis=0)
        spoken = pooled.sum(axis=1, keepdims=True)
        average = (pooled + 1 / self.classes) / (spoken + 1)
        return counts + np.where(counts.sum(axis=2, keepdims=True) > 0, average, 0.0)

    def without_utterance(self, codes: Codes, groups: int) -> Iterator[tuple[Codes, FloatArray, FloatArray]]:
        """Yield, for each cell of `likely_sums`, these without one utterance in it."""
        counts, everyone = self.likely_sums(codes, groups), np.arange(groups)
        for label, said in np.ndindex(self.classes, self.classes):
            fewer = counts.copy()
            taken = np.minimum(fewer[:, label, said], 1.0)
            fewer[:, label, said] -= taken
            yield everyone, counts[:, label, said], fewer


class RatingSample(Sample):
    """Ratings that were foretold and given.

    Parameters
    ----------
    true
        The rating of each utterance.
    said
        What each seed's model foretells, `[seeds, utterances]`.
    speaker
        Who speaks, by number.
    """

    def __init__(self, true: FloatArray, said: FloatArray, speaker: Codes) -> None:
        super().__init__(speaker, np.zeros(len(true), dtype=np.intp))
        self.true, self.said = true, said
        centre = true.mean() if len(true) else 0.0
        p, t = said - centre, np.broadcast_to(true - centre, said.shape)
        self._terms = np.stack([np.ones_like(p), p, t, p * p, t * t, p * t, np.abs(p - t)], axis=-1)

    @classmethod
    def of(cls, predictions: pd.DataFrame, tested: pd.DataFrame) -> RatingSample:
        """Return the sample of `RatingPredictions` of all folds and seeds."""
        rows = predictions.sort_values(["seed", "utterance"])
        seeds = rows["seed"].nunique()
        true, said = (rows[name].to_numpy(dtype=np.float64).reshape(seeds, -1) for name in ("value", "predicted"))
        return cls(true[0], said, pd.factorize(tested["cluster"], sort=True)[0])

    def only(self, chosen: NDArray[np.bool_]) -> RatingSample:
        """Return the sample of some of the utterances."""
        return RatingSample(self.true[chosen], self.said[:, chosen], self.speaker[chosen])

    def sums(self, codes: Codes, groups: int) -> FloatArray:
        """Return the sums that CCC and MAE need, `[groups, seeds, 7]`."""
        return _added(self._terms, codes, groups)

    def guessed(self, codes: Codes, groups: int, draws: int, random: np.random.Generator) -> FloatArray:
        """Return the sums if what is foretold were dealt out to utterances at random."""
        shuffled = (
            RatingSample(self.true, self.said[:, random.permutation(len(self))], self.speaker) for _ in range(draws)
        )
        return np.stack([sample.sums(codes, groups) for sample in shuffled])

    def without_utterance(self, codes: Codes, groups: int) -> Iterator[tuple[Codes, FloatArray, FloatArray]]:
        """Yield each utterance's group, and its sums without that utterance."""
        sums = self.sums(codes, groups)
        yield codes, np.ones(len(codes)), sums[codes] - np.moveaxis(self._terms, 0, 1)


def _added(terms: FloatArray, codes: Codes, groups: int) -> FloatArray:
    """Return `[groups, seeds, terms]` of `[seeds, utterances, terms]`."""
    sums = np.zeros((groups, terms.shape[0], terms.shape[2]))
    for seed, term in np.ndindex(terms.shape[0], terms.shape[2]):
        sums[:, seed, term] = np.bincount(codes, weights=terms[seed, :, term], minlength=groups)
    return sums
