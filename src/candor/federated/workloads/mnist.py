"""Read MNIST's files as a user has them, packed or not; nothing is downloaded."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from candor.federated.errors import FederatedError

SIDE = 28
"""Pixels of a side of an image."""

BYTES = 0x08
"""How these files say that their values are bytes from 0 to 255."""

Bytes = NDArray[np.uint8]
Part = tuple[Bytes, Bytes]
"""Images [images, 28, 28] and their digits."""


def read_mnist(folder: Path) -> tuple[Part, Part]:
    """Return the training and the test part.

    Parameters
    ----------
    folder
        Where the four files are under the names that they are published with, each with or without ``.gz``.

    Raises
    ------
    FederatedError
        When a file is not there, is cut off, is of another kind, or does not fit to the other ones.
    """
    return _part(folder, "train"), _part(folder, "t10k")


def _part(folder: Path, name: str) -> Part:
    images_file, labels_file = _find(folder, f"{name}-images", 3), _find(folder, f"{name}-labels", 1)
    images, labels = read_idx(images_file, 3), read_idx(labels_file, 1)
    if images.shape[1:] != (SIDE, SIDE):
        height, width = images.shape[1:]
        raise FederatedError(f"{images_file}: holds images of {height} × {width} pixels; MNIST's have {SIDE} × {SIDE}")
    if len(images) != len(labels):
        raise FederatedError(f"{labels_file}: holds {len(labels)} labels, but {images_file.name} {len(images)} images")
    if len(labels) and labels.max() > 9:
        raise FederatedError(f"{labels_file}: holds the label {labels.max()}; digits go from 0 to 9")
    return images, labels


def _find(folder: Path, stem: str, axes: int) -> Path:
    """Return a file as it is published, or as it is called after unpacking with some programs."""
    names = [f"{stem}{mark}idx{axes}-ubyte{packed}" for packed in ("", ".gz") for mark in "-."]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FederatedError(f"{folder}: there is no {names[0]}, nor {names[0]}.gz; all four files of MNIST are needed")


def read_idx(file: Path, axes: int) -> Bytes:
    """Return the array of a file in the format idx, which must be of bytes and have so many axes.

    Raises
    ------
    FederatedError
        When the file is cut off, cannot be unpacked, or holds something else.
    """
    data = _unpacked(file)
    head = struct.Struct(f">HBB{axes}I")
    if len(data) < head.size:
        raise FederatedError(f"{file}: is cut off: {len(data)} bytes are no whole head")
    zero, kind, found, *shape = head.unpack_from(data)
    if (zero, kind, found) != (0, BYTES, axes):
        raise FederatedError(f"{file}: is no idx file of bytes with {axes} {'axis' if axes == 1 else 'axes'}")
    expected, there = int(np.prod(shape, dtype=np.int64)), len(data) - head.size
    if there != expected:
        what = "is cut off" if there < expected else "is longer than it says"
        raise FederatedError(f"{file}: {what}: of {expected} values there are {there}")
    return np.frombuffer(data, np.uint8, offset=head.size).reshape(shape)


def _unpacked(file: Path) -> bytes:
    try:
        data = file.read_bytes()
        return gzip.decompress(data) if file.suffix == ".gz" else data
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FederatedError(f"{file}: cannot be unpacked: {error}") from None
    except OSError as error:
        raise FederatedError(f"{file}: not readable: {error.strerror or error}") from None
