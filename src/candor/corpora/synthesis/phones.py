"""What is said: phones, sentences and their timing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Phone(NamedTuple):
    """Targets of one stretch of speech, for a vocal tract of 17.5 cm.

    Parameters
    ----------
    duration
        Relative length; the sentence's tempo makes seconds of it.
    voicing, friction
        Amplitudes of the voice source and of the noise at the constriction.
    centre, width
        Band of that noise, Hz.
    f1, f2, f3
        Formants, Hz.
    """

    duration: float
    voicing: float
    friction: float
    centre: float
    width: float
    f1: float
    f2: float
    f3: float


VOWELS = {
    "a": (730.0, 1090.0, 2440.0),
    "e": (530.0, 1840.0, 2480.0),
    "i": (270.0, 2290.0, 3010.0),
    "o": (570.0, 840.0, 2410.0),
    "u": (300.0, 870.0, 2240.0),
}
"""Formants of men's vowels (Peterson & Barney 1952)."""

CONSONANTS = {
    "m": (Phone(70, 0.35, 0.0, 1000, 800, 250, 1000, 2200),),
    "n": (Phone(65, 0.35, 0.0, 1000, 800, 250, 1700, 2600),),
    "l": (Phone(65, 0.50, 0.0, 1000, 800, 360, 1300, 2700),),
    "b": (Phone(50, 0.10, 0.0, 900, 800, 250, 720, 2200), Phone(12, 0.1, 0.15, 900, 800, 300, 720, 2200)),
    "d": (Phone(45, 0.10, 0.0, 3800, 1500, 250, 1800, 2700), Phone(12, 0.1, 0.2, 3800, 1500, 300, 1800, 2700)),
    "t": (Phone(55, 0.00, 0.0, 4500, 1800, 250, 1800, 2700), Phone(28, 0.0, 0.3, 4500, 1800, 350, 1800, 2700)),
    "k": (Phone(55, 0.00, 0.0, 1900, 700, 250, 2000, 2400), Phone(28, 0.0, 0.3, 1900, 700, 350, 2000, 2400)),
    "f": (Phone(85, 0.00, 0.10, 5000, 5000, 300, 900, 2200),),
    "s": (Phone(90, 0.00, 0.25, 6500, 2200, 300, 1800, 2700),),
}
"""Consonants; a stop is a closure and a burst. The second formants are the loci of Delattre et al. (1955)."""

SENTENCES = {
    1: "ma NI ta LO se mi",
    2: "du FA le KI no BE",
    3: "si LA mo TE ba nu",
    4: "ko DE ni SA li FU",
}
"""Nonsense sentences of six syllables by their code; capitals carry a pitch accent."""

STRESSED, UNSTRESSED, FINAL = 135.0, 95.0, 130.0


@dataclass(frozen=True)
class Score:
    """A sentence as a sequence of phones in time.

    Parameters
    ----------
    phones
        Targets, one row per phone, columns as in `Phone`.
    ends
        Where each phone ends, seconds.
    accents
        Where the pitch accents peak, seconds.
    """

    phones: NDArray[np.float64]
    ends: NDArray[np.float64]
    accents: NDArray[np.float64]


def vowel(letter: str, duration: float, amplitude: float) -> Phone:
    """Return a vowel."""
    return Phone(duration, amplitude, 0.0, 1000, 800, *VOWELS[letter])


def score(sentence: int, syllables_per_second: float, before: float, after: float) -> Score:
    """Lay a sentence out in time, with a pause of `before` and `after` seconds around it."""
    syllables = SENTENCES[sentence].split()
    phones: list[Phone] = []
    peaks: list[int] = []
    for place, syllable in enumerate(syllables):
        stressed = syllable.isupper()
        final = place == len(syllables) - 1
        consonant, letter = syllable[0].lower(), syllable[1].lower()
        phones += CONSONANTS[consonant]
        if stressed:
            peaks.append(len(phones))
        phones.append(
            vowel(letter, FINAL if final else STRESSED if stressed else UNSTRESSED, 1.0 if stressed else 0.75)
        )
    targets = np.array(phones, dtype=float)
    seconds = targets[:, 0] * (len(syllables) / syllables_per_second / targets[:, 0].sum())
    ends = before + np.cumsum(seconds)
    accents = ends[peaks] - seconds[peaks] / 2
    rest = np.array([Phone(0, 0, 0, 1000, 800, 500, 1500, 2500)], dtype=float)
    return Score(
        phones=np.concatenate([rest, targets, rest]),
        ends=np.concatenate([[before], ends, [ends[-1] + after]]),
        accents=accents,
    )
