"""Which of two systems is better: paired differences between backbones and between recipes of a dataset."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import pandas as pd

from candor.performance.evaluate import clusters, evaluate
from candor.performance.metrics import METRICS
from candor.runtime import Explained
from candor.stats.intervals import FloatArray
from candor.stats.paired import DRAWS, holm, least_p, paired_interval, swap_test
from candor.tables.comparison import Comparison

#: What `better` says where no system is.
NOT_TOLD_APART, TOO_FEW_SPEAKERS = "not told apart", "too few speakers"

LEVEL = 0.05

#: Random swaps for each pair of the table: many pairs ask for small p values, which only many swaps can give.
_DRAWS_PER_PAIR = 50

#: The truth is the same for all systems and seeds, and given the truth these are linear in the counts. So the average
#: over seeds is the figure of the average counts, which is faster to work with.
_LINEAR = ("uar", "accuracy")


class ComparisonError(Explained, ValueError):
    """Systems cannot be compared."""


@dataclass(frozen=True)
class System:
    """A backbone with a recipe, and what came out of its test.

    Parameters
    ----------
    backbone, recipe
        Their names.
    tested
        Label, speaker and fold of each test utterance, by the name of the utterance.
    counts
        Confusion counts `[speakers, seeds, classes, classes]`, truth in rows, speakers in the order of their names.
    """

    backbone: str
    recipe: str
    tested: pd.DataFrame
    counts: FloatArray

    @classmethod
    def of(cls, backbone: str, recipe: str, predictions: pd.DataFrame, classes: Sequence[str]) -> System:
        """Return the system whose test predictions of all folds and seeds these are."""
        with warnings.catch_warnings():
            # A class that nobody speaks is named where the system is evaluated; once is enough.
            warnings.filterwarnings("ignore", message="no test utterance is ")
            counts = evaluate(predictions, list(classes)).counts
        tested = predictions.assign(speaker=clusters(predictions)).drop_duplicates("utterance").set_index("utterance")
        return cls(backbone, recipe, tested[["label", "speaker", "fold"]].sort_index(), counts)

    def __str__(self) -> str:
        """Return the name of the system in messages."""
        return f"{self.backbone} with {self.recipe}"


def compare(dataset: str, systems: Iterable[System]) -> pd.DataFrame:
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
        Rows of `Comparison`, the UAR first.

    Raises
    ------
    ComparisonError
        If an utterance is not tested by all, or differs in label, speaker or fold.
    """
    systems = list(systems)
    for other in systems[1:]:
        _check_same(systems[0], other)
    pairs = [(a, b) for a, b in combinations(systems, 2) if (a.backbone == b.backbone) != (a.recipe == b.recipe)]
    rows = [row for metric in METRICS for row in rows_adjusted(pairs, partial(_row, metric))]
    columns = [column.name for column in Comparison.columns]
    return pd.DataFrame(rows, columns=columns).assign(dataset=dataset)


def rows_adjusted(
    pairs: Sequence[tuple[Any, Any]], row_of: Callable[[Any, Any, int], dict[str, Any]], *, more_is_better: bool = True
) -> list[dict[str, Any]]:
    """Return the rows of one metric, their p values adjusted for the number of pairs.

    Parameters
    ----------
    pairs
        The systems of each row.
    row_of
        Returns the row of two systems, given how many random swaps are to be tried.
    more_is_better
        Whether the system with the higher figure is the better one.
    """
    draws = max(DRAWS, _DRAWS_PER_PAIR * len(pairs) - 1)
    rows = [row_of(a, b, draws) for a, b in pairs]
    for row, adjusted in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = adjusted
        row["pairs"] = len(pairs)
        reachable = len(pairs) * least_p(row["speakers"], draws) <= LEVEL
        row["better"] = _better(row, more_is_better) if reachable else TOO_FEW_SPEAKERS
    return rows


def _row(metric: str, a: System, b: System, draws: int) -> dict[str, Any]:
    statistic = METRICS[metric]
    averaged = metric in _LINEAR
    first, second = (own.counts.mean(axis=1, keepdims=True) if averaged else own.counts for own in (a, b))
    interval = paired_interval(first, second, statistic)
    return {
        "metric": metric,
        "differ_in": "recipe" if a.backbone == b.backbone else "backbone",
        "backbone_a": a.backbone,
        "recipe_a": a.recipe,
        "backbone_b": b.backbone,
        "recipe_b": b.recipe,
        "value_a": float(statistic(first.sum(axis=0)).mean()),
        "value_b": float(statistic(second.sum(axis=0)).mean()),
        "difference": interval.value,
        "low": interval.low,
        "high": interval.high,
        "p": swap_test(first, second, statistic, draws),
        "utterances": len(a.tested),
        "speakers": interval.speakers,
        "seeds_a": a.counts.shape[1],
        "seeds_b": b.counts.shape[1],
    }


def _better(row: Mapping[str, Any], more_is_better: bool) -> str:
    if row["p_holm"] > LEVEL:
        return NOT_TOLD_APART
    return str(row[f"{row['differ_in']}_{'a' if (row['difference'] > 0) == more_is_better else 'b'}"])


def _check_same(one: System, other: System) -> None:
    """Refuse to compare systems that were not tested on the same utterances."""
    for first, second in ((one, other), (other, one)):
        extra = first.tested.index.difference(second.tested.index)
        if len(extra):
            raise ComparisonError(
                f"{extra[0]} is tested by {first} but not by {second} ({len(extra)} such utterances); "
                "only systems tested on the same utterances can be compared: rebuild their predictions"
            )
    unlike = (one.tested != other.tested).any(axis=1)
    if unlike.any():
        here, there = (system.tested.loc[unlike].iloc[0].astype(str) for system in (one, other))
        column = here.index[(here != there).to_numpy()][0]
        raise ComparisonError(
            f"{here.name} has {column} {here[column]} with {one} and {there[column]} with {other}; "
            "only systems tested on the same utterances can be compared: rebuild their predictions"
        )
