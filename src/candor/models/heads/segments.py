"""What is done to packed frames utterance by utterance: sum and spread, pad and unpad, reverse.

Of each pair one is the other's derivative, and to reverse is its own. Said so to autograd, a batch costs a few copies;
the derivatives of single slices would each fill the whole batch with zeros. All are deterministic on any device.
"""

from __future__ import annotations

from typing import Any

import torch


def segment_sum(frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the sum over the frames of each utterance.

    Parameters
    ----------
    frames
        Packed, [total_frames, dimensions].
    lengths
        Frames of each utterance, int64 on the CPU.
    """
    return _SegmentSum.apply(frames, lengths)  # type: ignore[no-any-return, no-untyped-call]


def spread(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return [total_frames, dimensions]: the row of each utterance in [utterances, dimensions], once per frame."""
    return _Spread.apply(values, lengths)  # type: ignore[no-any-return, no-untyped-call]


def pad(frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return [utterances, longest, dimensions], zeros behind the frames of each utterance."""
    return _Pad.apply(frames, lengths)  # type: ignore[no-any-return, no-untyped-call]


def unpad(padded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the packed frames of [utterances, longest, dimensions]."""
    return _Unpad.apply(padded, lengths)  # type: ignore[no-any-return, no-untyped-call]


def reverse(frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the frames of each utterance from its last to its first."""
    return _Reverse.apply(frames, lengths)  # type: ignore[no-any-return, no-untyped-call]


class _SegmentSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        ctx.lengths = lengths
        # sum() adds in pairs and so rounds less than index_add, which is no faster.
        return torch.stack([own.sum(dim=0) for own in torch.split(frames, lengths.tolist())])

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return spread(gradient, ctx.lengths), None


class _Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        ctx.lengths = lengths
        total = int(lengths.sum())
        return values.repeat_interleave(lengths.to(values.device), dim=0, output_size=total)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return segment_sum(gradient, ctx.lengths), None


class _Pad(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        ctx.lengths = lengths
        counts = lengths.tolist()
        padded = frames.new_zeros(len(counts), max(counts), frames.shape[1])
        for row, own in zip(padded, torch.split(frames, counts), strict=True):
            row[: len(own)] = own
        return padded

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return unpad(gradient, ctx.lengths), None


class _Unpad(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, padded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        ctx.lengths = lengths
        return torch.cat([row[:count] for row, count in zip(padded, lengths.tolist(), strict=True)])

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return pad(gradient, ctx.lengths), None


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        ctx.lengths = lengths
        return torch.cat([own.flip(0) for own in torch.split(frames, lengths.tolist())])

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return reverse(gradient, ctx.lengths), None
