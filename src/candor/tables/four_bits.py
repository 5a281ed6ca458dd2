"""Numbers in four bits each: fifteen levels, scaled by the largest number of their block.

One scale for a whole tensor would leave most of it on the level of zero, as few numbers of an update are large. Here
every 64 numbers that follow each other have a scale of their own, which takes half a bit of each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 64
"""So many numbers share a scale."""

_STEPS = 7
"""From zero to the largest magnitude of a block; as many below zero."""

_SCALE = np.dtype("<f4")
_PAIRS = ((np.arange(256)[:, None] >> np.array([0, 4])) % 16 - _STEPS).astype(np.float32) / np.float32(_STEPS)
"""The shares of a scale that a byte stands for: that of its low four bits, and that of its high ones."""

Bytes = NDArray[np.uint8]


def encode_in_blocks(values: NDArray[np.float32]) -> Bytes:
    """Return the scales of all blocks, and behind them the levels of all numbers, two in a byte.

    Parameters
    ----------
    values
        Finite numbers, [n].
    """
    blocks = np.zeros((_blocks(len(values)), BLOCK), np.float32)
    blocks.reshape(-1)[: len(values)] = values
    scales = np.abs(blocks).max(axis=1, initial=0, keepdims=True)
    blocks /= np.where(scales, scales, 1)
    blocks *= _STEPS
    levels = (np.rint(blocks, out=blocks) + _STEPS).astype(np.uint8).reshape(-1)
    levels = levels[: 2 * _pairs(len(values))]
    pairs = levels[::2] | levels[1::2] << 4
    return np.concatenate([scales.astype(_SCALE).reshape(-1).view(np.uint8), pairs])


def decode_in_blocks(data: bytes, count: int) -> NDArray[np.float32]:
    """Return the numbers that were encoded, [count].

    Raises
    ------
    ValueError
        When there are fewer or more bytes than so many numbers have.
    """
    blocks, pairs = _blocks(count), _pairs(count)
    expected = blocks * _SCALE.itemsize + pairs
    if len(data) != expected:
        raise ValueError(f"{count} numbers in four bits take {expected} bytes, not {len(data)}")
    scales = np.frombuffer(data, _SCALE, blocks)
    values = np.zeros((blocks, BLOCK), np.float32)
    levels = np.frombuffer(data, np.uint8, pairs, offset=scales.nbytes)
    np.take(_PAIRS, levels, axis=0, out=values.reshape(-1, 2)[:pairs], mode="clip")  # other modes copy the output
    values *= scales[:, None]
    return values.reshape(-1)[:count]


def _blocks(count: int) -> int:
    return -(-count // BLOCK)


def _pairs(count: int) -> int:
    return -(-count // 2)
