"""Convolutions of width one, pooling, dense layers: the head of trust-ser."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from candor.models.heads.dropout import ReluDropout
from candor.models.heads.head import Head
from candor.models.heads.pooling import Pooling


class CnnHead(Head):
    """Convolutions over single frames, pooling over the frames, dense layers.

    ReLU and dropout stand between the convolutions; the last one has no activation. A convolution of width one is
    a dense layer on every frame, and is written as one.

    Parameters
    ----------
    dimensions
        Width of a frame.
    outputs
        Classes or scores.
    pooling
        Pools frames of the width `hidden_size`.
    hidden_size
        Width of every convolution and of every dense layer but the last.
    conv_layers
        Number of convolutions.
    num_layers
        Number of dense layers after pooling, with ReLU between them.
    dropout
        Probability that dropout sets a value to 0.

    References
    ----------
    .. [1] T. Feng, R. Hebbar, S. Narayanan, "TrustSER: On the trustworthiness of fine-tuning pre-trained speech
       embeddings for speech emotion recognition", arXiv:2305.11229.
    """

    def __init__(
        self,
        dimensions: int,
        outputs: int,
        pooling: Pooling,
        *,
        hidden_size: int,
        conv_layers: int = 2,
        num_layers: int = 2,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        widths = [dimensions] + [hidden_size] * conv_layers
        self.convolutions = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.between = ReluDropout(dropout)
        self.pooling = pooling
        widths = [pooling.width] + [hidden_size] * (num_layers - 1) + [outputs]
        self.dense = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))

    def embed(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return [utterances, width] of packed frames [total_frames, dimensions]."""
        for convolution in self.convolutions[:-1]:
            frames = self.between(convolution(frames))
        last = self.convolutions[-1]
        if self.pooling.commutes_with_dense:
            # The mean of what the last convolution makes of the frames is what it makes of their mean, and cheaper.
            pooled = last(self.pooling(frames, lengths))
        else:
            pooled = self.pooling(last(frames), lengths)
        for layer in self.dense[:-1]:
            pooled = torch.relu(layer(pooled))
        return pooled  # type: ignore[no-any-return]

    def decide(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return [utterances, outputs]."""
        return self.dense[-1](embedding)  # type: ignore[no-any-return]
