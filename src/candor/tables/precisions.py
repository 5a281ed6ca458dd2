"""In which numbers a tensor is kept, and what is lost by it.

``float32`` loses nothing. Two others keep shares of the tensor's largest magnitude m, the scale:

- ``float16``: a number v comes back within max(|v| / 2000, m / 30 000 000);
- ``int8``: within m / 253, half a step of m / 127 and what rounding adds.

The last keeps shares of the largest magnitude b of 64 numbers that follow each other, row by row:

- ``int4``: a number comes back within b / 13.9, half a step of b / 7 and what rounding adds.

The largest number itself, with ``int4`` that of each block, comes back as it was, zeros come back as zeros, and whole
numbers, such as the counters of batch normalisation, are kept as they are, whatever was asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from candor.tables.base import TableError
from candor.tables.four_bits import decode_in_blocks, encode_in_blocks

PRECISIONS = ("float32", "float16", "int8", "int4")
WHOLE = "int64"

_NUMBERS = {"float32": "<f4", "float16": "<f2", "int8": "i1", WHOLE: "<i8"}
_STEPS = 127
"""Of int8, from zero to the largest magnitude."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Encoded:
    """A tensor as bytes.

    Parameters
    ----------
    data
        All first bytes of its numbers, then all second ones and so on: those of one place are alike, and so compress.
        In ``int4`` the scales of blocks, then the numbers, two in a byte.
    precision
        Numbers that it is in.
    scale
        Its largest magnitude, where its numbers are shares of that; None where they are as they were, or have the
        scales of blocks beside them.
    """

    data: Bytes
    precision: str
    scale: float | None


def encode(values: np.ndarray, precision: str) -> Encoded:
    """Return a tensor as the bytes that are kept of it.

    Parameters
    ----------
    values
        Numbers of at most 32 bits each, or whole numbers.
    precision
        One of `PRECISIONS`.

    Raises
    ------
    TypeError
        When numbers are longer than can be kept.
    TableError
        When a number is not finite.
    """
    values = values.reshape(-1)
    if np.can_cast(values.dtype, np.int64):
        return Encoded(_by_place(values, WHOLE), WHOLE, None)
    if not np.can_cast(values.dtype, np.float32):
        raise TypeError(f"numbers of the type {values.dtype} cannot be kept; give float32")
    # Not a number is the largest and the smallest of all that it is among.
    largest = np.float32(max(values.max(), -values.min())) if values.size else np.float32(0)
    if not np.isfinite(largest):
        raise TableError("a tensor with numbers that are not finite cannot be kept")
    if precision == "float32":
        return Encoded(_by_place(values, precision), precision, None)
    if precision == "int4":
        return Encoded(encode_in_blocks(values.astype(np.float32, copy=False)), precision, None)
    shares = values / (largest or np.float32(1))
    if precision == "int8":
        shares *= np.float32(_STEPS)
        np.rint(shares, out=shares)
    return Encoded(_by_place(shares, precision), precision, float(largest))


def decode(data: bytes, precision: str, scale: float | None, shape: tuple[int, ...]) -> np.ndarray:
    """Return the tensor that was encoded, as float32 or int64.

    Raises
    ------
    ValueError
        When there are fewer or more bytes than such a tensor has.
    """
    if precision == "int4":
        return decode_in_blocks(data, math.prod(shape)).reshape(shape)
    kind = np.dtype(_NUMBERS[precision])
    by_place = np.frombuffer(data, np.uint8).reshape(kind.itemsize, math.prod(shape))
    numbers = np.empty(by_place.shape[::-1], np.uint8)
    for place, own in enumerate(by_place):  # a transposed copy in one go is several times as slow
        numbers[:, place] = own
    values = numbers.reshape(-1).view(kind).reshape(shape)
    if scale is None:
        return values.astype(np.int64 if precision == WHOLE else np.float32, copy=False)
    shares = values.astype(np.float32)
    if precision == "int8":
        shares /= np.float32(_STEPS)
    shares *= np.float32(scale)
    return shares


def _by_place(values: np.ndarray, precision: str) -> Bytes:
    kind = np.dtype(_NUMBERS[precision])
    numbers = np.ascontiguousarray(values, kind)
    return np.ascontiguousarray(numbers.view(np.uint8).reshape(len(numbers), kind.itemsize).T).reshape(-1)
