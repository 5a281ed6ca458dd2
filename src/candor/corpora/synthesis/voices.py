"""The speakers of the demo corpus: each with their own pitch, vocal tract, tempo and way of showing emotion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from candor.corpora.synthesis.emotions import Setting, responses

SEED = 20240521
"""Root of every draw in the corpus; the same seed gives the same bytes."""

SPEAKERS = range(1, 25)
"""Numbers of the actors."""

UNLABELLED_SPEAKERS = range(25, 49)
"""Those of the audio without labels; none of them is in the demo corpus."""

TYPICAL = {
    "male": Setting(2.8, 1.45, 2.17, 0.0, 9.0, 0.55, -30.0, 0.6),
    "female": Setting(12.4, 1.45, 2.17, 0.0, 10.5, 0.60, -28.0, 0.6),
}
"""Habitual settings around which speakers lie."""

SPEAKER_SPREAD = Setting(2.0, 0.25, 0.08, 2.0, 2.0, 0.04, 3.0, 0.15)
"""How much speakers of one gender differ: standard deviations."""

TRACT_LENGTH = {"male": (17.2, 0.6), "female": (14.7, 0.5)}
"""Vocal tract length in cm: mean and standard deviation (Fitch & Giedd 1999)."""


@dataclass(frozen=True)
class Voice:
    """One speaker.

    Parameters
    ----------
    actor
        The speaker's number.
    gender
        ``male`` for odd numbers, ``female`` for even ones.
    habit
        How the voice is set when nothing moves it.
    tract_length
        Length of the vocal tract, cm.
    response
        By how much it follows each emotion, parameter by parameter.
    """

    actor: int
    gender: str
    habit: Setting
    tract_length: float
    response: Mapping[str, Setting]


def gender_of(actor: int) -> str:
    """Return the gender of an actor."""
    return "male" if actor % 2 else "female"


def site_of(actor: int) -> str:
    """Return where an actor is said to have been recorded.

    Nothing in the sound depends on it. Both sites hold as many men as women.
    """
    return "site_a" if actor <= len(SPEAKERS) // 2 else "site_b"


def voice_of(actor: int) -> Voice:
    """Draw the voice of an actor."""
    rng = np.random.default_rng([SEED, actor])
    gender = gender_of(actor)
    habit = np.array(TYPICAL[gender]) + np.array(SPEAKER_SPREAD) * rng.normal(size=len(SPEAKER_SPREAD))
    length, spread = TRACT_LENGTH[gender]
    return Voice(
        actor=actor,
        gender=gender,
        habit=Setting(*map(float, habit)),
        tract_length=float(rng.normal(length, spread)),
        response=responses(rng),
    )
