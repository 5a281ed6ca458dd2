"""A linear head on pooled hidden states."""

from __future__ import annotations

import torch
from torch import nn

from candor.models.inputs import PooledBatch


class LinearHead(nn.Module):
    """Standardise, weigh the layers, one dense layer.

    The layers of the backbone are averaged with softmax weights that are learned. Mean and scale come from
    the training speakers and are part of the model.

    Parameters
    ----------
    layers, statistics, dimensions
        Shape of one utterance's pooled features.
    classes
        Number of classes.
    """

    def __init__(self, layers: int, statistics: int, dimensions: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(layers, statistics, dimensions))
        self.register_buffer("scale", torch.ones(layers, statistics, dimensions))
        self.layer_weights = nn.Parameter(torch.zeros(layers))
        self.dense = nn.Linear(statistics * dimensions, classes)

    def standardise_by(self, pooled: torch.Tensor) -> None:
        """Take mean and scale from the pooled features of the training speakers."""
        self.mean = pooled.mean(dim=0)
        deviation = pooled.std(dim=0, correction=0)
        # A dimension that never changes says nothing, and must not turn rounding errors into evidence.
        self.scale = torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation))

    def embed(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return [utterances, statistics · dimensions]: what the dense layer is given."""
        standardised = (pooled - self.mean).div_(self.scale)
        weights = torch.softmax(self.layer_weights, dim=0)
        # One vector times one matrix takes half the time that einsum() takes.
        mixed = weights @ standardised.transpose(0, 1).flatten(1)
        return mixed.view(len(pooled), -1)

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return the logits of pooled features with the shape [utterances, layers, statistics, dimensions]."""
        return self.dense(self.embed(pooled))  # type: ignore[no-any-return]


class PooledNetwork(nn.Module):
    """A linear head on pooled states.

    Parameters
    ----------
    layers, dimensions
        Shape of the hidden states.
    outputs
        Classes, or one for a rating.
    pooling
        `mean`, or `std` for mean and standard deviation.
    """

    def __init__(self, layers: int, dimensions: int, outputs: int, pooling: str) -> None:
        super().__init__()
        self.statistics = {"mean": 1, "std": 2}[pooling]
        self.head = LinearHead(layers, self.statistics, dimensions, outputs)

    def standardise_by(self, pooled: torch.Tensor) -> None:
        """Take mean and scale from the pooled states of the training speakers."""
        self.head.standardise_by(pooled[:, :, : self.statistics])

    def embed(self, batch: PooledBatch) -> torch.Tensor:
        """Return the emotion embedding, [utterances, width]."""
        return self.head.embed(batch.pooled[:, :, : self.statistics])

    def decide(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return the outputs of embeddings, [utterances, outputs]."""
        return self.head.dense(embedding)  # type: ignore[no-any-return]

    def forward(self, batch: PooledBatch) -> torch.Tensor:
        """Return the outputs, [utterances, outputs]."""
        return self.decide(self.embed(batch))

    def layer_weights(self) -> list[float]:
        """Return the weight of each layer of the backbone."""
        return [float(weight) for weight in torch.softmax(self.head.layer_weights.detach(), dim=0)]
