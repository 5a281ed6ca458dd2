"""From a raw recording to 16 kHz mono 16-bit wav."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import soundfile
import soxr

from candor.corpora.samples import SampleHash
from candor.runtime import Explained

RATE = 16000
AUDIO_VERSION = 1
"""To be raised whenever the samples that `convert` yields change; the golden-value test notices."""

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class AudioError(Explained, ValueError):
    """A recording cannot be converted."""


def convert(path: str | os.PathLike[str], expected: str | None = None) -> bytes:
    """Return the recording at `path` as the bytes of a 16 kHz mono 16-bit wav file.

    Decoded by libsndfile, channels averaged, resampled by soxr at high quality, clipped to the range of 16
    bits and rounded to the nearest value. No loudness change, no trimming, no dither.

    Parameters
    ----------
    path
        Any format libsndfile reads.
    expected
        The hash of its samples that was taken when the recording was inspected.

    Raises
    ------
    AudioError
        When the file cannot be decoded, or holds other samples than expected.

    Returns
    -------
    bytes
        A canonical 44-byte header and the samples.
    """
    try:
        with soundfile.SoundFile(path) as file:
            samples, rate = (
                file.read(dtype="int16" if file.subtype == "PCM_16" else "float32", always_2d=True),
                file.samplerate,
            )
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path}: {error}") from None
    if expected is not None and _hash(samples, rate) != expected:
        raise AudioError(f"{path}: holds other samples than when it was inspected; give the same command again")
    if samples.dtype == np.int16:
        # The same values as libsndfile's own conversion gives, several times faster.
        samples = samples * np.float32(1 / 32768)
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
    if rate != RATE:
        mono = np.asarray(soxr.resample(mono, rate, RATE, quality="HQ"))
    return encode(mono)


def _hash(samples: np.ndarray, rate: int) -> str:
    state = SampleHash(rate, samples.shape[1])
    state.update(samples)
    return state.hexdigest()


def encode(mono: np.ndarray) -> bytes:
    """Return samples in [-1, 1] as the bytes of a wav file."""
    scaled = np.multiply(mono, 32768.0, dtype=np.float32)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -32768, 32767, out=scaled)
    data = scaled.astype("<i2").tobytes()
    header = _HEADER.pack(
        b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", len(data)
    )
    return bytes(header + data)


def decode(wav: bytes) -> np.ndarray:
    """Return the samples of a converted file as float32 in [-1, 1)."""
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    if rate != RATE or samples.ndim != 1:
        raise AudioError(f"a member of the store is {rate} Hz with shape {samples.shape}; 16 kHz mono is expected")
    return np.asarray(samples)


def samples_in(wav: bytes | Path) -> int:
    """Return the number of samples of a converted file."""
    size = len(wav) if isinstance(wav, bytes) else wav.stat().st_size
    return (size - _HEADER.size) // 2
