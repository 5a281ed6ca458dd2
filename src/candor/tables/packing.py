"""Packs: many tensors in one file that grows at its end and is read where it lies.

Each tensor is a block of its own: its bytes sorted by their place in a number, and compressed. Blocks follow each other
without anything between them; what is where stands in an index. So a block is read without those before it, damage to
one block is told and spares the others, and a file that was cut off behind a block grows on to the same bytes.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import zstandard
from blake3 import blake3

from candor.tables.base import TableError
from candor.tables.precisions import PRECISIONS, decode, encode

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 1
"""Of compression. Levels up to 12 make packs of a dense network's updates smaller by less than 1 %, if at all, and take
up to 25 times as long: what compresses is the first byte of each number, and the others are noise to every level."""

RELEASE = 64 * 2**20
"""Bytes of a pack that are in memory before they are let go."""

AROUND = 64 * 2**10
"""Bytes that Linux brings along, at most, with the one that was asked for: small blocks take as much."""


@dataclass(frozen=True)
class Block:
    """Where in a pack a tensor is and how it is kept there, as the columns of an index say it."""

    offset: int
    size: int
    shape: tuple[int, ...]
    precision: str
    scale: float | None
    checksum: str

    @classmethod
    def of(cls, cells: Mapping[Any, Any]) -> Self:
        """Return the block that a row of an index tells of."""
        return cls(
            int(cells["offset"]),
            int(cells["size"]),
            tuple(map(int, filter(None, cells["shape"].split("x")))),
            cells["precision"],
            None if np.isnan(cells["scale"]) else float(cells["scale"]),
            cells["checksum"],
        )

    @property
    def end(self) -> int:
        """Return the place behind its last byte."""
        return self.offset + self.size

    def cells(self) -> dict[str, Any]:
        """Return what an index says of it."""
        return {**vars(self), "shape": "x".join(map(str, self.shape))}


class PackWriter:
    """Adds tensors at the end of a pack.

    Parameters
    ----------
    path
        The file.
    precision
        Numbers that tensors are kept in, one of `candor.tables.precisions.PRECISIONS`.
    size
        How much of a pack that is there to go on from; what a killed job wrote behind that is dropped. With 0 the pack
        is begun anew.

    Raises
    ------
    TableError
        When the pack that is there is shorter than that.
    """

    def __init__(self, path: str | Path, precision: str, size: int = 0) -> None:
        if precision not in PRECISIONS:
            raise ValueError(f"{precision!r} is none of {', '.join(PRECISIONS)}")
        target = Path(path)
        found = target.stat().st_size if target.exists() else 0
        if found < size:
            raise TableError(f"{path} has {found} bytes, but {size} are to be gone on from; delete it to begin anew")
        target.parent.mkdir(parents=True, exist_ok=True)
        self.size = size
        self._precision = precision
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        self._file = target.open("r+b" if size else "wb")
        self._file.truncate(size)
        self._file.seek(size)

    def append(self, values: np.ndarray) -> Block:
        """Add a tensor, and return where it is.

        Raises
        ------
        TableError
            When it has a number that is not finite. The pack stays as it was.
        """
        encoded = encode(values, self._precision)
        data = self._compressor.compress(encoded.data.data)
        self._file.write(data)
        block = Block(self.size, len(data), values.shape, encoded.precision, encoded.scale, _checksum(data))
        self.size = block.end
        return block

    def cut(self, size: int) -> None:
        """Leave out all that was added once there were so many bytes."""
        self._file.flush()
        self._file.truncate(size)
        self._file.seek(size)
        self.size = size

    def flush(self) -> None:
        """Bring all that was added to the disk, so that `size` may be noted as what a later job goes on from."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Bring all that was added to the disk, and end."""
        if not self._file.closed:
            self.flush()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class PackReader:
    """Reads tensors of a pack, which is mapped into memory and never read as a whole.

    Not for several threads at once.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.size = self.path.stat().st_size
        self._map: mmap.mmap | None = None
        self._read = 0
        self._decompressor = zstandard.ZstdDecompressor()
        if self.size:  # nothing cannot be mapped
            with self.path.open("rb") as handle:
                self._map = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)

    def read(self, block: Block) -> np.ndarray:
        """Return a tensor.

        Raises
        ------
        TableError
            When its block is not there, or is not as it was written.
        """
        data = self._map[block.offset : block.end] if self._map is not None else b""
        if len(data) != block.size or _checksum(data) != block.checksum:
            raise TableError(
                f"{self.path} is damaged, in the block at byte {block.offset}; delete it to have it rebuilt"
            )
        self._release(block.size)
        return decode(self._decompressor.decompress(data), block.precision, block.scale, block.shape)

    def _release(self, read: int) -> None:
        """Let the system have back the memory behind what was read; it stays in its cache while there is room."""
        self._read += read + AROUND
        if self._read > RELEASE and self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._read = 0


class IndexedPack(PackReader):
    """A pack that is read by what its tensors are of.

    Parameters
    ----------
    path
        The pack.
    index
        Its index, in the order in which blocks lie in it.
    of
        The columns that say what a tensor is of, besides `layer`.

    Raises
    ------
    TableError
        When the pack is shorter or longer than the index says.
    """

    def __init__(self, path: str | Path, index: pd.DataFrame, of: tuple[str, ...]) -> None:
        super().__init__(path)
        self.blocks: dict[tuple[Any, ...], dict[str, Block]] = {}
        end = 0
        for row in index.to_dict("records"):
            block = Block.of(row)
            self.blocks.setdefault(tuple(row[column] for column in of), {})[row["layer"]] = block
            end = max(end, block.end)
        if self.size != end:
            raise TableError(
                f"{path} has {self.size} bytes, but its index tells of {end}; delete both to have them rebuilt"
            )


def _checksum(data: bytes) -> str:
    return blake3(data).hexdigest(length=8)
