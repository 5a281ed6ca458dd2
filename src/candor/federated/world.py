"""What every way of training starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from candor.federated.clients import Client
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.workload import Workload


@dataclass(frozen=True)
class World:
    """A workload, who holds its examples, and the model before the first round.

    Parameters
    ----------
    workload
        What is learned.
    clients
        Who takes part.
    start
        The numbers of the first model.
    layout
        Of the model.
    targets
        The class of every example as it is told in training, where it may be wrong.
    device
        What models run on.
    """

    workload: Workload
    clients: Sequence[Client]
    start: Weights
    layout: Layout
    targets: torch.Tensor
    device: str = "cpu"

    def model(self, weights: Weights | None = None) -> nn.Module:
        """Return a model on the device, with these numbers or those of the first model."""
        return (weights or self.start).to_model(self.workload.make(), self.layout).to(self.device)
