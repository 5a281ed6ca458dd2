"""Memory that is used again from one batch of clients to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

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
        self._views: dict[str, dict[tuple[int, ...], Any]] = {}

    def take(self, name: str, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Return a tensor that holds anything."""
        size = math.prod(shape)
        views = self._views_of(name, size, dtype)
        if shape not in views:
            views[shape] = self._held[name][:size].view(shape)
        return views[shape]  # type: ignore[no-any-return]

    def take_pieces(self, name: str, clients: int, pieces: Sequence[Piece]) -> list[torch.Tensor]:
        """Return a tensor per piece of a model, [clients, ...], that holds anything.

        Each is in one block, and so are its first rows, as what computes with them in place needs it.
        """
        size = clients * pieces[-1].end
        views = self._views_of(name, size, torch.float32)
        if (clients,) not in views:
            whole = self._held[name][:size]
            views[clients,] = [
                whole[clients * piece.start : clients * piece.end].view(clients, *piece.shape) for piece in pieces
            ]
        return views[clients,]  # type: ignore[no-any-return]

    def _views_of(self, name: str, size: int, dtype: torch.dtype) -> dict[tuple[int, ...], Any]:
        """Return the views of a name's memory that were made before, none if it must grow for this size."""
        held = self._held.get(name)
        if held is None or held.numel() < size:
            self._held[name] = torch.empty(size, device=self._device, dtype=dtype)
            self._views[name] = {}
        return self._views[name]
