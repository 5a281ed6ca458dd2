"""Which clips are trained on, and which are only used to check."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from candor.backbones.pretraining.settings import PretrainingError

logger = logging.getLogger(__name__)

Thing = TypeVar("Thing")


class Clip(NamedTuple):
    """A clip to listen to."""

    utterance: str
    speaker: str
    """Who speaks; blank where not known."""
    member: str
    """Its audio in the store."""


@dataclass(frozen=True)
class Parts:
    """The two parts of the clips, by their places in the sequence that was divided."""

    train: tuple[int, ...]
    check: tuple[int, ...]
    heard: tuple[str, ...]
    """Speakers of the first part; a blank name stands for clips whose speaker is not known."""
    held_out: tuple[str, ...]
    """Speakers of the second part, none of whom is heard; empty where clips had to be held out instead."""


def divide(clips: Sequence[Clip], share: float, seed: int) -> Parts:
    """Hold out a share of the speakers, drawn by seed: at least one, never all.

    Where fewer than two speakers are known, a share of the clips is held out instead. Clips of unknown speakers
    are trained on otherwise.
    """
    speakers = sorted({clip.speaker for clip in clips} - {""})
    if len(speakers) < 2:
        return _by_clips(clips, share, seed)
    held_out = _draw(speakers, share, seed)
    check = tuple(place for place, clip in enumerate(clips) if clip.speaker in held_out)
    train = tuple(place for place, clip in enumerate(clips) if clip.speaker not in held_out)
    unknown = sum(not clip.speaker for clip in clips)
    if unknown:
        logger.info("%d clips of unknown speakers are trained on; held-out speakers may be among them", unknown)
    return Parts(train, check, tuple(sorted({clips[place].speaker for place in train})), tuple(sorted(held_out)))


def _by_clips(clips: Sequence[Clip], share: float, seed: int) -> Parts:
    if len(clips) < 2:
        raise PretrainingError(
            f"pretrain: {len(clips)} usable clip; at least two are needed, one to train on and one to check with"
        )
    logger.info("fewer than two speakers are known: clips are held out, whose speakers are heard in training too")
    check = _draw(range(len(clips)), share, seed)
    train = tuple(place for place in range(len(clips)) if place not in check)
    return Parts(train, tuple(sorted(check)), tuple(sorted({clip.speaker for clip in clips})), ())


def _draw(things: Sequence[Thing], share: float, seed: int) -> set[Thing]:
    count = min(max(1, round(share * len(things))), len(things) - 1)
    order = np.random.default_rng(seed).permutation(len(things))
    return {things[place] for place in order[:count]}
