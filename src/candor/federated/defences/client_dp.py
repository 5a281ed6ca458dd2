r"""Differential privacy of each client towards whoever sees the models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from candor.federated.defences.accounting import (
    epsilon_of_models,
    epsilon_of_updates,
    noise_for_models,
    rounds_within,
    step_for,
)
from candor.federated.defences.noise import clipped, gaussian
from candor.federated.defences.treatment import Facts
from candor.federated.defences.with_budget import WithBudget
from candor.federated.errors import FederatedError
from candor.federated.local import Returned
from candor.federated.rules.gathered import Gathered
from candor.federated.rules.rule import Rule
from candor.federated.sampling import each_by_chance, how_many
from candor.federated.settings import CLIENT_DP, Settings
from candor.federated.vectors import Layout, Weights

SERVER = "server"


class ClientDp(WithBudget):
    r"""Updates are clipped, and their sum is noised; the clients bring the noise along.

    Every client takes part in a round with probability q, on its own (Poisson sampling). Of the k that do, each clips
    its update to the norm C and adds its share of the noise, :math:`N(0, z^2 C^2 / k)`; the server adds the shares of
    those who do not answer, so that the sum has :math:`N(0, z^2 C^2)` in every round, also in one without any answer:

    .. math:: u = \frac{1}{m} \Big( \sum_k \mathrm{clip}_C(u_k) + N(0, z^2 C^2) \Big)

    m is the number expected, q times that of all clients, and no number of the round: neither the divisor nor the
    strength of the noise may tell how many took part, which among hundreds of thousands of parameters could be read
    off the latter. For the same reason clients do not weigh by their examples. What an algorithm's server makes of u
    costs nothing more.

    The guarantee: whoever sees all models cannot tell a run with a client from one without it, up to epsilon and
    delta. How many clients there are, and q, are taken for known. Rounds end before the budget is exceeded.

    References
    ----------
    McMahan et al. (2018), Learning differentially private recurrent language models, ICLR.
    Dwork et al. (2006), Our data, ourselves: privacy via distributed noise generation, EUROCRYPT.
    """

    kind: ClassVar[str] = CLIENT_DP
    steps_alone: ClassVar[bool] = True

    def __init__(self, settings: Settings, layout: Layout, clients: int) -> None:
        super().__init__(settings, layout, clients)
        self.refuse_buffers()
        self.noise, self.most_rounds = self._fitting(settings.num_epochs)
        self._taking_part = 0
        self._given_away = [0] * clients
        """Of each client, over the rounds that it answered in, the sum of how many took part.

        The noise on an update of one of k has the variance of that on the sum over k."""

    def _fitting(self, rounds: int) -> tuple[float, int]:
        """Return the noise, and how many rounds fit the budget with it."""
        if (others := self.defence.imitated) is not None:
            assert others.noise is not None
            return others.noise * math.sqrt(how_many(self.clients, self.settings.clients_per_round)), rounds
        if self.defence.noise is None:
            return noise_for_models(self.epsilon, self.rate, rounds, self.delta), rounds
        noise = self.defence.noise
        most = rounds_within(self.epsilon, noise, self.rate, rounds, self.delta)
        if not most:
            raise FederatedError(
                f"with defence.noise {noise:g} the first round spends more than {self.budget}; raise noise, or leave "
                "it out to have as much as all rounds need"
            )
        return noise, most

    @property
    def over(self) -> bool:
        """Return whether another round would exceed the budget."""
        return self.rounds >= self.most_rounds

    def choose(self, able: Sequence[int], round: int) -> list[int]:
        """Return who takes part in a round: each client by chance."""
        tossed = set(each_by_chance(self.clients, self.rate, self.settings.seed, round))
        chosen = [client for client in able if client in tossed]
        self._taking_part = len(chosen)
        return chosen

    def treat(self, returned: Returned, round: int) -> Returned:
        """Return updates that are clipped and hold the clients' shares of the noise."""
        for client in returned.clients:
            self._given_away[client] += self._taking_part
        return self.noised(clipped(returned.updates.cpu(), self.clip), returned, round)

    def deviation(self, examples: int) -> float:
        """Return how strong a client's share of the noise is."""
        return self.noise * self.clip / math.sqrt(self._taking_part)

    def gather(self, rule: Rule, round: int) -> NoisedSum:
        """Return what sums up answers and completes the noise on them, whatever the algorithm."""
        many = how_many(self.clients, self.settings.clients_per_round)
        deviation = self.hushed * self.noise * self.clip
        noise = gaussian(self.layout.size, deviation, self.settings.seed, round, SERVER)
        return NoisedSum(self._taking_part, many, noise)

    def announcement(self) -> str:
        """Return what is done and what it guarantees."""
        spent = epsilon_of_models(self.noise, self.rate, self.most_rounds, self.delta, step_for(self.epsilon))
        return (
            f"updates are clipped to {self.clip:g}, and the noise on their sum is {self.noise:.4g} times that; a "
            f"client takes part in a round with probability {self.rate:.3g}; {self.most_rounds} rounds spend "
            f"{spent:.4g} of {self.budget} towards who sees the models"
        )

    def ending(self) -> str:
        """Return that another round would be too much; blank where it would not."""
        if not self.over:
            return ""
        return f"another round would exceed the budget of {self.budget}"

    def state(self) -> dict[str, Any]:
        """Return what the budgets need."""
        return {**super().state(), "given_away": list(self._given_away)}

    def take_up(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has returned."""
        super().take_up(state)
        self._given_away = list(state["given_away"])

    def guarantee(self) -> Facts:
        """Return the epsilon of the rounds that there have been, for who sees models and for who sees updates."""
        step = step_for(self.epsilon)
        return {
            **super().guarantee(),
            "epsilon": epsilon_of_models(self.noise, self.rate, self.rounds, self.delta, step),
            "epsilon_updates": epsilon_of_updates(self.noise, max(self._given_away), self.delta),
            "noise": self.noise,
            "note": "epsilon is for who sees all models of this fold; epsilon_updates for who sees single updates and "
            f"who sends them. {self.limits}",
        }


class NoisedSum(Gathered):
    """A sum of answers, noised as much as it is to be however many there are, over the number expected.

    Parameters
    ----------
    shares
        Into how many the noise was divided; each answer brings one of them.
    expected
        What the sum is divided by.
    noise
        The whole noise on a sum, of which the shares are added that no answer has brought, [parameters].
    """

    def __init__(self, shares: int, expected: int, noise: torch.Tensor) -> None:
        super().__init__()
        self._shares, self._expected, self._noise = shares, expected, noise
        self._sum = torch.zeros_like(noise)
        self._clients: list[int] = []

    def combined(self) -> Weights:
        """Return the noised sum over the number expected, also where there is no answer."""
        return self._combine()

    def shares(self) -> dict[int, float]:
        """Return what a client's update was multiplied by."""
        return dict.fromkeys(self._clients, 1 / self._expected)

    def _take(self, returned: Returned) -> None:
        self._sum += returned.updates.cpu().sum(dim=0)
        self._clients += returned.clients

    def _combine(self) -> Weights:
        lacking = 1 - len(self._clients) / self._shares if self._shares else 1.0
        total = self._sum + math.sqrt(lacking) * self._noise
        return Weights(total / self._expected, torch.empty(0), torch.empty(0, dtype=torch.int64))
