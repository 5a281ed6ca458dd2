"""What an attacker says of the victims' updates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax

from candor.leakage.names import ALL
from candor.leakage.updates import Numbers
from candor.stats.intervals import FloatArray

MANY = ("odds", "control")


@dataclass
class Said:
    """What one attacker says of the victims of a fold.

    Parameters
    ----------
    attacker, layer
        Who, and of what.
    held_out, dev
        Numbers of single updates of shadow people whom he has not learned from, and his log odds, [updates, classes].
    odds
        By how many updates he sees: log odds, [groups, classes].
    control
        The same of attackers who were taught values that were dealt out anew, [dealings, groups, classes].
    """

    attacker: str
    layer: str
    held_out: Numbers
    dev: FloatArray
    odds: dict[int, FloatArray] = field(default_factory=dict)
    control: dict[int, FloatArray] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """Return all of it in lists, as it is kept aside."""
        listed = {name: {str(own): odds.tolist() for own, odds in vars(self)[name].items()} for name in MANY}
        dev = {"held_out": self.held_out.tolist(), "dev": self.dev.tolist()}
        return {"attacker": self.attacker, "layer": self.layer, **dev, **listed}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Said:
        """Return what `row` has put in lists."""
        many = [{int(own): np.array(odds) for own, odds in row[name].items()} for name in MANY]
        held_out = np.array(row["held_out"], dtype=np.intp)
        return cls(row["attacker"], row["layer"], held_out, np.array(row["dev"]), *many)


def fused(several: Sequence[Said], sizes: Callable[[str], int]) -> Said:
    """Return what the networks of several layers say together: the mean of their chances, by how large a layer is.

    That is fed-ser-leakage's fusion.
    """
    total = sum(sizes(own.layer) for own in several)
    weights = [sizes(own.layer) / total for own in several]

    def mixed(odds: Sequence[FloatArray]) -> FloatArray:
        return np.asarray(
            np.log(sum(weight * softmax(own, axis=-1) for weight, own in zip(weights, odds, strict=True)) + 1e-300)
        )

    return Said(
        several[0].attacker,
        ALL,
        several[0].held_out,
        mixed([own.dev for own in several]),
        {number: mixed([own.odds[number] for own in several]) for number in several[0].odds},
        {number: mixed([own.control[number] for own in several]) for number in several[0].control},
    )


def odds_for(value: int, odds: FloatArray) -> FloatArray:
    """Return how much speaks for a value against all others together, [updates]."""
    others = np.delete(odds, value, axis=1)
    return np.asarray(odds[:, value] - logsumexp(others, axis=1))
