r"""The user-level privacy of fed-ser-leakage as published, to compare with: its epsilon does not hold."""

from __future__ import annotations

import math
from typing import ClassVar

from candor.federated.defences.treatment import Facts
from candor.federated.defences.with_budget import WithBudget
from candor.federated.local import Returned
from candor.federated.settings import USER_DP


class UserDp(WithBudget):
    r"""Clients clip the gradient of each batch to C before Adam's step, and noise their update.

    .. math:: \sigma_k = \frac{2 C}{n_k} \frac{\sqrt{2 q T \ln(1 / \delta)}}{\varepsilon}

    with n_k the examples that the client went through, q the share of clients in a round and T the rounds.

    References
    ----------
    Feng, Peri and Narayanan (2022), User-level differential privacy against attribute inference attack of speech
    emotion recognition in federated learning, Interspeech.
    """

    kind: ClassVar[str] = USER_DP

    def deviation(self, examples: int) -> float:
        """Return the standard deviation of the noise of a client that went through so many examples."""
        others = self.defence.imitated
        share = self.rate if others is None else others.per_round / others.clients
        rounds = share * self.settings.num_epochs
        spread = math.sqrt(2 * rounds * math.log(1 / self.delta)) / self.epsilon
        return 2 * self.clip / examples * spread

    def treat(self, returned: Returned, round: int) -> Returned:
        """Return updates that are noised; their gradients were clipped when they were made."""
        return self.noised(returned.updates.to("cpu", copy=True), returned, round)

    def announcement(self) -> str:
        """Return what is done."""
        return f"clients clip gradients and noise updates as in fed-ser-leakage, which claims {self.budget}"

    def guarantee(self) -> Facts:
        """Return what is claimed, and why there is no epsilon."""
        return {
            **super().guarantee(),
            "claimed_epsilon": self.epsilon,
            "note": f"no guarantee: {self.caution()}",
        }

    def caution(self) -> str:
        """Return in words why the epsilon that is claimed does not hold."""
        return (
            "the epsilon that is claimed does not hold. The gradient of each batch is clipped, but Adam makes of it a "
            f"step of any size, so nothing bounds what is sent; delta {self.delta:g} allows to publish all that "
            f"{100 * self.delta:g} % of the clients hold; and the noise shrinks with the examples of a client, while "
            "what one client can do to a model does not"
        )
