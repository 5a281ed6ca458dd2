"""A source-filter synthesiser of speech [1]_: glottal pulses and noise, shaped by a vocal tract.

The source is the KLGLOTT88 pulse of [2]_ with its open quotient, spectral tilt and aspiration; the tract is a
cascade of resonators as in [3]_. The filter changes from frame to frame, so it is applied by overlap-add in
the frequency domain.

References
----------
.. [1] Fant (1960), Acoustic Theory of Speech Production.
.. [2] Klatt & Klatt (1990), Analysis, synthesis, and perception of voice quality variations.
.. [3] Klatt (1980), Software for a cascade/parallel formant synthesizer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from candor.corpora.synthesis.emotions import Setting
from candor.corpora.synthesis.phones import Phone, Score

Samples = NDArray[np.float64]

RATE = 48_000
HOP, WINDOW, BINS = 480, 960, 3072
FREQUENCIES = np.arange(BINS // 2 + 1) * RATE / BINS
SPEED_OF_SOUND = 35_000.0  # cm/s in warm, moist air
REFERENCE_TRACT = 17.5  # cm, for which the phones' formants hold
TILT_FREQUENCY = 3_000.0
SHIMMER = 0.05
FRAME_OF_TRACKS = 0.001  # s
ACCENT_WIDTH = 0.07  # s
FORMANT_GLIDE, AMPLITUDE_GLIDE = 0.060, 0.016  # s: formants move as slowly as a tongue


def speak(score: Score, setting: Setting, tract_length: float, rng: np.random.Generator) -> Samples:
    """Synthesise one utterance; a vowel at the reference effort has an RMS near one."""
    length = round(float(score.ends[-1]) * RATE)
    targets = tracks(score)
    at = np.arange(length) / RATE
    times: Samples = np.arange(float(len(targets))) * FRAME_OF_TRACKS

    def sampled(column: str) -> Samples:
        return np.asarray(np.interp(at, times, targets[:, Phone._fields.index(column)]))

    f0 = np.interp(at, times, fundamental(score, setting, times))
    source = voice_source(f0, setting, rng) * sampled("voicing")
    friction = rng.normal(size=length) * sampled("friction")
    scale = REFERENCE_TRACT / tract_length * 2.0**setting.formants
    rows = np.minimum((np.arange(frames(length)) * HOP / RATE / FRAME_OF_TRACKS).astype(int), len(targets) - 1)
    shapes = targets[rows]
    voiced = formant_response(scale * shapes[:, 5:8], scale) * tilt_response(setting.tilt)
    noise = band_response(scale * shapes[:, 3], scale * shapes[:, 4])
    effort = 10.0 ** (setting.level / 20.0)
    return np.asarray(effort * overlap_add(spectra(source) * voiced + spectra(friction) * noise, length))


def tracks(score: Score) -> Samples:
    """Return the phones' targets in steps of a millisecond, glided over as articulators do."""
    times = np.arange(0.0, score.ends[-1] + FRAME_OF_TRACKS, FRAME_OF_TRACKS)
    steps = score.phones[np.minimum(np.searchsorted(score.ends, times, side="right"), len(score.ends) - 1)]
    amplitudes = smooth(steps[:, :3], AMPLITUDE_GLIDE)
    return np.concatenate([amplitudes, steps[:, 3:5], smooth(steps[:, 5:], FORMANT_GLIDE)], axis=1)


def smooth(values: Samples, seconds: float) -> Samples:
    """Smooth columns with a Hann window, the edges held."""
    half = int(seconds / FRAME_OF_TRACKS / 2)
    window = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    return np.apply_along_axis(np.convolve, 0, padded, window / window.sum(), "valid")


def fundamental(score: Score, setting: Setting, at: Samples) -> Samples:
    """Return F0 in Hz: accents on a declining line, as superpositional models have it (Fujisaki & Hirose 1984)."""
    start, end = score.ends[0], score.ends[-2]
    span = 2.0**setting.span
    accents = np.exp(-0.5 * ((at[:, None] - score.accents) / ACCENT_WIDTH) ** 2).sum(axis=1)
    declination = 0.5 - np.clip((at - start) / (end - start), 0.0, 1.0)
    semitones = setting.pitch + span * (accents + 0.8 * declination - 0.4)
    return np.asarray(100.0 * 2.0 ** (semitones / 12.0))


def voice_source(f0: Samples, setting: Setting, rng: np.random.Generator) -> Samples:
    r"""Return the derivative of the glottal flow, with breath noise while the glottis is open.

    In the open phase of a cycle, :math:`0 \le x < 1` after division by the open quotient, the flow of KLGLOTT88
    is :math:`x^2 - x^3` and its derivative :math:`2x - 3x^2`; then it is zero. Jitter and shimmer perturb period
    and amplitude from cycle to cycle.
    """
    cycles = int(f0.sum() / RATE * 1.2) + 2
    jitter = 1.0 + setting.jitter / 100.0 * rng.normal(size=cycles)
    shimmer = 1.0 + SHIMMER * rng.normal(size=cycles)
    cycle = np.cumsum(f0 / RATE).astype(int)
    phase = np.cumsum(f0 * jitter[cycle] / RATE)
    cycle = phase.astype(int)
    x = (phase - cycle) / setting.open_quotient
    is_open = x < 1.0
    flow = np.where(is_open, x * (2.0 - 3.0 * x), 0.0) * shimmer[cycle]
    flow /= np.sqrt(np.mean(flow**2))
    breath = rng.normal(size=len(f0)) * np.where(is_open, 1.0, 0.5)
    return np.asarray(flow + 10.0 ** (setting.aspiration / 20.0) * breath)


def formant_response(formants: Samples, scale: float) -> NDArray[np.complex128]:
    """Return the tract's response per frame: three moving formants and the fixed ones above them."""
    fixed = fft.rfft(resonances(higher_formants(scale)[None]), BINS)
    return np.asarray(1.0 / (fft.rfft(resonances(formants), BINS) * fixed))


def higher_formants(scale: float) -> Samples:
    """Return the fourth formant and all above, up to 20 kHz: those of a uniform tube closed at the glottis."""
    quarter = SPEED_OF_SOUND / 4.0 / REFERENCE_TRACT * scale
    return np.arange(7.0, 20_000.0 / quarter, 2.0) * quarter


def resonances(formants: Samples) -> Samples:
    r"""Return the denominator of a cascade of digital resonators, one row of coefficients per frame.

    A resonator of bandwidth :math:`B` at :math:`F` is :math:`(1 - b - c) / (1 - b z^{-1} - c z^{-2})` with
    :math:`c = -e^{-2\pi B T}` and :math:`b = 2 e^{-\pi B T} \cos 2\pi F T` (Klatt 1980, eq. 2); its gain at
    0 Hz is one. Bandwidths grow with the formants.
    """
    radius = np.exp(-np.pi * (50.0 + 0.04 * formants) / RATE)
    b, c = 2.0 * radius * np.cos(2.0 * np.pi * formants / RATE), -(radius**2)
    sections = np.stack([np.ones_like(b), -b, -c], axis=-1) / (1.0 - b - c)[..., None]
    product = np.ones((len(formants), 1))
    for section in sections.swapaxes(0, 1):
        longer = np.zeros((len(formants), product.shape[1] + 2))
        for tap in range(3):
            longer[:, tap : tap + product.shape[1]] += section[:, tap, None] * product
        product = longer
    return product


def tilt_response(tilt: float) -> Samples:
    """Return a first-order low-pass that attenuates 3 kHz by `tilt` dB."""
    steepness = 10.0 ** (tilt / 10.0) - 1.0
    return np.asarray(1.0 / np.sqrt(1.0 + steepness * (FREQUENCIES / TILT_FREQUENCY) ** 2))


def band_response(centre: Samples, width: Samples) -> Samples:
    """Return one Gaussian band per frame."""
    return np.asarray(np.exp(-0.5 * ((FREQUENCIES - centre[:, None]) / (width[:, None] / 2.0)) ** 2))


def frames(length: int) -> int:
    """Return how many frames cover `length` samples, one hop of silence on either side."""
    return -(-length // HOP) + 1


def spectra(signal: Samples) -> NDArray[np.complex128]:
    """Return the spectra of overlapping Hann frames, padded so that the filter's tail does not wrap around."""
    count = frames(len(signal))
    padded = np.zeros((count + 1) * HOP)
    padded[HOP : HOP + len(signal)] = signal
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)
    return np.asarray(fft.rfft(pieces * window, BINS, axis=1))


def overlap_add(frames_: NDArray[np.complex128], length: int) -> Samples:
    """Return the signal whose filtered frames are given."""
    pieces = fft.irfft(frames_, BINS, axis=1)
    parts = -(-BINS // HOP)
    pieces = np.pad(pieces, ((0, 0), (0, parts * HOP - BINS))).reshape(len(pieces), parts, HOP)
    blocks = np.zeros((len(pieces) + parts - 1, HOP))
    for part in range(parts):
        blocks[part : part + len(pieces)] += pieces[:, part]
    return blocks.reshape(-1)[HOP : HOP + length]
