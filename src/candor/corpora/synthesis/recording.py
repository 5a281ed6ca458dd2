"""Which recordings there are, and how one is made: a voice says a sentence in front of a microphone."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from candor.corpora.demo_layout import EMOTION_CODES
from candor.corpora.synthesis.emotions import INTENSITIES, express
from candor.corpora.synthesis.phones import SENTENCES, score
from candor.corpora.synthesis.source_filter import RATE, speak
from candor.corpora.synthesis.voices import SEED, voice_of

SPEECH_LEVEL = 0.025
"""Full scale per unit of what the synthesiser makes."""

NOISE_LEVEL, NOISE_SPREAD = -62.0, 3.0
"""Noise of the room and the microphone: level in dB of full scale and its standard deviation."""

GAIN_SPREAD = 7.0
"""How much the recording gain differs from take to take, dB: loudness alone gives no emotion away."""

PEAK = 0.97
STEREO_SPEAKERS = (6, 7)
STEREO_SENTENCE = 1
RIGHT_CHANNEL = 0.8


class Recording(NamedTuple):
    """One good recording of the corpus; the fields are those of its name."""

    emotion: str
    intensity: int
    sentence: int
    take: int
    actor: int

    @property
    def path(self) -> str:
        """Where it lies below the corpus folder."""
        code = f"{self.emotion}-{self.intensity:02d}-{self.sentence:02d}-{self.take:02d}-{self.actor:02d}"
        return f"Actor_{self.actor:02d}/03-01-{code}.wav"

    @property
    def channels(self) -> int:
        """A few recordings are in stereo."""
        return 2 if self.actor in STEREO_SPEAKERS and self.sentence == STEREO_SENTENCE else 1


def recordings(speakers: Iterable[int]) -> list[Recording]:
    """List the good recordings: each emotion twice per sentence, so that all classes are of one size.

    Neutral speech has no strong intensity and is taken twice instead.
    """
    return [
        Recording(code, 1, sentence, number, actor)
        if emotion == "neutral"
        else Recording(code, number, sentence, 1, actor)
        for actor in speakers
        for code, emotion in EMOTION_CODES.items()
        for sentence in SENTENCES
        for number in INTENSITIES
    ]


def record(recording: Recording) -> bytes:
    """Make a recording: the bytes of a 16-bit wav file, the same ones each time."""
    rng = np.random.default_rng([SEED, int(recording.emotion), *recording[1:]])
    voice = voice_of(recording.actor)
    emotion = EMOTION_CODES[recording.emotion]
    setting = express(voice.habit, voice.response[emotion], voice.gender, emotion, recording.intensity, rng)
    before, after = rng.uniform(0.06, 0.14, size=2)
    text = score(recording.sentence, 2.0**setting.rate, before, after)
    speech = SPEECH_LEVEL * speak(text, setting, voice.tract_length, rng)
    return wav(through_microphone(speech, recording.channels, rng))


def through_microphone(speech: NDArray[np.float64], channels: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Add noise and set the recording gain; stereo hears the voice a little left of the middle."""
    noise_level = 10.0 ** (rng.normal(NOISE_LEVEL, NOISE_SPREAD) / 20.0)
    balance = np.array([1.0, RIGHT_CHANNEL])[:channels]
    heard = speech[:, None] * balance + noise_level * rng.normal(size=(len(speech), channels))
    gain = 10.0 ** (rng.normal(0.0, GAIN_SPREAD) / 20.0)
    return np.asarray(heard * min(gain, PEAK / np.abs(heard).max()))


def wav(samples: NDArray[np.float64]) -> bytes:
    """Return samples within ±1 as a 16-bit wav file."""
    buffer = BytesIO()
    soundfile.write(buffer, np.round(samples * 32767.0).astype(np.int16), RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
