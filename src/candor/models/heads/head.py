"""What every head on frames is: an embedding of each utterance, and a last dense layer that decides on it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn


class Head(nn.Module, ABC):
    """Takes packed frames and lengths, returns [utterances, outputs].

    The *emotion embedding* of an utterance is what goes into the last dense layer: all that a head keeps of it.
    """

    @abstractmethod
    def embed(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the emotion embedding, [utterances, width], of packed frames [total_frames, dimensions]."""

    @abstractmethod
    def decide(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return [utterances, outputs]: what the last dense layer makes of embeddings."""

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return [utterances, outputs] of packed frames [total_frames, dimensions]."""
        return self.decide(self.embed(frames, lengths))
