"""Which of two systems foretells ratings better: paired differences in CCC and MAE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from candor.performance.compare import LEVEL, ComparisonError, rows_adjusted
from candor.performance.evaluate import clusters
from candor.stats.intervals import FloatArray, Interval
from candor.stats.paired import swap_sums
from candor.tables.comparison import Comparison

#: Sums over utterances: how many, of what is foretold p and true t, of p², t², pt and |p − t|.
_COUNT, _P, _T, _PP, _TT, _PT, _APART = range(7)


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
class RatingSystem:
    """A backbone with a recipe, and what came out of its test.

    Parameters
    ----------
    backbone, recipe
        Their names.
    tested
        Value, speaker and fold of each test utterance, by the name of the utterance.
    sums
        Sums over utterances, [speakers, seeds, 7], speakers in the order of their names.
    """

    backbone: str
    recipe: str
    tested: pd.DataFrame
    sums: FloatArray

    @classmethod
    def of(cls, backbone: str, recipe: str, predictions: pd.DataFrame) -> RatingSystem:
        """Return the system whose test predictions of all folds and seeds these are."""
        rows = predictions.assign(speaker=clusters(predictions))
        said, true = (rows[column].to_numpy(dtype=np.float64) for column in ("predicted", "value"))
        terms = np.stack([np.ones_like(said), said, true, said**2, true**2, said * true, np.abs(said - true)], axis=1)
        speaker, speakers = pd.factorize(rows["speaker"], sort=True)
        seed, seeds = pd.factorize(rows["seed"], sort=True)
        sums = np.zeros((len(speakers), len(seeds), terms.shape[1]))
        np.add.at(sums, (speaker, seed), terms)
        tested = rows.drop_duplicates("utterance").set_index("utterance")
        return cls(backbone, recipe, tested[["value", "speaker", "fold"]].sort_index(), sums)


def compare_ratings(dataset: str, systems: Iterable[RatingSystem]) -> pd.DataFrame:
    """Compare every two backbones with the same recipe, and every two recipes on the same backbone.

    Parameters
    ----------
    dataset
        Name of the dataset that all were tested on.
    systems
        In the order in which they are to be named. They may differ in their number of seeds.

    Returns
    -------
    DataFrame
        Rows of `Comparison`, the CCC first.
    """
    systems = list(systems)
    for other in systems[1:]:
        if not systems[0].tested.equals(other.tested):
            one, two = (f"{own.backbone} with {own.recipe}" for own in (systems[0], other))
            raise ComparisonError(
                f"{one} and {two} were not tested on the same utterances; rebuild their predictions to compare them"
            )
    pairs = [(a, b) for a, b in combinations(systems, 2) if (a.backbone == b.backbone) != (a.recipe == b.recipe)]
    rows: list[dict[str, Any]] = []
    for metric, (_, more_is_better) in METRICS.items():
        rows += rows_adjusted(pairs, partial(_row, metric), more_is_better=more_is_better)
    return pd.DataFrame(rows, columns=[column.name for column in Comparison.columns]).assign(dataset=dataset)


def paired_difference(first: FloatArray, second: FloatArray, statistic: Any) -> Interval:
    """Return how far a figure of the first system exceeds that of the second, with a 95 % interval.

    A delete-one-speaker jackknife of the difference with Student's t, as `candor.stats.paired` has it for classes.
    """

    def difference(one: FloatArray, other: FloatArray) -> float:
        return float((statistic(one) - statistic(other)).mean())

    totals = first.sum(axis=0), second.sum(axis=0)
    value, speakers = difference(*totals), len(first)
    if speakers == 1:
        return Interval(value, np.nan, np.nan, 1)
    without = np.array([difference(totals[0] - first[one], totals[1] - second[one]) for one in range(speakers)])
    error = np.sqrt((speakers - 1) / speakers * ((without - without.mean()) ** 2).sum())
    sizes = first[:, 0, _COUNT]
    freedom = max(sizes.sum() ** 2 / (sizes**2).sum() - 1, 1.0)
    reach = float(stdtrit(freedom, 0.5 + (1 - LEVEL) / 2)) * error
    return Interval(value, value - reach, value + reach, speakers)


def _row(metric: str, a: RatingSystem, b: RatingSystem, draws: int) -> dict[str, Any]:
    statistic, _ = METRICS[metric]
    seeds = int(np.lcm(a.sums.shape[1], b.sums.shape[1]))
    first, second = (np.tile(own.sums, (1, seeds // own.sums.shape[1], 1)) for own in (a, b))
    interval = paired_difference(first, second, statistic)
    return {
        "metric": metric,
        "differ_in": "recipe" if a.backbone == b.backbone else "backbone",
        "backbone_a": a.backbone,
        "recipe_a": a.recipe,
        "backbone_b": b.backbone,
        "recipe_b": b.recipe,
        "value_a": float(statistic(a.sums.sum(axis=0)).mean()),
        "value_b": float(statistic(b.sums.sum(axis=0)).mean()),
        "difference": interval.value,
        "low": interval.low,
        "high": interval.high,
        "p": swap_sums(first, second, statistic, draws),
        "utterances": len(a.tested),
        "speakers": interval.speakers,
        "seeds_a": a.sums.shape[1],
        "seeds_b": b.sums.shape[1],
    }
