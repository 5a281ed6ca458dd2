"""What goes wrong in a round: clients that do not answer, are slow, send what is no number, or send poison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from candor.federated.draws import draws
from candor.federated.settings import Faults
from candor.federated.shares import nearest

ANSWERED, IN_PART, DROPPED_OUT, LATE, NOT_FINITE = "answered", "in part", "dropped out", "late", "not finite"
"""What becomes of a chosen client, in the words of the tables."""

Fate = Literal["sound", "drops out", "slow", "broken"]

SCALED_BY = 10.0


@dataclass(frozen=True)
class Mishaps:
    """Who is hit by what, and when, drawn from the run's seed.

    Parameters
    ----------
    faults
        How probable what is.
    clients
        How many clients there are.
    seed
        Of the run.
    """

    faults: Faults
    clients: int
    seed: int

    def fates(self, chosen: Sequence[int], round: int) -> dict[int, Fate]:
        """Return what happens to each of the chosen clients in a round; at most one thing happens to each."""
        faults = self.faults
        # One draw per client there is: what happens to one does not depend on who else was chosen.
        chances = draws(self.seed, "fates", round).random((self.clients, 3))
        fates: dict[int, Fate] = {}
        for client in chosen:
            drops, slow, broken = chances[client] < (faults.drop_out, faults.straggle, faults.broken)
            fates[client] = "drops out" if drops else "slow" if slow else "broken" if broken else "sound"
        return fates

    def poisoned(self) -> frozenset[int]:
        """Return which clients send poison, in every round that they take part in; one at least, if any are to."""
        count = max(int(self.faults.poisoned > 0), nearest(self.faults.poisoned, self.clients))
        return frozenset(draws(self.seed, "poisoned").permutation(self.clients)[:count].tolist())

    def poison(self, update: torch.Tensor, client: int, round: int) -> torch.Tensor:
        """Return what a poisoned client sends in place of what it learned."""
        match self.faults.poison:
            case "sign_flip":
                return -update
            case "scale":
                return SCALED_BY * update
        noise = torch.from_numpy(draws(self.seed, "poison", round, client).standard_normal(len(update))).to(update)
        return noise.mul_(update.norm() / noise.norm())
