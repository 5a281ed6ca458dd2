"""The answers that the report opens on: profiles; how well models recognise, whom they serve worst, how they fail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from candor.attack.figures import method_name
from candor.fairness.audit import NOTHING
from candor.tables.attack import NOT_APPLICABLE

HEADLINE = ("uar", "ccc")
ATTACK = ("method", "source", "target")

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Figure:
    """A figure in per cent with its interval, and what is behind it."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, row: Row, value: str = "value", low: str = "low", high: str = "high") -> Figure:
        """Return the figure of a table's row."""
        return cls(*(100 * float(row[name]) for name in (value, low, high)))

    def __str__(self) -> str:
        """Return it as it stands in sentences and tables."""
        if math.isnan(self.value):
            return "–"
        if math.isnan(self.low):
            return f"{self.value:.1f}"
        return f"{self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"


@dataclass(frozen=True)
class Recognised:
    """How well a system recognises."""

    system: str
    figure: Figure
    chance: float
    interpretable: str
    utterances: int
    speakers: int


@dataclass(frozen=True)
class Served:
    """Whom a system serves worst by one axis, and how far groups lie apart."""

    system: str
    axis: str
    worst: str
    figure: Figure
    utterances: int
    speakers: int
    gap: Figure
    groups: int
    ahead: str
    random_high: float
    p: float
    verdict: str


@dataclass(frozen=True)
class Fooled:
    """How easily a system is fooled, by one attack at the headline ratio."""

    system: str
    attack: str
    snr: float
    figure: Figure
    control: Figure
    difference: Figure
    attacked: int
    speakers: int
    verdict: str


@dataclass(frozen=True)
class Answers:
    """All that the first page says of a dataset."""

    dataset: str
    metric: str
    profiles: list[Row]
    recognised: list[Recognised]
    served: list[Served]
    fooled: list[Fooled]

    @property
    def best(self) -> Recognised:
        """Return the system that recognises best."""
        return self.recognised[0]


def answers(
    dataset: str,
    profiles: pd.DataFrame,
    performance: pd.DataFrame,
    fairness: pd.DataFrame,
    groups: Mapping[tuple[str, str], pd.DataFrame],
    attack: pd.DataFrame | None,
) -> Answers:
    """Return what the first page says of a dataset.

    Parameters
    ----------
    dataset
        Its name.
    profiles
        Rows of `TrustProfile`.
    performance
        Rows of `Summary`.
    fairness
        Rows of `FairnessSummary`.
    groups
        Rows of `Groups` of each backbone and recipe.
    attack
        Rows of `AttackSummary`; None where ratings are predicted.
    """
    rows = performance[performance["metric"].isin(HEADLINE)].sort_values("value", ascending=False, kind="stable")
    recognised = [
        Recognised(
            system=system_of(row),
            figure=Figure.of(row),
            chance=100 * row["chance"],
            interpretable=row["interpretable"],
            utterances=row["utterances"],
            speakers=row["speakers"],
        )
        for row in rows.to_dict("records")
    ]
    order = {one.system: place for place, one in enumerate(recognised)}
    served = [
        _served(row, groups[row["backbone"], row["recipe"]])
        for row in fairness.to_dict("records")
        if row["metric"] in HEADLINE and row["aggregate"] == "max" and row["verdict"] != NOTHING
    ]
    fooled = [] if attack is None else [_fooled(row) for row in attack.to_dict("records") if row["headline"] == "yes"]
    return Answers(
        dataset,
        "CCC" if "ccc" in set(rows["metric"]) else "UAR",
        list(profiles.to_dict("records")),
        recognised,
        sorted(served, key=lambda one: order[one.system]),
        sorted(fooled, key=lambda one: order[one.system]),
    )


def system_of(row: Row) -> str:
    """Return what a backbone with a recipe is called."""
    return f"{row['backbone']} · {row['recipe']}"


def _served(row: Row, groups: pd.DataFrame) -> Served:
    worst = groups[(groups["axis"] == row["axis"]) & (groups["worst"] == "yes")].iloc[0]
    return Served(
        system=system_of(row),
        axis=row["axis"].replace("+", " and "),
        worst=str(worst["group"]),
        figure=Figure.of(worst),
        utterances=int(worst["utterances"]),
        speakers=int(worst["speakers"]),
        gap=Figure.of(row),
        groups=int(row["groups"]),
        ahead=str(row["higher"]),
        random_high=100 * float(row["random_high"]),
        p=float(row["p"]),
        verdict=str(row["verdict"]),
    )


def _fooled(row: Row) -> Fooled:
    return Fooled(
        system=system_of(row),
        attack="" if row["verdict"].startswith(NOT_APPLICABLE) else method_name(*(row[name] for name in ATTACK)),
        snr=float(row["snr"]),
        figure=Figure.of(row, "success"),
        control=Figure.of(row, "control", "control_low", "control_high"),
        difference=Figure.of(row, "difference", "difference_low", "difference_high"),
        attacked=0 if pd.isna(row["attacked"]) else int(row["attacked"]),
        speakers=0 if pd.isna(row["speakers"]) else int(row["speakers"]),
        verdict=str(row["verdict"]),
    )
