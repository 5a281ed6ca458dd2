"""What attackers read: the states of a layer or of all, pooled or of some frames; embeddings."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from candor.features.reading import Frames, read_pooled
from candor.models.inputs import FrameBatch
from candor.models.normalising import SMALLEST, Affine, affine
from candor.privacy.people import Codes
from candor.stats.intervals import FloatArray
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE = 1024
"""Utterances whose pooled states of all layers are in memory together."""


@dataclass(frozen=True)
class Bags:
    """Utterances as bags of frames, as a network takes them.

    Parameters
    ----------
    states
        [layers, frames, dimensions] of each utterance.
    norm
        How they are normalised; None for not at all.
    """

    states: Sequence[torch.Tensor]
    norm: Affine | None = None

    def __len__(self) -> int:
        return len(self.states)

    def batch(self, numbers: Sequence[int], device: str) -> FrameBatch:
        """Return the frames of these utterances."""
        states = [self.states[number].float().to(device) for number in numbers]
        lengths = torch.tensor([own.shape[1] for own in states])
        if self.norm is None:
            return FrameBatch(states, lengths)
        return FrameBatch(states, lengths, *(own.to(device) for own in self.norm.of(numbers)))

    def standardised_by(self, numbers: Codes) -> Bags:
        """Return the same utterances, with states standardised by the frames of some of them."""
        layers, _, dimensions = self.states[0].shape
        total, squares = (torch.zeros(layers, dimensions, dtype=torch.float64) for _ in range(2))
        frames = 0
        middle = self.states[int(numbers[0])].double().mean(dim=1, keepdim=True)
        for number in numbers.tolist():
            apart = self.states[number].double() - middle
            total += apart.sum(dim=1)
            squares += apart.square().sum(dim=1)
            frames += apart.shape[1]
        mean = total / frames
        deviation = (squares / frames - mean.square()).clamp_min(0.0).sqrt()
        norm = affine((middle[:, 0] + mean).numpy()[None], deviation.numpy()[None], [0] * len(self))
        if layers > 1:
            return Bags(self.states, norm)
        # One layer has room in memory: done once, this takes no time in any batch.
        offset, scale = norm.offset[0, :, None], norm.scale[0, :, None]
        return Bags([(own.float() - offset) / scale for own in self.states])


class LayerStates:
    """The hidden states of a backbone's layers, of which one is in memory at a time.

    Parameters
    ----------
    pooled_index, frame_index
        Indexes of pooled states and of frames; the latter None where no recipe reads frames.
    utterances
        Whose, by number.
    store
        Where they are.
    most
        Frames of each utterance that are taken, evenly spaced. A network of convolutions of width one that pools by
        the mean does not see in which order they come.
    scratch
        The folder for a file with these frames, which goes with this object.
    """

    def __init__(
        self,
        pooled_index: pd.DataFrame,
        frame_index: pd.DataFrame | None,
        utterances: Sequence[str],
        store: Store,
        most: int,
        scratch: Path | None = None,
    ) -> None:
        self._index, self._utterances, self._store = pooled_index, list(utterances), store
        self.layers = read_pooled(pooled_index, self._utterances[:1], store).shape[1]
        self._sampled: list[np.ndarray] | None = None
        if frame_index is not None:
            self._sampled = sampled(Frames(frame_index, self._utterances, store), most, scratch)

    @property
    def of_frames(self) -> bool:
        """Whether a network reads frames, and not pooled states as one frame."""
        return self._sampled is not None

    def pooled(self, layer: int | None) -> FloatArray:
        """Return mean and deviation over time, [utterances, 2 · dimensions], of a layer.

        Parameters
        ----------
        layer
            Which; None for the mean of all, each divided by its own deviation over all utterances first, so that those
            of large numbers do not drown the others.
        """
        if layer is not None:
            return self._read(layer)
        total: FloatArray | None = None
        for number in range(self.layers):
            own = self._read(number)
            deviation = own.std(axis=0)
            own = (own - own.mean(axis=0)) / np.where(deviation > SMALLEST, deviation, 1.0)
            total = own if total is None else total + own
        assert total is not None
        return np.asarray(total / self.layers)

    def bags(self, layer: int | None) -> Bags:
        """Return the frames of a layer, or of all; where there are none, pooled states as a single frame."""
        if self._sampled is None:
            layers = range(self.layers) if layer is None else [layer]
            stacked = np.stack([self._read(number) for number in layers], axis=1).astype(np.float32)
            return Bags(list(torch.from_numpy(stacked[:, :, None])))
        if layer is None:
            return Bags([torch.from_numpy(own) for own in self._sampled])
        return Bags([torch.from_numpy(own[layer : layer + 1].copy()) for own in self._sampled])

    def _read(self, layer: int) -> FloatArray:
        parts = []
        for start in range(0, len(self._utterances), AT_ONCE):
            pooled = read_pooled(self._index, self._utterances[start : start + AT_ONCE], self._store)
            parts.append(pooled[:, layer].reshape(len(pooled), -1).astype(np.float64))
        return np.concatenate(parts)


def sampled(frames: Frames, most: int, scratch: Path | None = None) -> list[np.ndarray]:
    """Return at most so many evenly spaced frames of each utterance, [layers, frames, dimensions].

    They lie in a file without a name that the system removes with the last reference to it, so that memory holds what
    is used and no more.
    """
    counts = [min(length, most) for length in frames.lengths]
    shapes = [(frames.layers, count, frames.dimensions) for count in counts]
    starts = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=scratch) as handle:
        flat: np.memmap[Any, Any] = np.memmap(handle, dtype=frames[0].dtype, mode="w+", shape=(int(starts[-1]),))
    kept: list[np.ndarray] = [np.empty(0)] * len(frames)
    for done, number in enumerate(frames.in_reading_order(range(len(frames)))):
        own = flat[starts[number] : starts[number + 1]].reshape(shapes[number])
        own[:] = frames[number][:, evenly_spaced(frames.lengths[number], counts[number])]
        kept[number] = np.asarray(own)
        if done % 100 == 99:
            frames.release()
    return kept


def evenly_spaced(length: int, number: int) -> Codes:
    """Return so many places, evenly spaced in a row of this length.

    >>> evenly_spaced(10, 3).tolist(), evenly_spaced(2, 2).tolist()
    ([1, 5, 8], [0, 1])
    """
    return np.asarray((np.arange(number) + 0.5) * length / number, dtype=np.intp)


def vectors(embeddings: FloatArray) -> Bags:
    """Return embeddings [utterances, dimensions] as bags of a single frame."""
    return Bags(list(torch.from_numpy(embeddings.astype(np.float32))[:, None, None]))
