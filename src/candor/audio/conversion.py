"""From a raw recording to 16 kHz mono 16-bit wav."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import soundfile
import soxr

from candor.corpora.decoding import ffmpeg_version, needs_ffmpeg, opened
from candor.corpora.samples import SampleHash
from candor.runtime import Explained

RATE = 16000
AUDIO_VERSION = 1
"""To be raised whenever the samples that `convert` yields change; the golden-value test notices."""

_HEADER = struct.Struct("<4sI8sIHHIIHH4sI")
"""Of a wav file that holds a format, samples and nothing else."""


class AudioError(Explained, ValueError):
    """A recording cannot be converted."""


def convert(path: str | os.PathLike[str], expected: str | None = None) -> bytes:
    """Return the recording at `path` as the bytes of a 16 kHz mono 16-bit wav file.

    Decoded by libsndfile, or by ffmpeg from containers such as mp4, channels averaged, resampled by soxr at
    high quality, clipped to the range of 16 bits and rounded to the nearest value. No loudness change, no
    trimming, no dither.

    Parameters
    ----------
    path
        Any format that libsndfile reads, or a container that ffmpeg opens.
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
    samples, rate = _read_plain(path) or _read_any(path)
    if expected is not None and _hash(samples, rate) != expected:
        raise AudioError(f"{path}: {_other_samples(path)}")
    values = samples.astype(np.float32, copy=False)
    mono = values[:, 0] if values.shape[1] == 1 else values.mean(axis=1, dtype=np.float32)
    if rate != RATE:
        mono = np.asarray(soxr.resample(mono, rate, RATE, quality="HQ"))
    # 16-bit samples are in steps of 16 bits already; a factor of 2 to the 15 is exact, so both ways agree.
    return _wav(mono) if samples.dtype == np.int16 else encode(mono)


def _read_plain(path: str | os.PathLike[str]) -> tuple[np.ndarray, int] | None:
    """Return the samples of a 16-bit wav file of the simplest make, as most corpora consist of, and its rate.

    The same as libsndfile gives, three times faster. None for every other file.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size:
                return None
            riff, _, wave, length, kind, channels, rate, _, frame, bits, name, size = _HEADER.unpack(head)
            plain = (riff, wave, length, kind, bits, name) == (b"RIFF", b"WAVEfmt ", 16, 1, 16, b"data")
            plain &= 0 < channels <= 1024 and 0 < rate < 2**31  # libsndfile's own limits
            if not (plain and frame == 2 * channels and size and size % frame == 0):
                return None
            data = file.read()
    except OSError:
        return None
    return (np.frombuffer(data, "<i2").reshape(-1, channels), rate) if len(data) == size else None


def _read_any(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
    """Return the samples of a recording, 16-bit ones as they are and all others as float32, and its rate."""
    try:
        with opened(path) as file:
            exact = file.subtype == "PCM_16"
            # The number of frames is given because some codecs, such as GSM 06.10, cannot seek to find it out.
            data = file.read(file.frames, dtype="int16" if exact else "float32", always_2d=True)
            return data, file.samplerate
    except (soundfile.LibsndfileError, ValueError) as error:
        raise AudioError(f"{path}: {error}") from None
    except OSError as error:
        raise AudioError(f"{path}: not readable: {error.strerror or error}") from None


def _other_samples(path: str | os.PathLike[str]) -> str:
    """Say that a recording is not what was inspected, and what to do."""
    if needs_ffmpeg(path):
        return (
            f"ffmpeg {ffmpeg_version()} finds other samples in it than were inspected; "
            "give the same command with --forcerun manifest, so that this ffmpeg inspects it"
        )
    return "holds other samples than when it was inspected; give the same command again"


def _hash(samples: np.ndarray, rate: int) -> str:
    state = SampleHash(rate, samples.shape[1])
    state.update(samples)
    return state.hexdigest()


def encode(mono: np.ndarray) -> bytes:
    """Return samples in [-1, 1] as the bytes of a wav file."""
    return _wav(np.multiply(mono, 32768.0, dtype=np.float32))


def _wav(steps: np.ndarray) -> bytes:
    """Return samples in steps of 16 bits as the bytes of a wav file."""
    size = 2 * len(steps)
    header = _HEADER.pack(b"RIFF", 36 + size, b"WAVEfmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", size)
    return header + bytes(np.rint(steps).clip(-32768, 32767).astype("<i2").data)


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
