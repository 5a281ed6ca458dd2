"""What every workload offers: a model, examples, a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional


class Workload(ABC):
    """What is learned: models are made here, and given batches of numbered examples.

    Parameters
    ----------
    classes
        The names of what is told apart, in order.
    targets
        The class of every example, [examples].
    """

    def __init__(self, classes: Sequence[str], targets: torch.Tensor) -> None:
        self.classes, self.targets = list(classes), targets

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.targets)

    @abstractmethod
    def make(self) -> nn.Module:
        """Return an untrained model; torch's generator was seeded before."""

    @abstractmethod
    def batch(self, numbers: Sequence[int], device: str) -> Any:
        """Return what a model takes, for these examples."""

    def losses(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return what is to be made small, of each example."""
        return functional.cross_entropy(outputs, targets, reduction="none")

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return its mean over a batch."""
        return functional.cross_entropy(outputs, targets)


class InMemory(Workload):
    """A workload whose examples are the rows of one tensor.

    Engines that run many clients at once take rows from `inputs` themselves.

    Parameters
    ----------
    classes, targets
        As for every workload.
    inputs
        [examples, ...].
    """

    def __init__(self, classes: Sequence[str], targets: torch.Tensor, inputs: torch.Tensor) -> None:
        super().__init__(classes, targets)
        self.inputs = inputs

    def batch(self, numbers: Sequence[int], device: str) -> torch.Tensor:
        """Return the rows of these examples."""
        return self.inputs[torch.as_tensor(numbers)].to(device)
