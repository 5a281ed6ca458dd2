"""What networks are given: pooled states, the states of every frame, or audio, a batch of utterances at a time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from candor.features.clips import Clip
from candor.features.reading import Frames
from candor.models.normalising import Affine
from candor.store.objects import Store

RELEASE = 256 * 2**20
"""Bytes of frames that are read before the memory behind them is let go."""


class Inputs(Protocol):
    """The utterances of a fold, by number."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def batch(self, numbers: Sequence[int], device: str) -> Batch:
        """Return what a network takes, for these utterances."""
        ...


@dataclass(frozen=True)
class PooledBatch:
    """Pooled states, [utterances, layers, statistics, dimensions]."""

    pooled: torch.Tensor


@dataclass(frozen=True)
class FrameBatch:
    """States of every frame, [layers, frames, dimensions] per utterance, and how each is normalised."""

    states: list[torch.Tensor]
    lengths: torch.Tensor
    offset: torch.Tensor | None = None
    scale: torch.Tensor | None = None


@dataclass(frozen=True)
class AudioBatch:
    """Waveforms [utterances, samples], and how many samples of each are its own."""

    waveforms: torch.Tensor
    lengths: torch.Tensor


Batch = PooledBatch | FrameBatch | AudioBatch


class PooledInputs:
    """Pooled states in memory.

    Parameters
    ----------
    pooled
        [utterances, layers, statistics, dimensions].
    """

    def __init__(self, pooled: torch.Tensor) -> None:
        self.pooled = pooled

    def __len__(self) -> int:
        return len(self.pooled)

    def batch(self, numbers: Sequence[int], device: str) -> PooledBatch:
        """Return the rows of these utterances."""
        return PooledBatch(self.pooled.index_select(0, torch.tensor(numbers)).to(device))


class FrameInputs:
    """Frames as they lie in the store; each is read when it is asked for, and let go soon after.

    Parameters
    ----------
    frames
        The states.
    affine
        How those of each utterance are normalised; None for not at all.
    """

    def __init__(self, frames: Frames, affine: Affine | None = None) -> None:
        self.frames, self.affine = frames, affine
        self._read = 0

    def __len__(self) -> int:
        return len(self.frames)

    def batch(self, numbers: Sequence[int], device: str) -> FrameBatch:
        """Return the states of these utterances."""
        if self._read > RELEASE:
            self.frames.release()
            self._read = 0
        with warnings.catch_warnings():
            # What is mapped cannot be written to, which torch says once; nothing here writes.
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            states = [torch.from_numpy(self.frames[number]) for number in numbers]
        self._read += sum(own.nbytes for own in states)
        lengths = torch.tensor([own.shape[1] for own in states])
        if device != "cpu":
            states = [own.to(device) for own in states]
        if self.affine is None:
            return FrameBatch(states, lengths)
        offset, scale = self.affine.of(numbers)
        return FrameBatch(states, lengths, offset.to(device), scale.to(device))


class AudioInputs:
    """Audio in the store, for backbones that are tuned.

    Parameters
    ----------
    clips
        Whose audio can be asked for, by number.
    store
        Where it is.
    """

    def __init__(self, clips: Sequence[Clip], store: Store) -> None:
        self.clips, self.store = list(clips), store

    def __len__(self) -> int:
        return len(self.clips)

    def batch(self, numbers: Sequence[int], device: str) -> AudioBatch:
        """Return the waveforms of these utterances."""
        clips = [self.clips[number] for number in numbers]
        waveforms = [torch.from_numpy(clip.waveform(self.store)) for clip in clips]
        padded = torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True)
        return AudioBatch(padded.to(device), torch.tensor([len(waveform) for waveform in waveforms]))
