"""Files that are wrong on purpose, so that a newcomer sees what becomes of such files."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

import numpy as np
import soundfile

from candor.corpora.synthesis.source_filter import RATE


class BadFile(NamedTuple):
    """A file that must not take part.

    Parameters
    ----------
    path
        Where it lies below the corpus folder.
    reason
        What is wrong with it.
    source
        The good file that it is made from.
    make
        Makes its bytes from those of the good file.
    """

    path: str
    reason: str
    source: str
    make: Callable[[bytes], bytes]


def empty(_: bytes) -> bytes:
    """Return nothing, as a copy that broke off at once."""
    return b""


def lfs_pointer(_: bytes) -> bytes:
    """Return what git leaves of a large file where git-lfs is not installed."""
    digest = "0123456789abcdef" * 4
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 144044\n".encode()


def resource_fork(_: bytes) -> bytes:
    """Return the head of an AppleDouble file, which macOS leaves beside files on foreign disks."""
    return b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(58)


def silence(_: bytes) -> bytes:
    """Return a second of digital silence: the microphone was off."""
    buffer = BytesIO()
    soundfile.write(buffer, np.zeros(RATE, dtype=np.int16), RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def truncated(good: bytes) -> bytes:
    """Return the first third of a file, whose header still promises all of it."""
    return good[: len(good) // 3]


def copied(good: bytes) -> bytes:
    """Return the file as it is."""
    return good


BAD_FILES = (
    BadFile(
        "Actor_01/03-01-03-01-01-03-01.wav",
        "empty file",
        "Actor_01/03-01-03-01-01-01-01.wav",
        empty,
    ),
    BadFile(
        "Actor_01/._03-01-04-01-02-01-01.wav",
        "macOS resource fork, not audio",
        "Actor_01/03-01-04-01-02-01-01.wav",
        resource_fork,
    ),
    BadFile(
        "Actor_01/03-01-05-01-03-03-01.wav",
        "git-lfs pointer instead of audio",
        "Actor_01/03-01-05-01-03-01-01.wav",
        lfs_pointer,
    ),
    BadFile(
        "Actor_02/03-01-01-01-02-03-02.wav",
        "digital silence",
        "Actor_02/03-01-01-01-02-01-02.wav",
        silence,
    ),
    BadFile(
        "Actor_02/03-01-05-02-04-03-02.wav",
        "truncated: the header promises three times the audio that is there",
        "Actor_02/03-01-05-02-04-01-02.wav",
        truncated,
    ),
    BadFile(
        "Actor_02/03-01-04-01-01-03-02.wav",
        "exact duplicate of 03-01-04-01-01-01-02.wav",
        "Actor_02/03-01-04-01-01-01-02.wav",
        copied,
    ),
    BadFile(
        "Actor_02/angry_last_try.wav",
        "the name says neither emotion nor sentence in the corpus's code",
        "Actor_02/03-01-05-01-01-01-02.wav",
        copied,
    ),
)
"""Every bad file of the corpus. No good clip has a third take, so these names are free."""
