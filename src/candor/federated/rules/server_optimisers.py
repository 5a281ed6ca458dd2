r"""Algorithms whose server takes the mean update for a gradient, the other way round, and has an optimiser for it.

With :math:`\Delta` the mean of the clients' updates, weighted by their examples, and all of it per parameter. Moments
begin at 0 and are those of Flower, which departs from the paper in two things: in FedAdam the learning rate of round t
is corrected for the bias of moments that began at 0 (with the exponent t + 1), and :math:`v` begins at 0, not at
:math:`\tau^2`.

References
----------
Hsu, Qi and Brown (2019), Measuring the effects of non-identical data distribution for federated visual classification.
Reddi et al. (2021), Adaptive federated optimization, ICLR.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch

from candor.federated.rules.rule import Rule, State


class FedAvgM(Rule):
    r"""Momentum: :math:`v \leftarrow \beta v + \Delta`, :math:`w \leftarrow w + \eta v`."""

    name: ClassVar[str] = "fed_avgm"

    def begin(self, clients: int) -> State:
        """Return a server at rest."""
        return {"velocity": torch.zeros(self.layout.size)}

    def move(self, update: torch.Tensor, state: State, round: int) -> torch.Tensor:
        """Return the step of a server in motion."""
        server = self.settings.server
        state["velocity"] = server.momentum * state["velocity"] + update
        return server.learning_rate * state["velocity"]


class Adaptive(Rule):
    r"""What the adaptive algorithms share: :math:`w \leftarrow w + \eta\, m / (\sqrt{v} + \tau)`."""

    def begin(self, clients: int) -> State:
        """Return moments of 0."""
        return {moment: torch.zeros(self.layout.size) for moment in ("first_moment", "second_moment")}

    def move(self, update: torch.Tensor, state: State, round: int) -> torch.Tensor:
        """Return a step whose length each parameter has its own measure for."""
        state["first_moment"] = self.first_moment(state["first_moment"], update)
        state["second_moment"] = self.second_moment(state["second_moment"], update**2)
        divisors = state["second_moment"].sqrt() + self.settings.server.tau
        return self.learning_rate(round) * state["first_moment"] / divisors

    def learning_rate(self, round: int) -> float:
        """Return that of a round."""
        return self.settings.server.learning_rate

    def first_moment(self, before: torch.Tensor, update: torch.Tensor) -> torch.Tensor:
        r"""Return :math:`m \leftarrow \beta_1 m + (1 - \beta_1) \Delta`."""
        beta = self.settings.server.beta_1
        return beta * before + (1 - beta) * update

    @abstractmethod
    def second_moment(self, before: torch.Tensor, squared: torch.Tensor) -> torch.Tensor:
        """Return that of a round, given the squares of the update."""


class FedAdam(Adaptive):
    r"""Adam: :math:`v \leftarrow \beta_2 v + (1 - \beta_2) \Delta^2`."""

    name: ClassVar[str] = "fed_adam"

    def learning_rate(self, round: int) -> float:
        r"""Return :math:`\eta \sqrt{1 - \beta_2^{t+1}} / (1 - \beta_1^{t+1})` in round t."""
        server = self.settings.server
        return float(
            server.learning_rate * (1 - server.beta_2 ** (round + 1)) ** 0.5 / (1 - server.beta_1 ** (round + 1))
        )

    def second_moment(self, before: torch.Tensor, squared: torch.Tensor) -> torch.Tensor:
        """Return a mean that forgets exponentially."""
        beta = self.settings.server.beta_2
        return beta * before + (1 - beta) * squared


class FedYogi(Adaptive):
    r"""Yogi: :math:`v \leftarrow v - (1 - \beta_2) \Delta^2 \operatorname{sign}(v - \Delta^2)`."""

    name: ClassVar[str] = "fed_yogi"

    def second_moment(self, before: torch.Tensor, squared: torch.Tensor) -> torch.Tensor:
        """Return a mean that moves by no more than a share of the squares, however large it is."""
        return before - (1 - self.settings.server.beta_2) * squared * torch.sign(before - squared)


class FedAdagrad(Adaptive):
    r"""Adagrad: :math:`m = \Delta`, :math:`v \leftarrow v + \Delta^2`."""

    name: ClassVar[str] = "fed_adagrad"

    def first_moment(self, before: torch.Tensor, update: torch.Tensor) -> torch.Tensor:
        """Return the update; nothing is remembered."""
        return update

    def second_moment(self, before: torch.Tensor, squared: torch.Tensor) -> torch.Tensor:
        """Return the sum of the squares of all rounds."""
        return before + squared
