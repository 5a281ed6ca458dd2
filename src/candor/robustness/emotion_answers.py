"""Emotions that models said before and after utterances were disturbed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from candor.performance.metrics import chance
from candor.robustness.answers import Answers, codes
from candor.stats.confusions import count_confusions, uar
from candor.stats.intervals import FloatArray, Interval, speaker_interval
from candor.stats.paired import paired_interval, swap_test
from candor.tables.models import Predictions


class EmotionAnswers(Answers):
    """Emotions before and after."""

    metric = "uar"
    reach = (0.0, 1.0)

    def __init__(self, disturbed: pd.DataFrame, predictions: pd.DataFrame) -> None:
        self.classes = Predictions.classes(predictions)
        super().__init__(disturbed, predictions)
        for column in ("label", "before", "predicted"):
            self.rows[f"{column}_code"] = pd.Index(self.classes).get_indexer(pd.Index(self.rows[column]))

    def sums(self, rows: pd.DataFrame, column: str, by: str) -> FloatArray:
        """Return confusion counts, truth in rows."""
        first = len(self.speakers if by == "speaker" else self.folds)
        shape = [first, len(self.seeds), len(self.classes), len(self.classes)]
        return count_confusions(codes(rows, by, "seed_code", "label_code", f"{column}_code"), shape)

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
