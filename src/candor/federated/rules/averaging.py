"""Algorithms that average what clients send: FedSGD, FedAvg, FedProx."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch

from candor.federated.local import Local
from candor.federated.rules.rule import Rule, State


class FedAvg(Rule):
    r"""Clients learn on their own, and their models are averaged.

    .. math:: w \leftarrow \sum_k \frac{n_k}{\sum_j n_j} w_k

    n_k is the number of examples that client k went through.

    References
    ----------
    McMahan et al. (2017), Communication-efficient learning of deep networks from decentralized data, AISTATS.
    """

    name: ClassVar[str] = "fed_avg"

    def move(self, update: torch.Tensor, state: State, round: int) -> torch.Tensor:
        """Return the mean of the updates: the mean of the models, less the one they began with."""
        return update


class FedSgd(Rule):
    r"""Clients send gradients, and the server takes a step down their mean.

    .. math:: w \leftarrow w - \eta \sum_k \frac{n_k}{\sum_j n_j} \nabla F_k(w)

    With all that all clients hold this is the step of a model that is trained at one place.

    References
    ----------
    McMahan et al. (2017), Communication-efficient learning of deep networks from decentralized data, AISTATS.
    """

    name: ClassVar[str] = "fed_sgd"

    @property
    def local(self) -> Local:
        """Return that clients take no step."""
        return Local("none", self.settings.learning_rate)

    def move(self, update: torch.Tensor, state: State, round: int) -> torch.Tensor:
        """Return the step down the mean gradient, which is what `update` is here."""
        return -self.settings.learning_rate * update


class FedProx(FedAvg):
    r"""FedAvg whose clients are drawn back to the model of the round.

    Each client makes :math:`F_k(w) + \frac{\mu}{2} \lVert w - w^t \rVert^2` small.

    References
    ----------
    Li et al. (2020), Federated optimization in heterogeneous networks, MLSys.
    """

    name: ClassVar[str] = "fed_prox"

    @property
    def local(self) -> Local:
        """Return that clients are drawn back."""
        assert self.settings.proximal is not None  # the config fills it in for this algorithm
        return replace(super().local, proximal=self.settings.proximal)
