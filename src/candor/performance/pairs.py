"""Every pair of systems of a dataset, whatever their figures: who is compared, with which p, and who is better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Generic, TypeVar

import pandas as pd

from candor.runtime import Explained
from candor.stats.intervals import Interval
from candor.stats.paired import DRAWS, holm, least_p
from candor.tables.comparison import Comparison

#: What `better` says where no system is.
NOT_TOLD_APART, TOO_FEW_SPEAKERS = "not told apart", "too few speakers"

LEVEL = 0.05

#: Random swaps for each pair of the table: many pairs ask for small p values, which only many swaps can give.
_DRAWS_PER_PAIR = 50


class ComparisonError(Explained, ValueError):
    """Systems cannot be compared."""


@dataclass(frozen=True)
class Tested(ABC):
    """A backbone with a recipe, and what it was tested on.

    Parameters
    ----------
    backbone, recipe
        Their names.
    tested
        Truth, speaker and fold of each test utterance, by the name of the utterance.
    """

    backbone: str
    recipe: str
    tested: pd.DataFrame

    @property
    @abstractmethod
    def seeds(self) -> int:
        """Return with how many seeds it was trained."""

    def __str__(self) -> str:
        """Return the name of the system in messages."""
        return f"{self.backbone} with {self.recipe}"


@dataclass(frozen=True)
class Difference:
    """A figure of two systems, and how far it differs.

    Parameters
    ----------
    values
        That of the first and of the second.
    interval
        How far the first exceeds the second.
    p
        How likely such a difference is by chance.
    """

    values: tuple[float, float]
    interval: Interval
    p: float


SystemT = TypeVar("SystemT", bound=Tested)


@dataclass(frozen=True)
class Metric(Generic[SystemT]):
    """A figure that systems are compared by.

    Parameters
    ----------
    name
        As in the table.
    difference
        Compares two systems, given how many random swaps are to be tried.
    more_is_better
        Whether the system with the higher figure is the better one.
    """

    name: str
    difference: Callable[[SystemT, SystemT, int], Difference]
    more_is_better: bool = True


def compare_pairs(dataset: str, systems: Sequence[SystemT], metrics: Sequence[Metric[SystemT]]) -> pd.DataFrame:
    """Compare every two backbones with the same recipe, and every two recipes on the same backbone.

    Parameters
    ----------
    dataset
        Name of the dataset that all were tested on.
    systems
        In the order in which they are to be named. They may differ in their number of seeds.
    metrics
        The first one first. The p values of each are adjusted for the number of pairs.

    Returns
    -------
    DataFrame
        Rows of `Comparison`.

    Raises
    ------
    ComparisonError
        If an utterance is not tested by all, or differs in truth, speaker or fold.
    """
    for other in systems[1:]:
        _check_same(systems[0], other)
    pairs = [(a, b) for a, b in combinations(systems, 2) if (a.backbone == b.backbone) != (a.recipe == b.recipe)]
    rows = [row for metric in metrics for row in _rows(metric, pairs)]
    return pd.DataFrame(rows, columns=[column.name for column in Comparison.columns]).assign(dataset=dataset)


def leader_first(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Return what is to be told of a row of `Comparison`, turned such that the difference is not below zero."""
    varied = row["differ_in"]
    same = "recipe" if varied == "backbone" else "backbone"
    names, ends = [row[f"{varied}_a"], row[f"{varied}_b"]], [row["low"], row["high"]]
    if row["difference"] < 0:
        names, ends = names[::-1], [-end for end in ends[::-1]]
    return {
        "differ_in": varied,
        "ahead": names[0],
        "behind": names[1],
        "same": row[f"{same}_a"],
        "difference": abs(row["difference"]),
        "low": ends[0],
        "high": ends[1],
        "p_holm": row["p_holm"],
        "better": row["better"],
    }


def _rows(metric: Metric[SystemT], pairs: Sequence[tuple[SystemT, SystemT]]) -> list[dict[str, Any]]:
    """Return the rows of one metric, their p values adjusted for the number of pairs."""
    draws = max(DRAWS, _DRAWS_PER_PAIR * len(pairs) - 1)
    rows = [_row(metric.name, a, b, metric.difference(a, b, draws)) for a, b in pairs]
    for row, adjusted in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = adjusted
        row["pairs"] = len(pairs)
        reachable = len(pairs) * least_p(row["speakers"], draws) <= LEVEL
        row["better"] = _better(row, metric.more_is_better) if reachable else TOO_FEW_SPEAKERS
    return rows


def _row(metric: str, a: Tested, b: Tested, found: Difference) -> dict[str, Any]:
    return {
        "metric": metric,
        "differ_in": "recipe" if a.backbone == b.backbone else "backbone",
        "backbone_a": a.backbone,
        "recipe_a": a.recipe,
        "backbone_b": b.backbone,
        "recipe_b": b.recipe,
        "value_a": found.values[0],
        "value_b": found.values[1],
        "difference": found.interval.value,
        "low": found.interval.low,
        "high": found.interval.high,
        "p": found.p,
        "utterances": len(a.tested),
        "speakers": found.interval.speakers,
        "seeds_a": a.seeds,
        "seeds_b": b.seeds,
    }


def _better(row: Mapping[str, Any], more_is_better: bool) -> str:
    if row["p_holm"] > LEVEL:
        return NOT_TOLD_APART
    return str(row[f"{row['differ_in']}_{'a' if (row['difference'] > 0) == more_is_better else 'b'}"])


def _check_same(one: Tested, other: Tested) -> None:
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
