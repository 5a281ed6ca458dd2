"""Which of two systems is better at telling emotions: paired differences in UAR, accuracy and macro-F1."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from candor.performance.evaluate import evaluate
from candor.performance.metrics import METRICS
from candor.performance.pairs import Difference, Metric, Tested, compare_pairs
from candor.stats.clustering import clusters
from candor.stats.intervals import FloatArray
from candor.stats.paired import paired_interval, swap_test

#: The truth is the same for all systems and seeds, and given the truth these are linear in the counts. So the average
#: over seeds is the figure of the average counts, which is faster to work with.
_LINEAR = ("uar", "accuracy")


@dataclass(frozen=True)
class System(Tested):
    """A backbone with a recipe, and which classes came out of its test.

    Parameters
    ----------
    counts
        Confusion counts `[speakers, seeds, classes, classes]`, truth in rows, speakers in the order of their names.
    """

    counts: FloatArray

    @property
    def seeds(self) -> int:
        """Return with how many seeds it was trained."""
        return int(self.counts.shape[1])

    @classmethod
    def of(cls, backbone: str, recipe: str, predictions: pd.DataFrame, classes: Sequence[str]) -> System:
        """Return the system whose test predictions of all folds and seeds these are."""
        with warnings.catch_warnings():
            # A class that nobody speaks is named where the system is evaluated; once is enough.
            warnings.filterwarnings("ignore", message="no test utterance is ")
            counts = evaluate(predictions, list(classes)).counts
        tested = predictions.assign(speaker=clusters(predictions)).drop_duplicates("utterance").set_index("utterance")
        return cls(backbone, recipe, tested[["label", "speaker", "fold"]].sort_index(), counts)


def compare(dataset: str, systems: Iterable[System]) -> pd.DataFrame:
    """Compare systems that tell emotions, the UAR first; see `compare_pairs`."""
    return compare_pairs(dataset, list(systems), [Metric(name, partial(_difference, name)) for name in METRICS])


def _difference(metric: str, a: System, b: System, draws: int) -> Difference:
    statistic = METRICS[metric]
    averaged = metric in _LINEAR
    first, second = (own.counts.mean(axis=1, keepdims=True) if averaged else own.counts for own in (a, b))
    values = tuple(float(statistic(counts.sum(axis=0)).mean()) for counts in (first, second))
    return Difference(
        (values[0], values[1]),
        paired_interval(first, second, statistic),
        swap_test(first, second, statistic, draws),
    )
