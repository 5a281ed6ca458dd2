"""Bring hidden states to a common scale, measured on the training speakers or on each speaker alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from candor.features.reading import Frames

SMALLEST = 1e-6
"""A dimension that hardly changes says nothing, and must not turn rounding errors into evidence."""

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Affine:
    """What is subtracted from the states of an utterance, and what they are then divided by.

    Parameters
    ----------
    offset, scale
        [groups, layers, dimensions].
    group
        The group of each utterance.
    """

    offset: torch.Tensor
    scale: torch.Tensor
    group: torch.Tensor

    def of(self, numbers: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return offset and scale of these utterances, each [utterances, layers, dimensions]."""
        groups = self.group[list(numbers)]
        return self.offset[groups], self.scale[groups]

    def on_pooled(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return mean and deviation as they would be if the frames behind them had been normalised."""
        offset, scale = self.offset[self.group], self.scale[self.group]
        return torch.stack([(pooled[:, :, 0] - offset) / scale, pooled[:, :, 1] / scale], dim=2)


def groups_of(speakers: Sequence[str], in_train: Sequence[bool], scope: str) -> tuple[list[list[int]], list[int]]:
    """Return which utterances each group is measured on, and the group of each utterance.

    Parameters
    ----------
    speakers
        Of each utterance; blank where not known, which makes the utterance a group of its own.
    in_train
        Whether each utterance is in the train part.
    scope
        ``train``: one group, measured on the train part; ``speaker``: a group per speaker.
    """
    if scope == "train":
        return [[number for number, train in enumerate(in_train) if train]], [0] * len(speakers)
    names = [speaker or f"\n{number}" for number, speaker in enumerate(speakers)]
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    measured: list[list[int]] = [[] for _ in order]
    for number, name in enumerate(names):
        measured[order[name]].append(number)
    return measured, [order[name] for name in names]


def by_deviation(
    pooled: np.ndarray, frames: Sequence[int], measured: Sequence[Sequence[int]]
) -> tuple[Float64, Float64]:
    """Return mean and standard deviation over all frames of each group, from those of its utterances.

    Parameters
    ----------
    pooled
        Mean and deviation over time, [utterances, layers, statistics, dimensions].
    frames
        How many frames each utterance has.
    measured
        The utterances of each group.
    """
    offsets, scales = [], []
    for members in measured:
        count = np.asarray(frames, dtype=np.float64)[list(members), None, None]
        mean, deviation = (pooled[list(members), :, part].astype(np.float64) for part in (0, 1))
        offset = (count * mean).sum(axis=0) / count.sum()
        variance = (count * (deviation**2 + (mean - offset) ** 2)).sum(axis=0) / count.sum()
        offsets.append(offset)
        scales.append(np.sqrt(variance))
    return np.stack(offsets), np.stack(scales)


def by_range(frames: Frames, measured: Sequence[Sequence[int]]) -> tuple[Float64, Float64]:
    """Return the least value of each group, and how far the greatest is from it."""
    offsets, scales = [], []
    for members in measured:
        least: np.ndarray | None = None
        greatest: np.ndarray | None = None
        for number in frames.in_reading_order(members):
            states = frames[number]
            low, high = states.min(axis=1), states.max(axis=1)
            least = low if least is None else np.minimum(least, low)
            greatest = high if greatest is None else np.maximum(greatest, high)
        frames.release()
        assert least is not None
        assert greatest is not None
        offsets.append(least.astype(np.float64))
        scales.append(greatest.astype(np.float64) - least.astype(np.float64))
    return np.stack(offsets), np.stack(scales)


def affine(offset: Float64, scale: Float64, group: Sequence[int]) -> Affine:
    """Return the normalisation; what hardly changes within a group is only shifted."""
    safe = np.where(scale > SMALLEST, scale, 1.0)
    return Affine(torch.from_numpy(offset).float(), torch.from_numpy(safe).float(), torch.tensor(list(group)))
