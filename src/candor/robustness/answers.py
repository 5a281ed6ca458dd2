"""What models said of utterances before and after these were disturbed, and what that amounts to.

Emotions and ratings differ in what is summed up, and in how a figure follows from sums; everything else is shared.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from candor.performance.interpretable import interpretable
from candor.stats.clustering import clusters
from candor.stats.confusions import accuracy, count_confusions, count_hits, uar
from candor.stats.intervals import FloatArray, Interval, speaker_interval
from candor.stats.paired import paired_interval_of_sums

DRAWS = 1000
"""Models that hear nothing, of which the chance band is taken."""

LOWEST = 0.05
"""The share of these that lose more."""


@dataclass(frozen=True)
class Figures:
    """What became of some utterances.

    Parameters
    ----------
    score
        UAR or CCC when disturbed.
    clean
        The same as recorded.
    change
        How far the first exceeds the second.
    unchanged
        Share of predictions that stay the same.
    p
        How likely such a change is by chance.
    random_low
        5 of 100 models that hear nothing lose more.
    chance_unchanged
        Share of predictions that would stay the same if those after had nothing to do with those before.
    chance
        What the better of two models that hear nothing would score.
    fold_sd
        Standard deviation of the change over folds.
    """

    score: Interval
    clean: float
    change: Interval
    unchanged: Interval
    p: float
    random_low: float
    chance_unchanged: float
    chance: float
    fold_sd: float


class Answers(ABC):
    """Answers before and after, one row per utterance, seed, test and strength.

    Parameters
    ----------
    disturbed
        Rows of `Disturbed` or `DisturbedRatings`.
    predictions
        What the same models say of the test utterances as recorded: rows of all folds, those of other seeds too.
    """

    metric: ClassVar[str]
    reach: ClassVar[tuple[float, float]]
    """The lowest and the highest that a score can be."""

    def __init__(self, disturbed: pd.DataFrame, predictions: pd.DataFrame) -> None:
        self.seeds = sorted(set(disturbed["seed"]))
        self.clean = predictions[predictions["seed"].isin(self.seeds)]
        before = self.clean.assign(cluster=clusters(self.clean)).rename(columns={"predicted": "before"})
        at = ["utterance", "fold", "seed"]
        self.rows = disturbed.merge(before, on=at, how="left", validate="many_to_one")
        if self.rows["before"].isna().any():
            lost = self.rows[self.rows["before"].isna()].iloc[0]
            raise ValueError(f"{lost['utterance']} was disturbed, but there is no prediction of it as recorded")
        self.speakers = sorted(set(self.rows["cluster"]))
        self.folds = sorted(set(self.rows["fold"]))
        codes = {
            "speaker": ("cluster", self.speakers),
            "seed_code": ("seed", self.seeds),
            "fold_code": ("fold", self.folds),
        }
        for name, (column, order) in codes.items():
            self.rows[name] = pd.Index(order).get_indexer(pd.Index(self.rows[column]))

    def of(self, rows: pd.DataFrame) -> Figures:
        """Return what became of the utterances of one test and strength.

        Parameters
        ----------
        rows
            Some of `rows`: those that were not left out.
        """
        before, after = (self.sums(rows, column, "speaker") for column in ("before", "predicted"))
        by_fold = [self.figure(self.sums(rows, column, "fold_code")) for column in ("predicted", "before")]
        changes = (by_fold[0] - by_fold[1])[self._spoken(rows, "fold_code")]
        return Figures(
            score=self.interval(rows, after),
            clean=float(self.figure(before.sum(axis=0))),
            change=self.change(before, after),
            unchanged=self.unchanged(rows),
            p=self.p(before, after),
            random_low=float(np.quantile(self.random_changes(rows, DRAWS), LOWEST)),
            chance_unchanged=self.chance_unchanged(rows),
            chance=self.chance(before),
            fold_sd=float(np.std(changes, ddof=1)) if len(changes) > 1 else np.nan,
        )

    def together(self, parts: Sequence[pd.DataFrame]) -> tuple[Interval, float, Interval, Interval]:
        """Return the mean score, the clean one, the mean change and the mean share unchanged over several tests.

        Each test counts the same, however many utterances it has. A speaker who is left out of one test is so of that
        test only; whoever takes part in any of them is one of the speakers that intervals are over.

        Parameters
        ----------
        parts
            The rows of each test.
        """
        both = [[self.sums(rows, column, "speaker") for rows in parts] for column in ("before", "predicted")]
        before, after = (np.stack(sums, axis=2).reshape(len(self.speakers), len(self.seeds), -1) for sums in both)
        shape = both[0][0].shape[2:]
        sizes = np.bincount(pd.concat(parts)["speaker"], minlength=len(self.speakers)) / len(self.seeds)

        def mean(sums: FloatArray) -> FloatArray:
            apart = sums.reshape(*sums.shape[:-1], len(parts), *shape)
            heard = self.count(apart) > 0.5  # none where the only speaker of a test is left out for the jackknife
            scores = np.where(heard, self.each(apart), 0.0).sum(axis=-1)
            return np.asarray(scores / np.maximum(heard.sum(axis=-1), 1))

        spoken = sizes > 0
        low, high = self.reach
        change = paired_interval_of_sums(after[spoken], before[spoken], mean, sizes[spoken])
        score = paired_interval_of_sums(after[spoken], np.zeros_like(before[spoken]), mean, sizes[spoken])
        clean = float(mean(before.sum(axis=0)).mean())
        return _within(score, low, high), clean, _within(change, low - high, high - low), self.all_unchanged(parts)

    def all_unchanged(self, parts: Sequence[pd.DataFrame]) -> Interval:
        """Return the mean over tests of the share of predictions that stay the same, with its interval.

        It is the unweighted average recall of the question which test a prediction comes from, where one that stays the
        same is right and one that moves is taken for none.
        """
        rows, none = pd.concat(parts), len(parts)
        test = np.repeat(np.arange(none), [len(part) for part in parts])
        taken = np.where(self.stays(rows), test, none)
        shape = [len(self.speakers), len(self.seeds), none + 1, none + 1]
        return speaker_interval(count_confusions([*codes(rows, "speaker", "seed_code"), test, taken], shape), uar)

    def unchanged(self, rows: pd.DataFrame) -> Interval:
        """Return the share of predictions that stay the same, with its interval."""
        shape = [len(self.speakers), len(self.seeds)]
        return speaker_interval(count_hits(self.stays(rows), codes(rows, "speaker", "seed_code"), shape), accuracy)

    def figure(self, sums: FloatArray) -> FloatArray:
        """Return the score of sums `[…, seeds, …]`, averaged over seeds."""
        return np.asarray(self.each(sums).mean(axis=-1))

    def _spoken(self, rows: pd.DataFrame, by: str) -> NDArray[np.bool_]:
        return np.bincount(rows[by], minlength=len(self.folds)) > 0

    @property
    def interpretable(self) -> str:
        """Say whether tests of these models mean anything: ``yes``, ``at chance`` or ``one class``."""
        return interpretable(self.clean)

    @abstractmethod
    def sums(self, rows: pd.DataFrame, column: str, by: str) -> FloatArray:
        """Return what the score is computed from, `[speakers or folds, seeds, …]`."""

    @abstractmethod
    def each(self, sums: FloatArray) -> FloatArray:
        """Return the score of sums."""

    @abstractmethod
    def count(self, sums: FloatArray) -> FloatArray:
        """Return how many utterances sums are over."""

    @abstractmethod
    def stays(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which predictions stay the same."""

    @abstractmethod
    def interval(self, rows: pd.DataFrame, after: FloatArray) -> Interval:
        """Return the score of disturbed utterances with its interval."""

    @abstractmethod
    def change(self, before: FloatArray, after: FloatArray) -> Interval:
        """Return how far the score after exceeds that before, with its interval."""

    @abstractmethod
    def p(self, before: FloatArray, after: FloatArray) -> float:
        """Return the p value of the swap test."""

    @abstractmethod
    def chance(self, before: FloatArray) -> float:
        """Return what the better of two models that hear nothing would score."""

    @abstractmethod
    def chance_unchanged(self, rows: pd.DataFrame) -> float:
        """Return the share of predictions that would stay the same if after had nothing to do with before."""

    @abstractmethod
    def random_changes(self, rows: pd.DataFrame, draws: int) -> FloatArray:
        """Return the changes of models that hear nothing, but answer as these do."""


def _within(interval: Interval, low: float, high: float) -> Interval:
    """Return an interval that is cut off where the figure can be no lower and no higher."""
    return replace(interval, low=float(np.clip(interval.low, low, high)), high=float(np.clip(interval.high, low, high)))


def codes(rows: pd.DataFrame, *columns: str) -> list[NDArray[np.intp]]:
    """Return columns of numbers, as what is counted by takes them."""
    return [rows[column].to_numpy(dtype=np.intp) for column in columns]
