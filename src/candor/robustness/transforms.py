"""How a recording is disturbed: functions of samples at 16 kHz, one per test.

Each takes a recording and strengths, and yields for each strength the disturbed samples, or why there are none. What is
random is drawn once per recording and test, by its name: a curve over strengths is of the same noise, made louder, and
nothing depends on what else is disturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import scipy.fft
import soxr
import torch
from audiomentations import HighPassFilter, LowPassFilter
from audiomentations.augmentations.add_color_noise import NOISE_COLOR_DECAYS, generate_decaying_white_noise
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from torchaudio.functional import mu_law_decoding, mu_law_encoding

from candor.audio.conversion import RATE
from candor.models.seeding import seeded
from candor.robustness.names import NO_OTHER_SPEAKER, TOO_SHORT
from candor.robustness.rooms import Response, rooms

Samples = NDArray[np.float32]

SHORTEST = 0.1
"""Seconds that must be left of a recording, or it is left out."""

TELEPHONE = 8000
"""Samples per second of a telephone call."""

PINK_FROM = 16
"""Hertz from which on the power of pink noise falls with the frequency; below it is flat."""

TILT_FROM = 100.0
"""Hertz from which on a tilted spectrum is tilted: below there is no speech, and a fall would have no end."""


@dataclass(frozen=True)
class Recording:
    """A recording, and who else there is to be heard behind it.

    Parameters
    ----------
    name
        The utterance.
    samples
        All of them, in [-1, 1].
    voices
        Returns recordings of other speakers, drawn with a generator; none where there are no others.
    """

    name: str
    samples: Samples
    voices: Callable[[np.random.Generator], list[Samples]] = lambda _: []

    def draws(self, test: str) -> np.random.Generator:
        """Return the generator of what is random when this recording is put to a test."""
        return np.random.default_rng(seed_of(self.name, test))


Transform = Callable[[Recording, Sequence[float]], Iterator[Samples | str]]


def seed_of(name: str, purpose: str) -> int:
    """Return a seed of an utterance's own."""
    return int.from_bytes(blake2b(f"{purpose}\n{name}".encode(), digest_size=8).digest(), "little")


def as_recorded(samples: NDArray[np.floating]) -> Samples:
    """Return samples as a wav file of 16 bits holds them, which is what the audio stage would write."""
    steps = np.rint(np.asarray(samples, dtype=np.float64) * 32768.0).clip(-32768, 32767)
    return (steps / 32768.0).astype(np.float32)


def rms(samples: NDArray[np.floating]) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def realised_snr(clean: Samples, disturbed: Samples) -> float | None:
    """Return how far a recording is above what was added to it, in decibels; None where either is silent."""
    noise = rms(disturbed.astype(np.float64) - clean)
    return 20 * float(np.log10(rms(clean) / noise)) if noise > 0 and rms(clean) > 0 else None


def with_noise(samples: Samples, noise: NDArray[np.floating], snrs: Sequence[float]) -> Iterator[Samples]:
    r"""Yield samples with noise at each signal-to-noise ratio.

    .. math:: x + n\,\frac{\mathrm{RMS}(x)}{\mathrm{RMS}(n)}\,10^{-SNR/20}

    A ratio is of the whole recording, its pauses included. To silence no ratio can be told: it stays as it is.
    """
    loud = rms(noise)
    factor = rms(samples) / loud if loud > 0 else 0.0
    for snr in snrs:
        yield (samples + noise * (factor * 10 ** (-snr / 20))).astype(np.float32)


def as_loud(disturbed: NDArray[np.floating], samples: Samples) -> NDArray[np.floating]:
    """Return disturbed samples at the level of the clean ones."""
    loud = rms(disturbed)
    return disturbed * (rms(samples) / loud) if loud > 0 else disturbed


def white_noise(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Add Gaussian noise of the same power at all frequencies."""
    noise = recording.draws("white_noise").standard_normal(len(recording.samples))
    yield from with_noise(recording.samples, noise, strengths)


def pink_noise(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Add noise whose power falls by 3 dB per octave."""
    yield from with_noise(recording.samples, pink(len(recording.samples), recording.name), strengths)


def pink(samples: int, name: str) -> Samples:
    """Return pink noise of audiomentations, drawn for an utterance by its name.

    As it is, `AddColorNoise` puts some 70 % of the power below 125 Hz: it takes the power at 0 Hz to be that at 1 Hz,
    and knows no other frequency below 125 Hz. Told that its steps are 1 Hz apart, it falls evenly from the first step
    on. The ends, where the noise fades in and out, are cut off.
    """
    steps = RATE // PINK_FROM
    with seeded(seed_of(name, "pink_noise")):
        made = generate_decaying_white_noise(samples + steps, NOISE_COLOR_DECAYS["pink"], steps, n_fft=steps)
    return np.asarray(made[steps // 2 : steps // 2 + samples], dtype=np.float32)


def babble(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Add other speakers of the dataset, all equally loud, who talk at the same time."""
    draws = recording.draws("babble")
    voices = [voice for voice in recording.voices(draws) if rms(voice) > 0]
    if not voices:
        yield from (NO_OTHER_SPEAKER for _ in strengths)
        return
    starts = [int(draws.integers(len(voice))) for voice in voices]
    length = len(recording.samples)
    noise = sum(
        np.resize(np.roll(voice, -start), length) / rms(voice) for voice, start in zip(voices, starts, strict=True)
    )
    yield from with_noise(recording.samples, np.asarray(noise), strengths)


def room(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Play the recording in a room; what is heard is aligned with it, as long and as loud."""
    place = int(recording.draws("room").integers(2**31))
    for strength in strengths:
        bank = rooms(strength)
        yield heard_in(bank[place % len(bank)], recording.samples)


def heard_in(response: Response, samples: Samples) -> Samples:
    """Return what is heard of a recording in a room."""
    start, length = response.arrival, len(samples)
    heard = fftconvolve(samples, response.samples)[start : start + length]
    return np.asarray(as_loud(heard, samples), dtype=np.float32)


def clipping(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Cut off the peaks, so that a share of the samples that are not zero lies at the ends.

    Digital silence has no peaks: were it counted, little would be left of a word in a long pause, or nothing.
    """
    heard = np.abs(recording.samples[recording.samples != 0])
    for share in strengths:
        end = float(np.quantile(heard, 1 - share / 100)) if len(heard) else 0.0
        yield recording.samples.clip(-end, end)


def gain(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Make the recording louder or quieter."""
    for decibels in strengths:
        yield recording.samples * np.float32(10 ** (decibels / 20))


def low_pass(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Take away what is high, by a Butterworth filter of the first order: 6 dB per octave."""
    for cutoff in strengths:
        yield LowPassFilter(cutoff, cutoff, min_rolloff=6, max_rolloff=6, p=1.0)(recording.samples, RATE)


def high_pass(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Take away what is low, by a Butterworth filter of the first order: 6 dB per octave."""
    for cutoff in strengths:
        yield HighPassFilter(cutoff, cutoff, min_rolloff=6, max_rolloff=6, p=1.0)(recording.samples, RATE)


def tilt_down(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Let the spectrum fall by so many decibels per octave."""
    yield from (tilted(recording.samples, -slope) for slope in strengths)


def tilt_up(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Let the spectrum rise by so many decibels per octave."""
    yield from (tilted(recording.samples, slope) for slope in strengths)


def tilted(samples: Samples, slope: float) -> Samples:
    """Return samples with a tilted spectrum, as loud as before.

    Padded to twice their length, lest what is delayed come back at the other end.
    """
    size = scipy.fft.next_fast_len(2 * len(samples), real=True)
    frequencies = np.maximum(scipy.fft.rfftfreq(size, 1 / RATE), TILT_FROM)
    factors = 10 ** (slope * np.log2(frequencies / TILT_FROM) / 20)
    turned = scipy.fft.irfft(scipy.fft.rfft(samples, size) * factors.astype(np.float32), size)[: len(samples)]
    return np.asarray(as_loud(turned, samples), dtype=np.float32)


def crop_start(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Leave out the first seconds."""
    for seconds in strengths:
        yield _enough(recording.samples[round(seconds * RATE) :])


def crop_end(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Leave out the last seconds."""
    for seconds in strengths:
        left = len(recording.samples) - round(seconds * RATE)
        yield _enough(recording.samples[: max(left, 0)])


def silence_before(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Put seconds of zeros before the recording."""
    for seconds in strengths:
        yield np.concatenate([np.zeros(round(seconds * RATE), dtype=np.float32), recording.samples])


def resampling(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Resample to fewer samples per second, and back."""
    for rate in strengths:
        yield _back(_down(recording.samples, rate), rate, len(recording.samples))


def mu_law(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Round samples to so many levels, which lie the closer the quieter they are."""
    for levels in strengths:
        yield companded(recording.samples, int(levels))


def telephone(recording: Recording, strengths: Sequence[float]) -> Iterator[Samples | str]:
    """Do as digital telephones do: 8000 samples per second, rounded by the μ-law; and back.

    The μ-law is the formula: G.711 draws it as straight lines, and has a band-pass filter before it.
    """
    for levels in strengths:
        called = companded(_down(recording.samples, TELEPHONE), int(levels))
        yield _back(called, TELEPHONE, len(recording.samples))


def companded(samples: Samples, levels: int) -> Samples:
    """Return samples after μ-law encoding and decoding; those beyond [-1, 1] are cut off.

    The levels of torchaudio lie evenly on both sides of zero, so that an even number of them has none there and silence
    becomes the one above. All are moved by that one, so that silence stays silence.
    """
    held = torch.from_numpy(np.append(np.clip(samples, -1.0, 1.0), np.float32(0)))
    restored = mu_law_decoding(mu_law_encoding(held, levels), levels).numpy()
    return np.asarray(restored[:-1] - restored[-1], dtype=np.float32)


def _down(samples: Samples, rate: float) -> Samples:
    return np.asarray(soxr.resample(samples, RATE, rate, quality="HQ"), dtype=np.float32)


def _back(samples: Samples, rate: float, length: int) -> Samples:
    """Return samples at 16 kHz again, exactly as many as there were."""
    restored = np.asarray(soxr.resample(samples, rate, RATE, quality="HQ"), dtype=np.float32)[:length]
    return np.pad(restored, (0, length - len(restored)))


def _enough(samples: Samples) -> Samples | str:
    return samples if len(samples) >= round(SHORTEST * RATE) else TOO_SHORT


TRANSFORMS: dict[str, Transform] = {
    function.__name__: function
    for function in (
        *(white_noise, pink_noise, babble, room, clipping, gain, low_pass, high_pass, tilt_down, tilt_up),
        *(crop_start, crop_end, silence_before, resampling, mu_law, telephone),
    )
}
"""By the name of the test."""

ADDED = ("white_noise", "pink_noise", "babble")
"""Tests that add something, so that a signal-to-noise ratio can be told."""
