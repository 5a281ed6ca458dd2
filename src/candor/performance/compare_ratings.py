"""Which of two systems foretells ratings better: paired differences in CCC and MAE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from candor.performance.pairs import Difference, Metric, Tested, compare_pairs
from candor.stats.clustering import clusters
from candor.stats.intervals import FloatArray
from candor.stats.paired import paired_interval_of_sums, swap_sums

#: Sums over utterances: how many, of what is foretold p and true t, of p², t², pt and |p − t|.
_COUNT, _P, _T, _PP, _TT, _PT, _APART = range(7)


def terms_of(said: FloatArray, true: FloatArray) -> FloatArray:
    """Return what each utterance adds to the sums, [utterances, 7]."""
    return np.stack([np.ones_like(said), said, true, said**2, true**2, said * true, np.abs(said - true)], axis=1)


def ccc_of(sums: FloatArray) -> FloatArray:
    """Return the concordance correlation coefficient from sums `[…, 7]`, 0 where neither varies."""
    count = np.maximum(sums[..., _COUNT], 1.0)
    said, true = sums[..., _P] / count, sums[..., _T] / count
    covariance = sums[..., _PT] / count - said * true
    spread = (sums[..., _PP] + sums[..., _TT]) / count - said**2 - true**2 + (said - true) ** 2
    return np.asarray(np.divide(2 * covariance, spread, out=np.zeros_like(spread), where=spread > 1e-12))


def mae_of(sums: FloatArray) -> FloatArray:
    """Return the mean absolute error from sums `[…, 7]`."""
    return np.asarray(sums[..., _APART] / np.maximum(sums[..., _COUNT], 1.0))


METRICS = {"ccc": (ccc_of, True), "mae": (mae_of, False)}
"""How a metric is computed, and whether more of it is better."""


@dataclass(frozen=True)
class RatingSystem(Tested):
    """A backbone with a recipe, and how near to the ratings it came in its test.

    Parameters
    ----------
    sums
        Sums over utterances, [speakers, seeds, 7], speakers in the order of their names.
    """

    sums: FloatArray

    @property
    def seeds(self) -> int:
        """Return with how many seeds it was trained."""
        return int(self.sums.shape[1])

    @classmethod
    def of(cls, backbone: str, recipe: str, predictions: pd.DataFrame) -> RatingSystem:
        """Return the system whose test predictions of all folds and seeds these are."""
        rows = predictions.assign(speaker=clusters(predictions))
        said, true = (rows[column].to_numpy(dtype=np.float64) for column in ("predicted", "value"))
        terms = terms_of(said, true)
        speaker, speakers = pd.factorize(rows["speaker"], sort=True)
        seed, seeds = pd.factorize(rows["seed"], sort=True)
        sums = np.zeros((len(speakers), len(seeds), terms.shape[1]))
        np.add.at(sums, (speaker, seed), terms)
        tested = rows.drop_duplicates("utterance").set_index("utterance")
        return cls(backbone, recipe, tested[["value", "speaker", "fold"]].sort_index(), sums)


def compare_ratings(dataset: str, systems: Iterable[RatingSystem]) -> pd.DataFrame:
    """Compare systems that foretell ratings, the CCC first; see `compare_pairs`."""
    metrics = [
        Metric(name, partial(_difference, name), more_is_better) for name, (_, more_is_better) in METRICS.items()
    ]
    return compare_pairs(dataset, list(systems), metrics)


def _difference(metric: str, a: RatingSystem, b: RatingSystem, draws: int) -> Difference:
    statistic, _ = METRICS[metric]
    seeds = int(np.lcm(a.seeds, b.seeds))
    first, second = (np.tile(own.sums, (1, seeds // own.seeds, 1)) for own in (a, b))
    return Difference(
        (float(statistic(a.sums.sum(axis=0)).mean()), float(statistic(b.sums.sum(axis=0)).mean())),
        paired_interval_of_sums(first, second, statistic, first[:, 0, _COUNT]),
        swap_sums(first, second, statistic, draws),
    )
