"""Many utterances in one member of the store: packs of pooled states and of frames."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from candor.store.ledger import Ledger
from candor.store.objects import Store

POOLED_PACK = 512
"""Utterances per pack of pooled states; a killed extraction loses at most that many."""

FRAME_PACK = 128 * 2**20
"""Bytes after which a pack of frames is full."""


@dataclass(frozen=True)
class PooledPlace:
    """Where the pooled states of an utterance are, as the ledger notes it."""

    member: str
    row: int
    frames: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that `text` notes."""
        member, row, frames = text.split(" ")
        return cls(member, int(row), int(frames))

    def __str__(self) -> str:
        return f"{self.member} {self.row} {self.frames}"


@dataclass(frozen=True)
class FramePlace:
    """Where the frames of an utterance are: an array of this shape from this element of the flat one on."""

    member: str
    offset: int
    layers: int
    frames: int
    dimensions: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that `text` notes."""
        member, *numbers = text.split(" ")
        return cls(member, *map(int, numbers))

    def __str__(self) -> str:
        return f"{self.member} {self.offset} {self.layers} {self.frames} {self.dimensions}"


class PooledPacker:
    """Gathers pooled states and writes them as arrays [utterances, layers, statistics, dimensions].

    Parameters
    ----------
    store, ledger
        Where packs are kept, and where it is noted what is in them.
    whole
        Members that are known to be whole; new ones are added.
    """

    def __init__(self, store: Store, ledger: Ledger, whole: dict[str, bool]) -> None:
        self._store, self._ledger, self._known = store, ledger, whole
        self._rows: list[tuple[str, np.ndarray, int]] = []

    @property
    def full(self) -> bool:
        """Whether it is time to write."""
        return len(self._rows) >= POOLED_PACK

    def add(self, key: str, pooled: np.ndarray, frames: int) -> None:
        """Take the pooled states of one utterance."""
        self._rows.append((key, pooled, frames))

    def write(self) -> None:
        """Write what is gathered, if anything is."""
        if not self._rows:
            return
        member = self._store.put(_npy(np.stack([pooled for _, pooled, _ in self._rows])), ".npy")
        self._known[member] = True
        for row, (key, _, frames) in enumerate(self._rows):
            self._ledger.put(key, str(PooledPlace(member, row, frames)))
        self._ledger.flush()
        self._rows = []


class FramePacker:
    """Gathers frames and writes them one utterance after the other as a flat array.

    An utterance's part has the shape [layers, frames, dimensions].

    Parameters
    ----------
    store, ledger, whole
        As for `PooledPacker`.
    dtype
        Numbers that frames are kept in.
    """

    def __init__(self, store: Store, ledger: Ledger, whole: dict[str, bool], dtype: np.dtype[Any]) -> None:
        self._store, self._ledger, self._known, self.dtype = store, ledger, whole, dtype
        self._parts: list[tuple[str, np.ndarray]] = []
        self._size = 0

    @property
    def full(self) -> bool:
        """Whether it is time to write."""
        return self._size >= FRAME_PACK

    def add(self, key: str, states: np.ndarray) -> None:
        """Take the frames of one utterance, [layers, frames, dimensions]."""
        self._parts.append((key, states))
        self._size += states.nbytes

    def write(self) -> None:
        """Write what is gathered, if anything is."""
        if not self._parts:
            return
        member = self._store.put(_npy(np.concatenate([states.reshape(-1) for _, states in self._parts])), ".npy")
        self._known[member] = True
        offset = 0
        for key, states in self._parts:
            self._ledger.put(key, str(FramePlace(member, offset, *states.shape)))
            offset += states.size
        self._ledger.flush()
        self._parts, self._size = [], 0


def _npy(values: np.ndarray) -> memoryview:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getbuffer()
