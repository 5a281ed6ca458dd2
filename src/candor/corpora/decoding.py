"""Open any recording: what libsndfile reads directly, sound in other containers through ffmpeg."""

from __future__ import annotations

import errno
import functools
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import soundfile

EXACT = (".mp4", ".m4a", ".m4v", ".mov", ".3gp")
"""Their headers say how long the sound lasts, so that its length tells whether any of it is lost."""

SUFFIXES = (*EXACT, ".mkv", ".mka", ".webm", ".avi", ".aac", ".wma", ".wmv")
"""Containers that libsndfile cannot open. Others, such as .ts, do not show when their end is missing."""

NEEDS_FFMPEG = (
    "needs ffmpeg: install it (apt install ffmpeg, or conda install -c conda-forge ffmpeg) or put a wav beside the file"
)

START_SECONDS = 60
BYTES_PER_SECOND = 1_000_000
"""A decoder is given this much time, many times what it needs, before it counts as hanging."""

QUIET = ("-v", "error", "-hide_banner")
# A file may be a playlist, whatever its name; nothing is fetched for one.
LOCAL = ("-protocol_whitelist", "file")

_MARK = re.compile(r"(?:\[[^\]]* @ [^\]]*\] )+")
_CUT_SHORT = re.compile(r"partial file|ended prematurely")
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class DecodingError(ValueError):
    """A recording cannot be decoded. The message says why in a line, gist first and without the path."""


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[soundfile.SoundFile]:
    """Open a recording for reading with soundfile, whatever container it is in.

    Of a container that libsndfile cannot open, ffmpeg decodes the first sound stream at its own rate, with
    its own channels, to 16 bits.

    Raises
    ------
    DecodingError
        When ffmpeg is needed and not there, or finds no sound or not all of it.
    soundfile.SoundFileError
        When libsndfile cannot open the file.
    OSError
        When decoding failed for reasons that are not the file's.
    """
    import soundfile

    if not needs_ffmpeg(path):
        with soundfile.SoundFile(path) as file:
            yield file
        return
    # A file without a name: nothing is left of it when this process ends, even by being killed.
    with tempfile.TemporaryFile() as wav:
        _decode(path, wav)
        wav.seek(0)
        with soundfile.SoundFile(wav.fileno(), closefd=False) as file:
            yield file


def needs_ffmpeg(path: str | os.PathLike[str]) -> bool:
    """Tell by the name whether a recording is in a container that libsndfile cannot open."""
    return os.fspath(path).lower().endswith(SUFFIXES)


@functools.cache
def ffmpeg_version() -> str:
    """Return the version of ffmpeg that the samples depend on; blank where it or its ffprobe does not run."""
    version = ""
    for tool in ("ffprobe", "ffmpeg"):
        try:
            run = subprocess.run(
                [tool, "-version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=START_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        words = run.stdout.decode(errors="replace").split()
        if run.returncode or words[:2] != [tool, "version"]:
            return ""
        version = words[2]
    return version


def promised_seconds(path: str | os.PathLike[str]) -> float:
    """Return how long the sound in a container lasts by its header; 0 where that does not say.

    Raises
    ------
    DecodingError
        When ffmpeg is not there, or finds no sound in the file.
    """
    entries = "stream=duration,start_time:stream_tags:format=format_name"
    wanted = ("-select_streams", "a:0", "-show_entries", entries, "-of", "json")
    answer, _ = _run(["ffprobe", *QUIET, *LOCAL, *wanted, _input(path)], path)
    found = json.loads(answer)
    if not found.get("streams"):
        raise DecodingError("not audio: the file has no sound stream")
    stream, container = found["streams"][0], found.get("format", {}).get("format_name", "")
    if "mp4" in container:
        return _seconds(stream.get("duration"))
    if "matroska" in container:
        # Some programs count from the start of the file and some from that of the stream; the lesser is safe.
        tags = stream.get("tags", {})
        last = next((_seconds(tags[name]) for name in sorted(tags) if name.upper().startswith("DURATION")), 0.0)
        return max(0.0, last - _seconds(stream.get("start_time")))
    return 0.0  # what ffprobe says of others it partly reckons from the size of the file


def _seconds(text: str | None) -> float:
    """Return a length of time, given in seconds or as on a clock."""
    clock = _CLOCK.fullmatch(text or "")
    if clock:
        return 3600 * int(clock[1]) + 60 * int(clock[2]) + float(clock[3])
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0


def _decode(path: str | os.PathLike[str], wav: BinaryIO) -> None:
    """Write the first sound stream of a container into `wav`."""
    reading = ("-threads", "1", "-flags:a", "bitexact", "-i", _input(path), "-map", "0:a:0")
    writing = ("-c:a", "pcm_s16le", "-bitexact", "-rf64", "auto", "-f", "wav", "-y", f"file:/dev/fd/{wav.fileno()}")
    _, complaints = _run(["ffmpeg", "-nostdin", *QUIET, *LOCAL, *reading, *writing], path, keep_open=[wav.fileno()])
    exact = os.fspath(path).lower().endswith(EXACT)
    cut_short = [line for line in complaints if not exact or _CUT_SHORT.search(line)]
    if cut_short:
        raise DecodingError(f"truncated: ffmpeg says {cut_short[0]!r}")


def _run(command: Sequence[str], path: str | os.PathLike[str], keep_open: Sequence[int] = ()) -> tuple[str, list[str]]:
    """Run a tool of ffmpeg; return what it answers and what it complains of."""
    if not ffmpeg_version():
        raise DecodingError(NEEDS_FFMPEG)
    patience = START_SECONDS + os.path.getsize(path) / BYTES_PER_SECOND
    try:
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            pass_fds=keep_open,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(errno.ETIMEDOUT, f"{command[0]} did not finish within {patience:.0f} s") from None
    complaints = _without_names(run.stderr, path)
    if any("No space left on device" in line for line in complaints):
        raise OSError(errno.ENOSPC, f"no space left in {tempfile.gettempdir()} for the decoded sound")
    if run.returncode < 0:
        raise OSError(errno.EINTR, f"{command[0]} was ended by signal {-run.returncode}")
    if run.returncode:
        raise DecodingError(_reason(complaints))
    return run.stdout.decode(errors="replace"), complaints


def _reason(complaints: Sequence[str]) -> str:
    first = complaints[0] if complaints else "nothing"
    return f"not audio: {'the file has no sound stream' if 'matches no streams' in first else f'ffmpeg says {first!r}'}"


def _without_names(stderr: bytes, path: str | os.PathLike[str]) -> list[str]:
    """Return what was complained of without the path and without addresses, which differ from run to run."""
    text = stderr.decode(errors="surrogateescape").replace(_input(path), "the file")
    lines = [" ".join(_MARK.sub("", line).split()) for line in text.splitlines()]
    return [line.encode(errors="backslashreplace").decode()[:120] for line in lines if line]


def _input(path: str | os.PathLike[str]) -> str:
    """Return a name that is taken for a file, even with a colon or a dash at its beginning."""
    return f"file:{os.fspath(path)}"
