"""Differential privacy of what a client sends, towards whoever sees it."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from candor.federated.defences.accounting import epsilon_of_updates, noise_for_updates, times_within
from candor.federated.defences.noise import clipped
from candor.federated.defences.treatment import Facts
from candor.federated.defences.with_budget import WithBudget
from candor.federated.errors import FederatedError
from candor.federated.local import Returned
from candor.federated.settings import LOCAL_DP, Settings
from candor.federated.shares import NUDGE
from candor.federated.vectors import Layout


class LocalDp(WithBudget):
    r"""Each client clips its update and noises it before it leaves: :math:`\mathrm{clip}_C(u_k) + N(0, z^2 C^2)`.

    The guarantee: whoever sees all that a client sends, be it the server or an eavesdropper, cannot tell its updates
    from any others, up to epsilon and delta. Two clipped updates are as far as 2 C apart, so noise is worth half of
    what it is on a sum, of which a client is a part or not. Nothing is gained by sampling either, as it is seen who
    sends. How many examples a client went through is told beside its update, and not covered.

    Each client has a budget, and takes no further part when it is spent. The server may do with what comes whatever it
    likes.

    References
    ----------
    Kasiviswanathan et al. (2011), What can we learn privately?, SIAM Journal on Computing.
    """

    kind: ClassVar[str] = LOCAL_DP

    def __init__(self, settings: Settings, layout: Layout, clients: int) -> None:
        super().__init__(settings, layout, clients)
        self.refuse_buffers()
        self.noise, self.most_times = self._fitting()
        self._times = [0] * clients
        """How often each client has sent an update."""

    def _fitting(self) -> tuple[float, int]:
        """Return the noise, and how often a client may send with it."""
        if (others := self.defence.imitated) is not None:
            assert others.noise is not None
            return others.noise, self.settings.num_epochs
        if self.defence.noise is None:
            expected = max(1, math.ceil(self.settings.num_epochs * self.rate - NUDGE))
            return noise_for_updates(self.epsilon, expected, self.delta), expected
        noise = self.defence.noise
        times = times_within(self.epsilon, noise, self.delta)
        if not times:
            raise FederatedError(
                f"with defence.noise {noise:g} a single update spends more than {self.budget}; raise noise, or leave "
                "it out to have as much as a client needs"
            )
        return noise, times

    def admits(self, client: int) -> bool:
        """Return whether a client has some of its budget left."""
        return self._times[client] < self.most_times

    def treat(self, returned: Returned, round: int) -> Returned:
        """Return updates that are clipped and noised."""
        for client in returned.clients:
            self._times[client] += 1
        return self.noised(clipped(returned.updates.cpu(), self.clip), returned, round)

    def deviation(self, examples: int) -> float:
        """Return how strong the noise is."""
        return self.noise * self.clip

    def announcement(self) -> str:
        """Return what is done and what it guarantees."""
        return (
            f"each update is clipped to {self.clip:g} and noised by {self.noise:.4g} times that; a client sends "
            f"{self.most_times} at most, which spend "
            f"{epsilon_of_updates(self.noise, self.most_times, self.delta):.4g} of {self.budget} towards who sees them"
        )

    def ending(self) -> str:
        """Return how many clients may send no more; blank if none."""
        spent = sum(times >= self.most_times for times in self._times)
        return f"{spent} of {self.clients} clients have spent their budget of {self.budget}" if spent else ""

    def state(self) -> dict[str, Any]:
        """Return what the budgets need."""
        return {**super().state(), "times": list(self._times)}

    def take_up(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has returned."""
        super().take_up(state)
        self._times = list(state["times"])

    def guarantee(self) -> Facts:
        """Return the epsilon of the client that has sent most; models are made of updates, and tell no more."""
        epsilon = epsilon_of_updates(self.noise, max(self._times), self.delta)
        return {
            **super().guarantee(),
            "epsilon": epsilon,
            "epsilon_updates": epsilon,
            "noise": self.noise,
            "note": "both epsilons are for who sees all that a client sends in this fold, save how many examples it "
            f"went through. {self.limits}",
        }
