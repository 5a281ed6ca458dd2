"""What a pretraining is told to do, and how it complains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from candor.runtime import Explained

FRAMES_PER_SECOND = 100

SHARD = 8
"""Pieces that one thread takes at a time. Fewer are slower each; more leave cores idle."""

MOST_SHARDS = 8


class PretrainingError(Explained, RuntimeError):
    """The audio or the options do not allow a pretraining; the message says what to do."""


@dataclass(frozen=True)
class Settings:
    """The keys of `pretrain` in the config that its outcome depends on, besides the audio."""

    num_layers: int
    hidden_size: int
    residual: bool
    dropout: float
    time_shift: int
    num_epochs: int
    batch_seconds: float
    learning_rate: float
    clip_norm: float
    max_seconds: float
    held_out: float
    seed: int

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Return what `options` says; keys that are about something else are passed over."""
        return cls(**{field.name: options[field.name] for field in fields(cls)})

    @property
    def piece_frames(self) -> int:
        """Most frames of a piece."""
        return max(1, round(self.max_seconds * FRAMES_PER_SECOND))

    @property
    def batch_frames(self) -> int:
        """Frames of a step, padding included."""
        return max(1, round(self.batch_seconds * FRAMES_PER_SECOND))

    @property
    def threads(self) -> int:
        """How many threads a step keeps busy, where it is of pieces of full length."""
        return shard_count(self.batch_frames // self.piece_frames)


def shard_count(pieces: int) -> int:
    """Return into how many shares a batch of so many pieces is dealt, however many threads there are."""
    return min(max(1, round(pieces / SHARD)), MOST_SHARDS)
