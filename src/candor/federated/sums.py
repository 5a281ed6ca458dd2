"""The sum of what many clients send, at the speed of memory."""

from __future__ import annotations

import torch

BLOCKS = 32
"""How many blocks of numbers are summed on their own, shared out among the threads."""


def add_weighted(total: torch.Tensor, rows: torch.Tensor, weights: torch.Tensor) -> None:
    """Add to `total` every row times its weight.

    Each number is read once. NumPy's way, a row after the other, also writes and reads the total for each; and torch's
    product of a matrix and a vector runs on one thread. A block is the work of one thread, so that how many there are
    does not show in the result.

    Parameters
    ----------
    total
        [numbers].
    rows
        [clients, numbers].
    weights
        [clients].
    """
    clients, numbers = rows.shape
    width = numbers // BLOCKS
    even = width * BLOCKS
    if width:
        blocks = rows[:, :even].view(clients, BLOCKS, width).transpose(0, 1)
        total[:even].view(BLOCKS, 1, width).baddbmm_(weights.expand(BLOCKS, 1, clients), blocks)
    total[even:].addmv_(rows[:, even:].T, weights)
