"""The weighted sum of a backbone's layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

BUFFER = 2**20
"""Numbers that are converted at once on a CPU: 4 MB, which a cache may still hold when they are used. Smaller pieces
suffer where other processes use the same cores, for all threads meet at the end of each."""
BUFFER_ON_GPU = 2**26
"""There, few large steps are faster; it holds most utterances whole."""


class LayerMix(nn.Module):
    """The sum of the layers, weighted by a softmax that is learned, starting from equal weights.

    With one layer there is nothing to weigh, and no parameter.

    Parameters
    ----------
    layers
        Number of layers.

    References
    ----------
    .. [1] S. Yang et al., "SUPERB: Speech processing Universal PERformance Benchmark", Interspeech 2021.
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.layers = layers
        self.logits = nn.Parameter(torch.zeros(layers)) if layers > 1 else None

    def weights(self) -> torch.Tensor:
        """Return the weight of each layer; they sum to one."""
        return torch.ones(1) if self.logits is None else torch.softmax(self.logits, dim=0)

    def forward(
        self,
        states: Sequence[torch.Tensor],
        offset: torch.Tensor | None = None,
        scale: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return packed frames [total_frames, dimensions].

        Parameters
        ----------
        states
            [layers, frames, dimensions] of each utterance, in half precision or in that of the weights. If they
            carry a gradient it passes through; if not, no copy of more than a few frames with all layers is made.
        offset, scale
            What to subtract from every state and then to divide it by: [layers, dimensions] for all utterances or
            [utterances, layers, dimensions]. Both or neither.
        """
        if (offset is None) != (scale is None):
            raise ValueError("a normalisation needs both offset and scale")
        if offset is not None and scale is not None:
            shape = (len(states), self.layers, states[0].shape[2])
            offset, scale = offset.expand(shape), scale.expand(shape)
        weights = self.weights().to(states[0].device)
        if self.layers == 1 or any(own.requires_grad for own in states):
            return _plainly(states, weights, offset, scale)
        return _Mix.apply(weights, states, offset, scale)  # type: ignore[no-any-return, no-untyped-call]


def _plainly(
    states: Sequence[torch.Tensor], weights: torch.Tensor, offset: torch.Tensor | None, scale: torch.Tensor | None
) -> torch.Tensor:
    mixed = []
    for number, own in enumerate(states):
        values = own.to(weights.dtype)
        if offset is not None and scale is not None:
            values = (values - offset[number][:, None]) / scale[number][:, None]
        mixed.append(values[0] if len(weights) == 1 else torch.einsum("l,lfd->fd", weights, values))
    return torch.cat(mixed)


class _Mix(torch.autograd.Function):
    """The weighted sum of states that carry no gradient, a few frames at a time."""

    @staticmethod
    def forward(
        ctx: Any,
        weights: torch.Tensor,
        states: Sequence[torch.Tensor],
        offset: torch.Tensor | None,
        scale: torch.Tensor | None,
    ) -> torch.Tensor:
        # Saved as they are: the backward pass converts them again, which is cheaper than to keep what was converted.
        ctx.arguments = (states, offset, scale, weights.dtype)
        frames, dimensions = sum(own.shape[1] for own in states), states[0].shape[2]
        mixed = torch.empty(frames, dimensions, dtype=weights.dtype, device=weights.device)
        for start, end, values in _pieces(*ctx.arguments):
            torch.mv(values.t(), weights, out=mixed[start:end].view(-1))
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        gradient = gradient.contiguous()
        total = gradient.new_zeros(ctx.arguments[0][0].shape[0])
        for start, end, values in _pieces(*ctx.arguments):
            total += torch.mv(values, gradient[start:end].view(-1))
        return total, None, None, None


def _pieces(
    states: Sequence[torch.Tensor], offset: torch.Tensor | None, scale: torch.Tensor | None, dtype: torch.dtype
) -> Iterator[tuple[int, int, torch.Tensor]]:
    """Yield a few frames after the other: where they begin and end in the batch, and [layers, frames · dimensions].

    The values are converted and normalised. All pieces lie in the same buffer: each is gone when the next one comes.
    """
    layers, _, dimensions = states[0].shape
    size = BUFFER_ON_GPU if states[0].is_cuda else BUFFER
    at_once = max(1, size // (layers * dimensions))
    longest = min(at_once, max(own.shape[1] for own in states))
    buffer = torch.empty(layers * longest * dimensions, dtype=dtype, device=states[0].device)
    start = 0
    for number, own in enumerate(states):
        for part in torch.split(own, at_once, dim=1):
            frames = part.shape[1]
            values = buffer[: layers * frames * dimensions].view(layers, frames, dimensions)
            values.copy_(part)
            if offset is not None and scale is not None:
                values.sub_(offset[number][:, None]).div_(scale[number][:, None])
            yield start, start + frames, values.view(layers, -1)
            start += frames
