"""The axes of the radar: what each shows, in which direction it is better, and from where to where it reaches.

Every scale is fixed, so that profiles of several datasets can be laid side by side; only what chance is depends on the
dataset. Outer is better on all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


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
    logarithmic
        Whether equal steps are equal factors.
    """

    name: str
    head: str
    title: str
    centre: float
    rim: float
    logarithmic: bool = False

    @property
    def better(self) -> str:
        """Say whether higher or lower figures are better."""
        return "higher" if self.rim > self.centre else "lower"

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
    name = metric.upper()
    return (
        Axis("performance", "recognised", name, centre=chance, rim=1.0),
        Axis("fairness", "gap", f"gap in {name}", centre=WIDEST_GAP, rim=0.0),
        Axis("attack", "fooled", "fooled", centre=1.0, rim=0.0),
        Axis("privacy", "gender read", "gender read", centre=1.0, rim=CHANCE_OF_TWO),
        Axis("robustness", "unchanged", "unchanged", centre=0.0, rim=1.0),
        Axis("cost", "FLOPs/s", "FLOPs per second", centre=DEAREST, rim=CHEAPEST, logarithmic=True),
    )


HEADS = {axis.name: axis.head for axis in axes_for("uar", 0.0)}
"""What each axis is called at the head of a column."""

BETTER = {axis.name: axis.better for axis in axes_for("uar", 0.0)}
"""Whether higher or lower figures are better on it."""
