"""What examples add to the gradient of a dense network, written out, so that it can be matched and taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from candor.models.heads.dropout import chance_of_keeping

Gradient = list[torch.Tensor]
"""Of each layer the gradient of its weights and that of its biases, one after the other."""


@dataclass(frozen=True)
class DenseNetwork:
    """The numbers of `candor.federated.workloads.mlp.Mlp`, in double precision.

    Parameters
    ----------
    weights, biases
        Of each layer, [outputs, inputs] and [outputs].
    kept
        Probability that dropout behind the first layer keeps a value; 1 without dropout. What is kept is divided by it.
    """

    weights: list[torch.Tensor]
    biases: list[torch.Tensor]
    kept: float

    @classmethod
    def of(cls, tensors: Mapping[str, torch.Tensor | np.ndarray], dropout: float) -> DenseNetwork:
        """Return the network whose tensors have these names, as a state dict and a history have them.

        Parameters
        ----------
        tensors
            ``dense.0.weight``, ``dense.0.bias`` and so on.
        dropout
            That clients train it with.
        """
        layers = range(sum(name.endswith(".weight") for name in tensors))
        weights, biases = (
            [torch.as_tensor(tensors[f"dense.{layer}.{kind}"]).detach().double() for layer in layers]
            for kind in ("weight", "bias")
        )
        return cls(weights, biases, chance_of_keeping(dropout))

    def without_dropout(self) -> DenseNetwork:
        """Return the network as it would be trained without dropout."""
        return replace(self, kept=1.0)

    @property
    def classes(self) -> int:
        """Return the number of outputs."""
        return len(self.biases[-1])

    def before_first(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the values of the first layer before ReLU and dropout, [examples, width]."""
        return inputs @ self.weights[0].T + self.biases[0]

    def behind_first(self, first: torch.Tensor) -> list[torch.Tensor]:
        """Return the values of all other layers before ReLU, the logits last.

        Parameters
        ----------
        first
            What ReLU and dropout let through of the first layer, [examples, width].
        """
        found = [first @ self.weights[1].T + self.biases[1]]
        for weight, bias in zip(self.weights[2:], self.biases[2:], strict=True):
            found.append(torch.relu(found[-1]) @ weight.T + bias)
        return found

    def errors(self, first: torch.Tensor, targets: torch.Tensor) -> list[torch.Tensor]:
        """Return the derivatives of the cross-entropy by the values of each layer before ReLU, [examples, width] each.

        Parameters
        ----------
        first
            What ReLU and dropout let through of the first layer.
        targets
            Probability of each class, [examples, classes].
        """
        values = self.behind_first(first)
        errors = [torch.softmax(values[-1], dim=1) - targets]
        for weight, before in zip(self.weights[:1:-1], values[-2::-1], strict=True):
            errors.append((errors[-1] @ weight) * (before > 0))
        errors.append((errors[-1] @ self.weights[1]) * (first > 0) / self.kept)
        return errors[::-1]

    def gradient(self, inputs: torch.Tensor, first: torch.Tensor, targets: torch.Tensor) -> Gradient:
        """Return the gradient of the cross-entropy, summed over the examples."""
        hidden = [inputs, first, *map(torch.relu, self.behind_first(first)[:-1])]
        errors = self.errors(first, targets)
        return [part for own, into in zip(errors, hidden, strict=True) for part in (own.T @ into, own.sum(0))]

    def summed(self, gradients: Mapping[str, torch.Tensor | np.ndarray], examples: int) -> Gradient:
        """Return a client's gradient, the mean over its examples, as their sum.

        Parameters
        ----------
        gradients
            As they were sent, by the names of parameters.
        examples
            Of how many examples.

        Raises
        ------
        ValueError
            When one is missing.
        """
        names = [f"dense.{layer}.{kind}" for layer in range(len(self.weights)) for kind in ("weight", "bias")]
        if missing := [name for name in names if name not in gradients]:
            raise ValueError(f"an inversion needs the gradients of all layers; missing: {', '.join(missing)}")
        return [torch.as_tensor(gradients[name]).double() * examples for name in names]


def one_hot(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return the probability of each class, where the labels are known."""
    return torch.nn.functional.one_hot(labels, classes).double()
