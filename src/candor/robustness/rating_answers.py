"""Ratings that models foretold before and after utterances were disturbed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from candor.performance.compare_ratings import ccc_of, terms_of
from candor.performance.ratings import METRICS, rating_interval
from candor.robustness.answers import Answers
from candor.stats.intervals import FloatArray, Interval
from candor.stats.paired import paired_interval_of_sums, swap_sums

STAYS_WITHIN = 0.05
"""Share of the scale by which a rating may move and still count as unchanged: that of ser-tests."""


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

    def sums(self, rows: pd.DataFrame, column: str, by: str) -> FloatArray:
        """Return the sums that `ccc_of` takes, with ratings seen from their mean."""
        true = rows["value"].to_numpy(dtype=np.float64)
        middle = true.mean()
        terms = terms_of(rows[column].to_numpy(dtype=np.float64) - middle, true - middle)
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
        return np.asarray((rows["before"] - rows["predicted"]).abs() < STAYS_WITHIN * self.scale)

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
        reach = STAYS_WITHIN * self.scale
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
