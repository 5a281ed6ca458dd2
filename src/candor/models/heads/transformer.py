"""A head of self-attention layers."""

from __future__ import annotations

import math

import torch
from torch import nn

from candor.models.heads.dropout import Dropout
from candor.models.heads.head import Head
from candor.models.heads.pooling import Pooling
from candor.models.heads.segments import pad, unpad

ATTENTION_HEADS = 4


class TransformerHead(Head):
    """A projection, sinusoidal positions, transformer encoder layers, pooling, one dense layer.

    The layers normalise first and end in a normalisation, which trains without a warm-up; they have four attention
    heads and a feed-forward part of four times the `hidden_size`.

    Parameters
    ----------
    dimensions
        Width of a frame.
    outputs
        Classes or scores.
    pooling
        Pools frames of the width `hidden_size`.
    hidden_size
        Width of the layers, a multiple of four.
    num_layers
        Number of encoder layers.
    dropout
        Probability that dropout sets a value to 0, behind the positions and in each layer at torch's places but one:
        not on the attention weights, which then never lie in memory as a whole.
    """

    def __init__(
        self,
        dimensions: int,
        outputs: int,
        pooling: Pooling,
        *,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.project = nn.Linear(dimensions, hidden_size)
        self.dropout = Dropout(dropout)
        # Built one by one: nn.TransformerEncoder copies one layer, and all would start with the same weights.
        self.layers = nn.ModuleList(_layer(hidden_size, dropout) for _ in range(num_layers))
        self.norm = nn.LayerNorm(hidden_size)
        self.pooling = pooling
        self.dense = nn.Linear(pooling.width, outputs)

    def embed(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return [utterances, width] of packed frames [total_frames, dimensions]."""
        states = pad(self.project(frames), lengths)
        states = self.dropout(states + positions(states.shape[1], states.shape[2]).to(states))
        padding = (torch.arange(states.shape[1]) >= lengths[:, None]).to(states.device)
        for layer in self.layers:
            states = layer(states, src_key_padding_mask=padding)
        return self.pooling(self.norm(unpad(states, lengths)), lengths)  # type: ignore[no-any-return]

    def decide(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return [utterances, outputs]."""
        return self.dense(embedding)  # type: ignore[no-any-return]


def _layer(hidden_size: int, dropout: float) -> nn.TransformerEncoderLayer:
    layer = nn.TransformerEncoderLayer(
        hidden_size, ATTENTION_HEADS, 4 * hidden_size, dropout=0.0, batch_first=True, norm_first=True
    )
    for place in ("dropout", "dropout1", "dropout2"):
        setattr(layer, place, Dropout(dropout))
    return layer


def positions(frames: int, dimensions: int) -> torch.Tensor:
    """Return sines and cosines [frames, dimensions] of the position, of wavelengths from 2π to 20000π.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.5.
    """
    rates = torch.exp(-math.log(10000.0) * torch.arange(0, dimensions, 2) / dimensions)
    angles = torch.arange(frames)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
