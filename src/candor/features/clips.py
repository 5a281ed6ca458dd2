"""What is to be extracted: clips, cut to a length, and the batches they are run in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candor.audio.conversion import RATE, decode
from candor.runtime import Explained
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


class FeatureError(Explained, ValueError):
    """A clip has no usable features; the message names it."""


@dataclass(frozen=True)
class Clip:
    """An utterance's audio: the member of the store that holds it, and how many of its samples are used."""

    utterance: str
    member: str
    samples: int
    cut: bool = False

    @property
    def seconds(self) -> float:
        """Return how long the used part is."""
        return self.samples / RATE

    @property
    def content(self) -> str:
        """Return in words what is heard, on which hidden states depend; the same for whoever bears another name."""
        return f"{self.member} first {self.samples}" if self.cut else self.member

    def waveform(self, store: Store) -> np.ndarray:
        """Return what is heard: the samples that are used, float32 in [-1, 1)."""
        return decode(store.read(self.member))[: self.samples]


def cut_clips(rows: Sequence[tuple[str, str, int]], seconds: float | None) -> list[Clip]:
    """Return clips of which only the first seconds are used.

    Parameters
    ----------
    rows
        Utterance, member of the store and samples of each clip.
    seconds
        The most that is used of a clip; None for all of it.
    """
    most = None if seconds is None else max(1, round(seconds * RATE))
    return [
        Clip(utterance, member, samples) if most is None or samples <= most else Clip(utterance, member, most, cut=True)
        for utterance, member, samples in rows
    ]


def clips_of(table: pd.DataFrame, audio: pd.DataFrame, seconds: float | None) -> list[Clip]:
    """Return the clips of a table's utterances, in its order, of which only the first seconds are used.

    Parameters
    ----------
    table
        Any with a column `utterance`.
    audio
        The audio index.
    seconds
        As for `cut_clips`.
    """
    own = audio.set_index("utterance").loc[table["utterance"].tolist(), ["member", "samples"]]
    rows = zip(own.index.tolist(), own["member"].tolist(), own["samples"].tolist(), strict=True)
    return cut_clips([(name, member, int(samples)) for name, member, samples in rows], seconds)


def in_batches(clips: Sequence[Clip], seconds: float) -> Iterator[list[Clip]]:
    """Yield clips in batches of similar length, the longest first.

    A batch holds at most so many seconds, padding included, or one clip. Whatever has been done of the clips before,
    a run that goes on with the rest forms the same batches as one that was never interrupted.

    Parameters
    ----------
    clips
        What is to be run.
    seconds
        The most that a batch holds.
    """
    batch: list[Clip] = []
    for clip in sorted(clips, key=lambda clip: (-clip.samples, clip.member, clip.utterance)):
        # The first clip of a batch is its longest, so it says how long each is after padding.
        if batch and (len(batch) + 1) * batch[0].seconds > seconds:
            yield batch
            batch = []
        batch.append(clip)
    if batch:
        yield batch
