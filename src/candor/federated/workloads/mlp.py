"""Dense layers on one vector per example: the model of fed-ser-leakage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from candor.models.heads.dropout import ReluDropout


class Mlp(nn.Module):
    """Dense layers with ReLU between them, and dropout after the first one in training.

    fed-ser-leakage also drops values after the second layer, and goes on doing so where models are judged, which makes
    its figures differ from one call to the next; that is not done here.

    Parameters
    ----------
    dimensions
        Width of an example.
    hidden_size
        Widths of the hidden layers.
    outputs
        Number of classes.
    dropout
        Probability that dropout sets a value behind the first hidden layer to 0.
    """

    def __init__(self, dimensions: int, hidden_size: Sequence[int], outputs: int, dropout: float) -> None:
        super().__init__()
        widths = [dimensions, *hidden_size, outputs]
        self.dense = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.after_first = ReluDropout(dropout)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the logits, [examples, outputs], of [examples, dimensions]."""
        for number, layer in enumerate(self.dense[:-1]):
            values = torch.relu(layer(values)) if number else self.after_first(layer(values))
        return self.dense[-1](values)  # type: ignore[no-any-return]
