"""Memory that is used again from one batch of clients to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from candor.federated.vectors import Piece


class Buffers:
    """Tensors by name. What a name stood for before is overwritten: the same pages stay in the cache.

    Parameters
    ----------
    device
        Where they are.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._held: dict[str, torch.Tensor] = {}

    def take(self, name: str, *shape: int) -> torch.Tensor:
        """Return a tensor that holds anything."""
        size = math.prod(shape)
        held = self._held.get(name)
        if held is None or held.numel() < size:
            held = self._held[name] = torch.empty(size, device=self._device)
        return held[:size].view(shape)

    def take_pieces(self, name: str, clients: int, pieces: Sequence[Piece], zero: bool = False) -> list[torch.Tensor]:
        """Return a tensor per piece of a model, [clients, ...], that holds anything, or zeros.

        Each is in one piece, and so are its first rows, as what computes with them in place needs it.
        """
        whole = self.take(name, clients * pieces[-1].end)
        if zero:
            whole.zero_()
        return [whole[clients * piece.start : clients * piece.end].view(clients, *piece.shape) for piece in pieces]
