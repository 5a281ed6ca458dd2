"""Read hidden states back from the store."""

from __future__ import annotations

import io
import math
import mmap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from candor.features.clips import FeatureError
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


def read_pooled(index: pd.DataFrame, utterances: Sequence[str], store: Store) -> np.ndarray:
    """Return the pooled features of utterances, in their order.

    Parameters
    ----------
    index
        Where features are: a feature index, in any order.
    utterances
        Whose features to read.
    store
        Where they are kept.

    Raises
    ------
    FeatureError
        When the index lacks one of them, or none is asked for.

    Returns
    -------
    numpy.ndarray
        Shape [utterances, layers, statistics, dimensions], float32.
    """
    index = _rows_of(index, utterances)
    pooled: np.ndarray | None = None
    members = index["member"].to_numpy()
    rows = index["row"].to_numpy()
    for member in dict.fromkeys(members):
        pack = np.load(io.BytesIO(store.read(member)), allow_pickle=False)
        if pooled is None:
            pooled = np.empty((len(index), *pack.shape[1:]), dtype=np.float32)
        own = members == member
        pooled[own] = pack[rows[own]]
    assert pooled is not None  # there is at least one utterance, so there was a first pack
    return pooled


def frame_counts(index: pd.DataFrame, utterances: Sequence[str]) -> list[int]:
    """Return how many frames of each utterance were pooled."""
    return [int(count) for count in _rows_of(index, utterances)["frames"]]


class Frames:
    """The hidden states of every frame, mapped into memory and never read as a whole.

    Each pack is compared with its name before it is first used.

    Parameters
    ----------
    index
        Where frames are: a frame index, in any order.
    utterances
        Whose frames can be asked for, by number.
    store
        Where they are kept.
    """

    def __init__(self, index: pd.DataFrame, utterances: Sequence[str], store: Store) -> None:
        rows = _rows_of(index, utterances)
        self.layers, self.dimensions = (int(rows[column].iloc[0]) for column in ("layers", "dimensions"))
        self.lengths: list[int] = rows["frames"].tolist()
        self._members: list[str] = rows["member"].tolist()
        self._offsets: list[int] = rows["offset"].tolist()
        self._store = store
        self._packs: dict[str, np.memmap[Any, Any]] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, number: int) -> np.ndarray:
        """Return the states of an utterance, [layers, frames, dimensions], as they lie in the file."""
        start, shape = self._offsets[number], (self.layers, self.lengths[number], self.dimensions)
        return self._pack(self._members[number])[start : start + math.prod(shape)].reshape(shape)

    def in_reading_order(self, numbers: Sequence[int]) -> list[int]:
        """Return utterances in the order in which they lie in the store."""
        return sorted(numbers, key=lambda number: (self._members[number], self._offsets[number]))

    def release(self) -> None:
        """Let the system have back the memory behind what was read; it stays in its cache while there is room."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for pack in self._packs.values():
                pack._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]

    def _pack(self, member: str) -> np.memmap[Any, Any]:
        if member not in self._packs:
            self._store.check(member)
            self._packs[member] = np.load(self._store.path(member), mmap_mode="r", allow_pickle=False)
        return self._packs[member]


def _rows_of(index: pd.DataFrame, utterances: Sequence[str]) -> pd.DataFrame:
    by_name = index.set_index("utterance")
    lacking = [name for name in utterances if name not in by_name.index]
    if lacking or not len(utterances):
        raise FeatureError(f"no features of {lacking[0]}" if lacking else "no utterance of the dataset takes part")
    return by_name.loc[list(utterances)]
