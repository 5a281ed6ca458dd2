"""From the frames of an utterance to one vector."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from candor.models.heads.segments import segment_sum, spread


class Pooling(nn.Module, ABC):
    """Takes packed frames [total_frames, dimensions] and the lengths, returns [utterances, width].

    Parameters
    ----------
    dimensions
        Width of a frame.
    """

    width: int
    commutes_with_dense: bool = False
    """Whether a dense layer may as well follow as precede it."""

    @abstractmethod
    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return one row per utterance."""


class Mean(Pooling):
    """The mean over the frames."""

    commutes_with_dense = True

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.width = dimensions

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return one row per utterance."""
        return _mean(frames, lengths)


class MeanAndDeviation(Pooling):
    """The mean over the frames and behind it their standard deviation, which is 0 for a single frame."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.width = 2 * dimensions

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return one row per utterance."""
        mean = _mean(frames, lengths)
        variance = _mean((frames - spread(mean, lengths)).square(), lengths)
        # The root has no derivative at 0: it is taken of 1 there, and neither value nor gradient is used.
        varies = variance > 0
        deviation = torch.where(varies, torch.where(varies, variance, 1.0).sqrt(), 0.0)
        return torch.cat([mean, deviation], dim=1)


class Attention(Pooling):
    """A weighted mean; one dense layer scores the frames, and a softmax over the utterance weighs them."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.width = dimensions
        self.score = nn.Linear(dimensions, 1)

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return one row per utterance."""
        weights = _softmax(self.score(frames), lengths)
        return segment_sum(weights * frames, lengths)


POOLINGS: dict[str, type[Mean | MeanAndDeviation | Attention]] = {
    "mean": Mean,
    "std": MeanAndDeviation,
    "att": Attention,
}


def _mean(frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return segment_sum(frames, lengths) / lengths.to(frames.device, frames.dtype)[:, None]


def _softmax(scores: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the softmax of [total_frames, 1] over each utterance."""
    # Taking the highest away keeps exp() finite and changes nothing else, so no gradient needs to pass it.
    highest = torch.stack([own.amax(dim=0) for own in torch.split(scores.detach(), lengths.tolist())])
    shares = (scores - spread(highest, lengths)).exp()
    return shares / spread(segment_sum(shares, lengths), lengths)
