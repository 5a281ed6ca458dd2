"""What an emotion does to a voice: the settings of a voice, and the changes that are planted.

The directions of the changes follow the vocal correlates that [1]_ and [2]_ report, and the voice qualities
that go with them in [3]_.

References
----------
.. [1] Banse & Scherer (1996), Acoustic profiles in vocal emotion expression.
.. [2] Juslin & Laukka (2003), Communication of emotions in vocal expression and music performance.
.. [3] Gobl & Ní Chasaide (2003), The role of voice quality in communicating emotion, mood and attitude.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Setting(NamedTuple):
    """How a voice is set, on scales on which changes add up.

    Parameters
    ----------
    pitch
        Level of F0, semitones above 100 Hz.
    span
        Height of a pitch accent, log2 of semitones.
    rate
        Speech rate, log2 of syllables per second.
    level
        Vocal effort as level, dB.
    tilt
        Attenuation of the voice source at 3 kHz, dB.
    open_quotient
        Share of the cycle in which the glottis is open.
    aspiration
        Breath noise relative to voicing, dB.
    jitter
        Standard deviation of the period from cycle to cycle, per cent.
    formants
        Shift of all formants, log2.
    """

    pitch: float = 0.0
    span: float = 0.0
    rate: float = 0.0
    level: float = 0.0
    tilt: float = 0.0
    open_quotient: float = 0.0
    aspiration: float = 0.0
    jitter: float = 0.0
    formants: float = 0.0


CHANGES = {
    "neutral": Setting(),
    "happiness": Setting(3.8, 0.85, 0.11, 4.5, -3.4, -0.035, -1.0, 0.1, 0.050),
    "sadness": Setting(-1.8, -0.70, -0.28, -5.0, 4.5, 0.100, 5.5, 0.2, -0.022),
    "anger": Setting(3.4, 0.60, 0.18, 7.3, -6.2, -0.120, -3.5, 0.8, 0.017),
}
"""What each emotion changes, for a speaker of full expressiveness."""

INTENSITIES = {1: 0.75, 2: 1.15}
"""Share of the change that is heard at normal and at strong intensity."""

EXPRESSIVENESS = {"male": 1.0, "female": 0.55}
"""The planted gender gap: emotions change the women's voices by this share of what they change the men's."""

RESPONSE_SPREAD = 0.35
"""How much speakers differ in what an emotion changes: standard deviation of a factor around one."""

TAKE_SPREAD = Setting(1.0, 0.25, 0.07, 1.5, 1.6, 0.025, 1.5, 0.1, 0.012)
"""How much one take differs from the next, whatever the emotion: standard deviations."""

LOWEST = Setting(-12.0, -1.5, 1.3, -20.0, 0.0, 0.3, -50.0, 0.1, -0.3)
HIGHEST = Setting(30.0, 3.5, 2.8, 20.0, 30.0, 0.9, -3.0, 4.0, 0.3)


def responses(rng: np.random.Generator) -> dict[str, Setting]:
    """Draw by how much one speaker's voice follows each emotion, parameter by parameter."""
    draws = {emotion: rng.normal(1.0, RESPONSE_SPREAD, len(LOWEST)) for emotion in CHANGES}
    return {emotion: Setting(*map(float, draw)) for emotion, draw in draws.items()}


def express(
    habit: Setting, response: Setting, gender: str, emotion: str, intensity: int, rng: np.random.Generator
) -> Setting:
    """Set a voice for one take.

    The habitual setting plus the emotion's change, scaled by the speaker's response, the gender's
    expressiveness and the intensity, plus what differs from take to take.
    """
    strength = EXPRESSIVENESS[gender] * INTENSITIES[intensity]
    change = strength * np.array(response) * np.array(CHANGES[emotion])
    chance = np.array(TAKE_SPREAD) * rng.normal(size=len(LOWEST))
    return Setting(*map(float, np.clip(np.array(habit) + change + chance, LOWEST, HIGHEST)))
