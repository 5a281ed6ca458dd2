"""A model as flat vectors, so that models can be sent, averaged and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Piece:
    """One tensor of a model and where it lies in its vector."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def end(self) -> int:
        """Return the place behind its last number."""
        return self.start + torch.Size(self.shape).numel()


@dataclass(frozen=True)
class Layout:
    """Where the tensors of a model lie: parameters, buffers of floating numbers, integer buffers."""

    parameters: tuple[Piece, ...]
    buffers: tuple[Piece, ...]
    counters: tuple[Piece, ...]

    @classmethod
    def of(cls, model: nn.Module) -> Layout:
        """Return the layout of a model; parameters that are not trained count as buffers."""
        parameters = [(name, own) for name, own in model.named_parameters() if own.requires_grad]
        fixed = [(name, own) for name, own in model.named_parameters() if not own.requires_grad]
        buffers = [*fixed, *model.named_buffers()]
        return cls(
            _pieces(parameters),
            _pieces([(name, own) for name, own in buffers if own.is_floating_point()]),
            _pieces([(name, own) for name, own in buffers if not own.is_floating_point()]),
        )

    @property
    def size(self) -> int:
        """Return the number of trained parameters."""
        return self.parameters[-1].end if self.parameters else 0

    @property
    def bytes(self) -> int:
        """Return the bytes of a whole model as it is sent."""
        of = {kind: pieces[-1].end if pieces else 0 for kind, pieces in vars(self).items()}
        return 4 * of["parameters"] + 4 * of["buffers"] + 8 * of["counters"]


def _pieces(tensors: Sequence[tuple[str, torch.Tensor]]) -> tuple[Piece, ...]:
    pieces, start = [], 0
    for name, tensor in tensors:
        pieces.append(Piece(name, tuple(tensor.shape), start))
        start = pieces[-1].end
    return tuple(pieces)


@dataclass(frozen=True)
class Weights:
    """The numbers of a model: trained parameters, other floating numbers, integers. Each is one flat vector."""

    parameters: torch.Tensor
    buffers: torch.Tensor
    counters: torch.Tensor

    @classmethod
    def of(cls, model: nn.Module, layout: Layout) -> Weights:
        """Return a copy of a model's numbers, on the CPU."""
        tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}

        def flat(pieces: tuple[Piece, ...], dtype: torch.dtype) -> torch.Tensor:
            if not pieces:
                return torch.empty(0, dtype=dtype)
            return torch.cat([tensors[piece.name].detach().to("cpu", dtype).flatten() for piece in pieces])

        return cls(
            flat(layout.parameters, torch.float32),
            flat(layout.buffers, torch.float32),
            flat(layout.counters, torch.int64),
        )

    def to_model(self, model: nn.Module, layout: Layout) -> nn.Module:
        """Give these numbers to a model of the same layout, and return it."""
        tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        with torch.no_grad():
            for name, values in self.named(layout).items():
                tensors[name].copy_(values)
        return model

    def named(self, layout: Layout) -> dict[str, torch.Tensor]:
        """Return the tensors by name, as a state dict has them."""
        return {
            piece.name: vector[piece.start : piece.end].view(piece.shape)
            for vector, pieces in (
                (self.parameters, layout.parameters),
                (self.buffers, layout.buffers),
                (self.counters, layout.counters),
            )
            for piece in pieces
        }
