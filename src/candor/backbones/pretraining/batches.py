"""Clips cut into pieces, and pieces put together to batches with little padding."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from candor.backbones.pretraining.log_mel import LogMel
from candor.backbones.pretraining.settings import shard_count


class Piece(NamedTuple):
    """A stretch of a clip from which frames are foretold."""

    start: int
    """Its first frame, as `LogMel` counts."""
    length: int
    """Frames from which one is foretold; the last one's is `time_shift` frames behind the piece."""


class Frames(NamedTuple):
    """Pieces side by side."""

    values: torch.Tensor
    """Shape [pieces, longest + time shift, mel bins], 0 where a piece is over."""
    lengths: torch.Tensor
    """Frames of each from which one is foretold."""


def cut(log_mel: LogMel, clips: Iterable[int], longest: int, time_shift: int) -> list[Piece]:
    """Cut clips into as few pieces as can be, of about equal length, that foretell each frame once."""
    pieces = []
    for clip in clips:
        start, end = log_mel.starts[clip], log_mel.starts[clip + 1] - time_shift
        bounds = np.linspace(start, end, -(-(end - start) // longest) + 1).round().astype(int).tolist()
        pieces += [Piece(first, last - first) for first, last in pairwise(bounds)]
    return pieces


def batches(pieces: list[Piece], most_frames: int, draw: np.random.Generator | None) -> list[list[Piece]]:
    """Put pieces of similar length together, until padding included a batch has `most_frames`.

    Parameters
    ----------
    pieces
        What is dealt out, each once.
    most_frames
        A longer piece is a batch of its own.
    draw
        Shuffles the batches, and which of two pieces is taken first whose lengths differ by less than a fifth.
        None: strictly by length.
    """
    lengths = np.array([piece.length for piece in pieces])
    order = np.argsort(lengths * (draw.uniform(0.9, 1.1, len(pieces)) if draw else 1.0), kind="stable")
    dealt: list[list[Piece]] = []
    longest = 0
    for place in order[::-1].tolist():
        longest = max(longest, pieces[place].length)
        if not dealt or longest * (len(dealt[-1]) + 1) > most_frames:
            dealt.append([])
            longest = pieces[place].length
        dealt[-1].append(pieces[place])
    return [dealt[place] for place in draw.permutation(len(dealt))] if draw else dealt


def shards(batch: list[Piece]) -> list[list[Piece]]:
    """Share a batch out among threads. How depends on the batch alone, so the number of threads changes nothing."""
    count = shard_count(len(batch))
    return [batch[part::count] for part in range(count)]


def together(log_mel: LogMel, pieces: list[Piece], time_shift: int, device: torch.device) -> Frames:
    """Return the frames of pieces on a device, padded to the longest."""
    longest = max(piece.length for piece in pieces)
    values = np.zeros((len(pieces), longest + time_shift, log_mel.frames.shape[1]), dtype=np.float32)
    for row, (start, length) in zip(values, pieces, strict=True):
        row[: length + time_shift] = log_mel.frames[start : start + length + time_shift]
    lengths = torch.tensor([piece.length for piece in pieces])
    return Frames(torch.from_numpy(values).to(device), lengths.to(device))
