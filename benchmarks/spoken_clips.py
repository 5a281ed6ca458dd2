"""Clips that are as long as utterances, in a store as the stage `audio` leaves them."""

from __future__ import annotations

import numpy as np

from candor.audio.conversion import RATE, encode
from candor.features.clips import Clip
from candor.store.objects import Store

SHORTEST, LONGEST = 2.0, 6.0
"""Seconds; lengths in between are equally likely."""


def speak(samples: int, generator: np.random.Generator) -> np.ndarray:
    """Return a voice-like tone under syllables, and noise; no two clips are the same."""
    time = np.arange(samples) / RATE
    pitch = generator.uniform(90, 250)
    tone = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 6))
    syllables = np.abs(np.sin(2 * np.pi * 2 * time))
    return 0.1 * tone * syllables + 0.01 * generator.standard_normal(samples)


def put_clips(store: Store, count: int, seed: int) -> list[Clip]:
    """Put so many clips into the store."""
    generator = np.random.default_rng(seed)
    clips = []
    for number in range(count):
        samples = int(generator.uniform(SHORTEST, LONGEST) * RATE)
        name = f"clip{seed}_{number:05}"
        clips.append(Clip(name, store.put(encode(speak(samples, generator)), ".wav"), samples))
    return clips
