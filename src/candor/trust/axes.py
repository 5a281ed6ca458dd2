"""The axes of the radar: what each shows, in which direction it is better, and from where to where it reaches.

Every scale is fixed, so that profiles of several datasets can be laid side by side; only what chance is depends on the
dataset. Outer is better on all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from candor.numbers import with_prefix

PER_CENT, POINTS, CCC = "per cent", "points", "CCC × 100"
SIGNS = {PER_CENT: " %", POINTS: " points"}
"""What stands behind a number in these units; other units stand in the title of the axis."""


@dataclass(frozen=True)
class Axis:
    """An axis of the radar.

    Parameters
    ----------
    name
        The stage whose headline figure it shows.
    head
        What it is called at the head of a column.
    title
        What stands at its end.
    centre, rim
        The values at both ends.
    unit
        What its numbers are in; blank for a count. CCC, like UAR, is told times 100.
    logarithmic
        Whether equal steps are equal factors.
    """

    name: str
    head: str
    title: str
    centre: float
    rim: float
    unit: str = ""
    logarithmic: bool = False

    @property
    def better(self) -> str:
        """Say whether higher or lower figures are better."""
        return "higher" if self.rim > self.centre else "lower"

    def number(self, value: float, form: str = ".1f") -> str:
        """Return a value as a number in the axis's unit, without the unit.

        >>> Axis("attack", "fooled", "fooled", centre=1.0, rim=0.0, unit="per cent").number(0.25)
        '25.0'
        >>> Axis("cost", "FLOPs/s", "FLOPs", centre=1e12, rim=1e6, logarithmic=True).number(10**8.5)
        '316 M'
        """
        return with_prefix(value) if self.logarithmic else f"{100 * value:z{form}}"

    @property
    def sign(self) -> str:
        """Return what stands behind a number of it: a sign with its space, or nothing."""
        return SIGNS.get(self.unit, "")

    def place(self, value: float) -> float:
        """Return where a value lies, from 0 at the centre to 1 at the rim; NaN for none.

        >>> Axis("attack", "fooled", "fooled", centre=1.0, rim=0.0).place(0.25)
        0.75
        >>> Axis("cost", "FLOPs/s", "FLOPs", centre=1e12, rim=1e6, logarithmic=True).place(1e9)
        0.5
        """
        if math.isnan(value):
            return math.nan
        if self.logarithmic:
            if value <= 0:
                raise ValueError(f"{self.name}: {value} has no place on a logarithmic scale")
            share = math.log(value / self.centre) / math.log(self.rim / self.centre)
        else:
            share = (value - self.centre) / (self.rim - self.centre)
        return round(min(max(share, 0.0), 1.0), 12)

    def at(self, place: float) -> float:
        """Return the value at a place.

        >>> Axis("fairness", "gap", "gap in UAR", centre=0.5, rim=0.0).at(0.5)
        0.25
        """
        if self.logarithmic:
            return self.centre * math.pow(self.rim / self.centre, place)
        return self.centre + place * (self.rim - self.centre)


SCALE = ".3g"
"""How numbers along a scale are formed."""

CHANCE_OF_TWO = 0.5
WIDEST_GAP = 0.5
"""A gap of half of all utterances: wider ones are drawn at the centre."""
DEAREST, CHEAPEST = 1e11, 1e6
"""FLOPs per second of speech: more than Whisper large takes, and less than a few dense layers on log-mel energies."""


def axes_for(metric: str, chance: float) -> tuple[Axis, ...]:
    """Return the axes, clockwise from the top.

    Parameters
    ----------
    metric
        ``uar`` or ``ccc``.
    chance
        What a model that hears nothing reaches in it.
    """
    name, unit, gap_unit = ("UAR", PER_CENT, POINTS) if metric == "uar" else (CCC, CCC, CCC)
    return (
        Axis("performance", "recognised", name, centre=chance, rim=1.0, unit=unit),
        Axis("fairness", "gap", f"gap in {name}", centre=WIDEST_GAP, rim=0.0, unit=gap_unit),
        Axis("attack", "fooled", "fooled", centre=1.0, rim=0.0, unit=PER_CENT),
        Axis("privacy", "gender read", "gender read", centre=1.0, rim=CHANCE_OF_TWO, unit=PER_CENT),
        Axis("robustness", "unchanged", "unchanged", centre=0.0, rim=1.0, unit=PER_CENT),
        Axis("cost", "FLOPs/s", "FLOPs per second", centre=DEAREST, rim=CHEAPEST, logarithmic=True),
    )


HEADS = {axis.name: axis.head for axis in axes_for("uar", 0.0)}
"""What each axis is called at the head of a column."""

BETTER = {axis.name: axis.better for axis in axes_for("uar", 0.0)}
"""Whether higher or lower figures are better on it."""


def units(metrics: Iterable[str]) -> str:
    """Return what the figures of profiles are in, where the metrics of recognition are these.

    >>> units(["uar"]), units(["uar", "ccc"])
    ('per cent', 'per cent (CCC times 100)')
    """
    return f"{PER_CENT} (CCC times 100)" if "ccc" in set(metrics) else PER_CENT
