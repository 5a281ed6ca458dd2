"""Dropout that is fast on a CPU, where torch's own spends more time on random numbers than a head on its arithmetic."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable


class Dropout(nn.Module):
    """Dropout in training, nothing in evaluation.

    Parameters
    ----------
    dropout
        Probability that a value is set to 0, to the next 65536th; the others are scaled to keep the mean.
    """

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values, some of them 0."""
        if not self.training or self.dropout == 0:
            return values
        keep, chance = _keep(values, self.dropout)
        return values * keep.div_(chance)

    def extra_repr(self) -> str:
        """Return what is shown of it in print."""
        return f"dropout={self.dropout}"


class ReluDropout(Dropout):
    """ReLU and dropout behind it in one step. The input is overwritten, which spares memory and so time."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values that are positive and not dropped, 0 for the others."""
        dropout = self.dropout if self.training else 0.0
        return _ReluDropout.apply(values, dropout)  # type: ignore[no-any-return, no-untyped-call]


class _ReluDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, dropout: float) -> torch.Tensor:
        values.relu_()
        ctx.scale = 1.0
        if dropout > 0:
            keep, chance = _keep(values, dropout)
            ctx.scale = 1 / chance
            values.mul_(keep).mul_(ctx.scale)
        ctx.mark_dirty(values)
        ctx.save_for_backward(values)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (values,) = ctx.saved_tensors
        # What was dropped is 0, and so cannot be told from what ReLU has cut off, nor need it be.
        return torch.ops.aten.threshold_backward(gradient, values, 0).mul_(ctx.scale), None


def words(count: int) -> int:
    """Return how many 64-bit words so many random numbers of 16 bits take."""
    return -(-count // 4)


def draw(bits: torch.Tensor, generator: torch.Generator | None = None) -> None:
    """Fill words with random bits. Seen as int16 they are what decides which values are kept.

    16 random bits are enough to decide on a value; torch draws 64 bits at once faster than a single number in [0, 1).

    Parameters
    ----------
    bits
        The words, int64.
    generator
        What they are drawn from; torch's own, where it is None.
    """
    bits.random_(-(2**63), None, generator=generator)


def least_kept(dropout: float) -> int:
    """Return the least of the random numbers, int16, whose values are kept."""
    return _dropped(dropout) - 2**15


def chance_of_keeping(dropout: float) -> float:
    """Return the probability that a value is kept."""
    return 1 - _dropped(dropout) / 2**16


def _dropped(dropout: float) -> int:
    return min(round(dropout * 2**16), 2**16 - 1)


def _keep(values: torch.Tensor, dropout: float) -> tuple[torch.Tensor, float]:
    """Return ones and zeros in the shape of `values`, and the probability of a one."""
    count = values.numel()
    draw(bits := torch.empty(words(count), dtype=torch.int64, device=values.device))
    numbers = bits.view(torch.int16)[:count].view(values.shape)
    return numbers.to(values.dtype).ge_(least_kept(dropout)), chance_of_keeping(dropout)
