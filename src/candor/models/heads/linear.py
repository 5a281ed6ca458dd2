"""Pooling and one dense layer, nothing else, for frames."""

from __future__ import annotations

import torch
from torch import nn

from candor.models.heads.head import Head
from candor.models.heads.pooling import Pooling


class LinearFramesHead(Head):
    """Pooling straight on the frames, then one dense layer.

    For pooling that is learned, normalisation by range, and backbones that are tuned. Where pooled states are all that
    is needed, `candor.models.linear.LinearHead` is trained on those, which it standardises.

    Parameters
    ----------
    outputs
        Classes or scores.
    pooling
        Pools the frames as they come.
    """

    def __init__(self, outputs: int, pooling: Pooling) -> None:
        super().__init__()
        self.pooling = pooling
        self.dense = nn.Linear(pooling.width, outputs)

    def embed(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return [utterances, width] of packed frames [total_frames, dimensions]."""
        return self.pooling(frames, lengths)  # type: ignore[no-any-return]

    def decide(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return [utterances, outputs]."""
        return self.dense(embedding)  # type: ignore[no-any-return]
