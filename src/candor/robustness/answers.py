"""What models said of utterances before and after these were disturbed, and what that amounts to.

Emotions and ratings differ in what is summed up, and in how a figure follows from sums; everything else is shared.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from candor.performance.compare_ratings import ccc_of
from candor.performance.evaluate import evaluate
from candor.performance.metrics import chance
from candor.performance.ratings import METRICS, evaluate_ratings, rating_interval
from candor.stats.clustering import clusters
from candor.stats.confusions import accuracy, count_confusions, uar
from candor.stats.intervals import FloatArray, Interval, speaker_interval
from candor.stats.paired import paired_interval, paired_interval_of_sums, swap_sums, swap_test
from candor.tables.models import Predictions

DRAWS = 1000
"""Models that hear nothing, of which the chance band is taken."""

LOWEST = 0.05
"""The share of these that lose more."""

RATED_ALIKE = 0.05
"""Share of the scale by which a rating may move and still count as unchanged: that of ser-tests."""


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

    def of(self, rows: pd.DataFrame, draws: int = DRAWS) -> Figures:
        """Return what became of the utterances of one test and strength.

        Parameters
        ----------
        rows
            Some of `rows`: those that were not left out.
        draws
            Models that hear nothing.
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
            random_low=float(np.quantile(self.random_changes(rows, draws), LOWEST)),
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
        return speaker_interval(count_confusions([*_codes(rows, "speaker", "seed_code"), test, taken], shape), uar)

    def unchanged(self, rows: pd.DataFrame) -> Interval:
        """Return the share of predictions that stay the same, with its interval."""
        moved = np.where(self.stays(rows), 0, 1)
        first = np.zeros_like(moved)
        shape = [len(self.speakers), len(self.seeds), 2, 2]
        return speaker_interval(
            count_confusions([*_codes(rows, "speaker", "seed_code"), first, moved], shape), accuracy
        )

    def figure(self, sums: FloatArray) -> FloatArray:
        """Return the score of sums `[…, seeds, …]`, averaged over seeds."""
        return np.asarray(self.each(sums).mean(axis=-1))

    def _spoken(self, rows: pd.DataFrame, by: str) -> NDArray[np.bool_]:
        return np.bincount(rows[by], minlength=len(self.folds)) > 0

    @property
    @abstractmethod
    def interpretable(self) -> str:
        """Say whether tests of these models mean anything: ``yes``, ``at chance`` or ``one class``."""

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


class EmotionAnswers(Answers):
    """Emotions before and after."""

    metric = "uar"
    reach = (0.0, 1.0)

    def __init__(self, disturbed: pd.DataFrame, predictions: pd.DataFrame) -> None:
        self.classes = Predictions.classes(predictions)
        super().__init__(disturbed, predictions)
        for column in ("label", "before", "predicted"):
            self.rows[f"{column}_code"] = pd.Index(self.classes).get_indexer(pd.Index(self.rows[column]))

    @property
    def interpretable(self) -> str:
        """Say whether tests of these models mean anything: ``yes``, ``at chance`` or ``one class``."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="no test utterance is ")
            return str(evaluate(self.clean, self.classes).metrics["interpretable"].iloc[0])

    def sums(self, rows: pd.DataFrame, column: str, by: str) -> FloatArray:
        """Return confusion counts, truth in rows."""
        first = len(self.speakers if by == "speaker" else self.folds)
        shape = [first, len(self.seeds), len(self.classes), len(self.classes)]
        return count_confusions(_codes(rows, by, "seed_code", "label_code", f"{column}_code"), shape)

    def each(self, sums: FloatArray) -> FloatArray:
        """Return the UAR."""
        return uar(sums)

    def count(self, sums: FloatArray) -> FloatArray:
        """Return how many utterances are counted."""
        return np.asarray(sums.sum(axis=(-2, -1)))

    def stays(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which emotions stay the same."""
        return np.asarray(rows["before_code"] == rows["predicted_code"])

    def interval(self, rows: pd.DataFrame, after: FloatArray) -> Interval:
        """Return the UAR with its interval."""
        return speaker_interval(after, uar)

    def change(self, before: FloatArray, after: FloatArray) -> Interval:
        """Return the change of the UAR with its interval."""
        return paired_interval(after, before, uar)

    def p(self, before: FloatArray, after: FloatArray) -> float:
        """Return the p value of the swap test."""
        return swap_test(after, before, uar)

    def chance(self, before: FloatArray) -> float:
        """Return what the better of guessing and of always saying the most frequent emotion would reach."""
        return chance(before.sum(axis=(0, 1)), uar)

    def chance_unchanged(self, rows: pd.DataFrame) -> float:
        """Return the sum over emotions of how often each is said before times how often after, averaged over seeds."""
        before, after = (self.sums(rows, column, "speaker").sum(axis=(0, 2)) for column in ("before", "predicted"))
        return float((before * after).sum(axis=1).mean() / before[0].sum() ** 2)

    def random_changes(self, rows: pd.DataFrame, draws: int) -> FloatArray:
        """Return changes of models that say each emotion as often as these, whatever is spoken."""
        random, found = np.random.default_rng(0), []
        for column in ("before", "predicted"):
            counts = self.sums(rows, column, "speaker").sum(axis=0)
            said = counts.sum(axis=1) / counts.sum(axis=(1, 2))[:, None]
            spoken = counts.sum(axis=2).astype(np.int64)
            drawn = random.multinomial(spoken, said[:, None, :], size=(draws, *spoken.shape))
            found.append(self.figure(drawn.astype(np.float64)))
        return found[1] - found[0]


class RatingAnswers(Answers):
    """Ratings before and after.

    Parameters
    ----------
    disturbed, predictions
        As for `Answers`. The scale is taken to reach from the lowest to the highest rating among the predictions: what
        a corpus's scale could be but is not does not make models look steadier.
    """

    metric = "ccc"
    reach = (-1.0, 1.0)

    def __init__(self, disturbed: pd.DataFrame, predictions: pd.DataFrame) -> None:
        super().__init__(disturbed, predictions)
        self.scale = float(predictions["value"].max() - predictions["value"].min())

    @property
    def interpretable(self) -> str:
        """Say whether tests of these models mean anything: ``yes`` or ``at chance``."""
        return str(evaluate_ratings(self.clean).metrics["interpretable"].iloc[0])

    def sums(self, rows: pd.DataFrame, column: str, by: str) -> FloatArray:
        """Return the sums that a CCC needs: number, p, t, p², t², pt and |p − t|, with ratings seen from their mean."""
        true = rows["value"].to_numpy(dtype=np.float64)
        middle = true.mean()
        p, t = rows[column].to_numpy(dtype=np.float64) - middle, true - middle
        terms = np.stack([np.ones_like(p), p, t, p * p, t * t, p * t, np.abs(p - t)], axis=1)
        found = np.zeros((len(self.speakers if by == "speaker" else self.folds), len(self.seeds), terms.shape[1]))
        np.add.at(found, (rows[by].to_numpy(), rows["seed_code"].to_numpy()), terms)
        return found

    def each(self, sums: FloatArray) -> FloatArray:
        """Return the CCC."""
        return ccc_of(sums)

    def count(self, sums: FloatArray) -> FloatArray:
        """Return the first of the sums."""
        return np.asarray(sums[..., 0])

    def stays(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which ratings move by less than 5 % of the scale."""
        return np.asarray((rows["before"] - rows["predicted"]).abs() < RATED_ALIKE * self.scale)

    def interval(self, rows: pd.DataFrame, after: FloatArray) -> Interval:
        """Return the CCC with its interval."""
        said, true, speaker = self._by_seed(rows, "predicted")
        return rating_interval(said, true, pd.factorize(speaker)[0], METRICS["ccc"])

    def change(self, before: FloatArray, after: FloatArray) -> Interval:
        """Return the change of the CCC with its interval."""
        sizes = before[:, 0, 0]
        return paired_interval_of_sums(after[sizes > 0], before[sizes > 0], ccc_of, sizes[sizes > 0])

    def p(self, before: FloatArray, after: FloatArray) -> float:
        """Return the p value of the swap test."""
        spoken = before[:, 0, 0] > 0
        return swap_sums(after[spoken], before[spoken], ccc_of)

    def chance(self, before: FloatArray) -> float:
        """Return 0: what is foretold whatever is heard has no concordance."""
        return 0.0

    def chance_unchanged(self, rows: pd.DataFrame) -> float:
        """Return how often a rating before and one after, of any two utterances, are alike, averaged over seeds."""
        pairs = zip(self._by_seed(rows, "before")[0], self._by_seed(rows, "predicted")[0], strict=True)
        reach = RATED_ALIKE * self.scale
        near = (np.searchsorted(np.sort(after), [before - reach, before + reach]) for before, after in pairs)
        return float(np.mean([(ends[1] - ends[0]).mean() / len(ends[0]) for ends in near]))

    def random_changes(self, rows: pd.DataFrame, draws: int) -> FloatArray:
        """Return changes of models that foretell the same ratings, but of utterances at random."""
        random, changes = np.random.default_rng(0), np.zeros(draws)
        for column, sign in (("predicted", 1.0), ("before", -1.0)):
            said, true, _ = self._by_seed(rows, column)
            spread = said.var(axis=1) + true.var() + (said.mean(axis=1) - true.mean()) ** 2
            apart, centred = said - said.mean(axis=1, keepdims=True), true - true.mean()
            for draw in range(draws):
                covariance = random.permuted(apart, axis=1) @ centred / len(true)
                changes[draw] += sign * float(np.mean(2 * covariance / np.maximum(spread, 1e-12)))
        return changes

    def _by_seed(self, rows: pd.DataFrame, column: str) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
        """Return what is foretold, [seeds, utterances], the ratings and the speakers."""
        ordered = rows.sort_values(["seed_code", "utterance"])
        said = ordered[column].to_numpy(dtype=np.float64).reshape(len(self.seeds), -1)
        first = ordered.iloc[: said.shape[1]]
        return said, first["value"].to_numpy(dtype=np.float64), first["speaker"].to_numpy()


def _within(interval: Interval, low: float, high: float) -> Interval:
    """Return an interval that is cut off where the figure can be no lower and no higher."""
    return replace(interval, low=float(np.clip(interval.low, low, high)), high=float(np.clip(interval.high, low, high)))


def _codes(rows: pd.DataFrame, *columns: str) -> list[NDArray[np.intp]]:
    return [rows[column].to_numpy(dtype=np.intp) for column in columns]
