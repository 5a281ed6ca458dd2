"""Which updates of a client an attacker sees together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from candor.federated.draws import draws
from candor.leakage.attackers.attacker import Codes
from candor.leakage.settings import TRIALS
from candor.leakage.updates import Numbers, Updates


@dataclass(frozen=True)
class Groups:
    """Which of the victims' updates are averaged before an attacker looks at them.

    Parameters
    ----------
    members
        Numbers of updates.
    trials
        Of each group, which of several drawings it is of; all 0 where every update stands for itself.
    """

    members: Sequence[Numbers]
    trials: Codes

    @property
    def seen(self) -> float:
        """Return how many updates are in a group, in the mean."""
        return float(np.mean([len(own) for own in self.members]))


def single(victims: Updates) -> Groups:
    """Return every update by itself."""
    numbers = np.arange(len(victims))
    return Groups([numbers[place : place + 1] for place in numbers], np.zeros(len(victims), dtype=np.intp))


def some_of_each(victims: Updates, number: int, seed: int) -> Groups:
    """Return some updates of each client, drawn without replacement, several times; all, where it sent no more."""
    by_client: dict[tuple[int, str], list[int]] = {}
    for place, update in enumerate(victims.seen):
        by_client.setdefault((update.federation, update.client), []).append(place)
    members, trials = [], []
    for trial in range(TRIALS):
        for (fold, client), own in by_client.items():
            order = draws(seed, "seen", number, trial, fold, client).permutation(len(own))[:number]
            members.append(np.sort(np.array(own, dtype=np.intp)[order]))
            trials.append(trial)
    return Groups(members, np.array(trials, dtype=np.intp))
