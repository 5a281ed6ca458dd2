"""Which groups of speakers are compared, who belongs to them, and who is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from candor.stats.clustering import clusters

if TYPE_CHECKING:
    import pandas as pd

Codes = NDArray[np.intp]
Kind = Literal["nested", "crossed", "speaker"]

AND = " and "
"""Between the two values of a group by two columns."""


@dataclass(frozen=True)
class Asked:
    """Which groups are wanted; the fields are keys of the config's `fairness`."""

    groups: Sequence[str | Sequence[str]]
    min_utterances: int = 20
    min_speakers: int = 2
    age_bins: Sequence[int] = (30, 45, 60)


@dataclass(frozen=True)
class LeftOut:
    """A group that is not compared, and why."""

    group: str
    utterances: int
    speakers: int
    reason: str


@dataclass(frozen=True)
class Axis:
    """Utterances grouped by one column of the manifest, or by a pair of them.

    Parameters
    ----------
    name
        The column, or both with a plus sign between them.
    groups
        The groups that are compared, in order.
    codes
        The group of each utterance, -1 for those that have none or whose group is left out.
    kind
        ``nested``: each speaker is in one group; ``crossed``: some are in several; ``speaker``: each is a group.
    left_out
        Groups that are too small.
    unknown, unknown_speakers
        How many utterances there are of which it is not known to which group they belong, and how many speak them.
    """

    name: str
    groups: list[str]
    codes: Codes
    kind: Kind
    left_out: list[LeftOut] = field(default_factory=list)
    unknown: int = 0
    unknown_speakers: int = 0

    @property
    def nothing(self) -> str:
        """Say why there is nothing to compare; blank where there is."""
        if len(self.groups) > 1:
            return ""
        if not self.groups and not self.left_out:
            return f"the corpus does not say by {self.name}"
        if self.left_out:
            return f"fewer than two groups by {self.name} are large enough"
        return f"all are of one group by {self.name}: {self.groups[0]}"


def utterances_tested(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return a row per test utterance in the order of their names: fold, and in `cluster` who speaks.

    Parameters
    ----------
    predictions
        Rows of all folds and seeds.
    """
    rows = predictions.assign(cluster=clusters(predictions)).drop_duplicates("utterance")
    return rows[["utterance", "speaker", "cluster", "fold"]].sort_values("utterance", ignore_index=True)


def genders_of(predictions: pd.DataFrame) -> dict[str, str]:
    """Return the gender of each speaker, blank where it is not known."""
    return dict(zip(predictions["speaker"], predictions["gender"], strict=True))


def axes_of(tested: pd.DataFrame, utterances: pd.DataFrame, asked: Asked) -> list[Axis]:
    """Return the groups by each column that is asked for.

    Parameters
    ----------
    tested
        What `utterances_tested` returns.
    utterances
        The manifest of the dataset.
    asked
        Which groups.
    """
    manifest = utterances.set_index("utterance").reindex(tested["utterance"])
    return [
        _axis(asked_for if isinstance(asked_for, str) else tuple(asked_for), tested, manifest, asked)
        for asked_for in asked.groups
    ]


def _axis(columns: str | tuple[str, ...], tested: pd.DataFrame, manifest: pd.DataFrame, asked: Asked) -> Axis:
    columns = (columns,) if isinstance(columns, str) else columns
    keys = [_values(column, tested, manifest, asked.age_bins) for column in columns]
    known = np.logical_and.reduce([[value != "" for _, value in values] for values in keys])
    members = list(zip(*keys, strict=True))
    there = sorted({member for member, is_known in zip(members, known, strict=True) if is_known})
    cluster = tested["cluster"].to_numpy()
    names = {member: AND.join(value for _, value in member) for member in there}
    of = np.array([names[member] if is_known else "" for member, is_known in zip(members, known, strict=True)], object)
    by_speaker = columns == ("speaker",)
    kept: list[str] = []
    left_out: list[LeftOut] = []
    for name in names.values():
        own = of == name
        count, people = int(own.sum()), len(set(cluster[own]))
        reason = _too_small(count, people, asked, by_speaker)
        if reason:
            left_out.append(LeftOut(name, count, people, reason))
        else:
            kept.append(name)
    places = {name: place for place, name in enumerate(kept)}
    codes = np.array([places.get(name, -1) for name in of], dtype=np.intp)
    kind: Kind = "speaker" if by_speaker else "crossed" if _some_in_several(cluster, codes) else "nested"
    nobodys = cluster[~known]
    return Axis("+".join(columns), kept, codes, kind, left_out, len(nobodys), len(set(nobodys)))


def _values(
    column: str, tested: pd.DataFrame, manifest: pd.DataFrame, age_bins: Sequence[int]
) -> list[tuple[float, str]]:
    """Return the value of each utterance, and before it what it is sorted by; blank where it is not known."""
    if column == "age":
        return [age_group(float(age), age_bins) for age in manifest["age"]]
    source = tested["speaker"] if column == "speaker" else manifest[column]
    return [(0.0, "" if value != value or value is None else str(value)) for value in source.tolist()]


def age_group(age: float, bins: Sequence[int]) -> tuple[float, str]:
    """Return the group of an age.

    >>> [age_group(age, [30, 45])[1] for age in (29.0, 30.0, 44.0, 45.0)]
    ['under 30', '30 to 44', '30 to 44', '45 and over']
    """
    if math.isnan(age):
        return 0.0, ""
    if age < bins[0]:
        return 0.0, f"under {bins[0]}"
    for first, following in pairwise(bins):
        if age < following:
            return float(first), f"{first} to {following - 1}"
    return float(bins[-1]), f"{bins[-1]} and over"


def _too_small(utterances: int, speakers: int, asked: Asked, by_speaker: bool) -> str:
    if utterances < asked.min_utterances:
        return f"fewer than {asked.min_utterances} test utterances"
    if not by_speaker and speakers < asked.min_speakers:
        return f"fewer than {asked.min_speakers} speakers"
    return ""


def _some_in_several(cluster: NDArray[np.object_], codes: Codes) -> bool:
    pairs = {pair for pair in zip(cluster.tolist(), codes.tolist(), strict=True) if pair[1] >= 0}
    return len(pairs) > len({speaker for speaker, _ in pairs})
