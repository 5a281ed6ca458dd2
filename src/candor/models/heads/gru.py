"""A recurrent head."""

from __future__ import annotations

import contextlib

import torch
from torch import nn

from candor.models.heads.dropout import Dropout
from candor.models.heads.head import Head
from candor.models.heads.pooling import Pooling
from candor.models.heads.segments import pad, reverse, unpad


class GruHead(Head):
    """A bidirectional GRU, pooling over all of its outputs, one dense layer.

    Bidirectional as is usual in speech emotion recognition, where a whole utterance is at hand: `hidden_size` is the
    width of each direction, so pooling sees twice as much. Dropout is applied between the layers of the GRU and to
    what was pooled.

    Parameters
    ----------
    dimensions
        Width of a frame.
    outputs
        Classes or scores.
    pooling
        Pools frames of twice the `hidden_size`.
    hidden_size
        Width of each direction.
    num_layers
        Layers of the GRU.
    dropout
        Probability that dropout sets a value to 0.
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
        widths = [dimensions] + [2 * hidden_size] * (num_layers - 1)
        self.ahead = nn.ModuleList(nn.GRU(width, hidden_size, batch_first=True) for width in widths)
        self.back = nn.ModuleList(nn.GRU(width, hidden_size, batch_first=True) for width in widths)
        self.dropout = Dropout(dropout)
        self.pooling = pooling
        self.dense = nn.Linear(pooling.width, outputs)

    def embed(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return [utterances, width] of packed frames [total_frames, dimensions]."""
        for number, (ahead, back) in enumerate(zip(self.ahead, self.back, strict=True)):
            if number:
                frames = self.dropout(frames)
            # The second direction is a GRU of its own over reversed utterances, so that both start at a true end and
            # padding only ever follows. torch's own way, a PackedSequence, takes ten times as long backwards on a CPU.
            forth = self._run(ahead, frames, lengths)
            reversed_ = self._run(back, reverse(frames, lengths), lengths)
            frames = torch.cat([forth, reverse(reversed_, lengths)], dim=1)
        return self.dropout(self.pooling(frames, lengths))  # type: ignore[no-any-return]

    def decide(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return [utterances, outputs]."""
        return self.dense(embedding)  # type: ignore[no-any-return]

    def _run(self, gru: nn.Module, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        with self._differentiable(frames):
            states, _ = gru(pad(frames, lengths))
        return unpad(states, lengths)

    def _differentiable(self, frames: torch.Tensor) -> contextlib.AbstractContextManager[None]:
        """Leave cuDNN aside where it refuses: it has no gradient in evaluation mode, and attacks need one."""
        if frames.is_cuda and torch.is_grad_enabled() and not self.training:
            return torch.backends.cudnn.flags(enabled=False)
        return contextlib.nullcontext()
