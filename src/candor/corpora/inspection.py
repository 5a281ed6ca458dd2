"""Look at every recording once: how long it is, what its samples are, and whether it can take part.

Recordings go wrong in ways that a decoder passes over in silence: it reads the half that is there of a file
cut short, and a pointer left by git-LFS has the right name. Here each of them gets a reason.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Protocol

from candor.corpora.decoding import DecodingError, ffmpeg_version, needs_ffmpeg, opened, promised_seconds
from candor.corpora.samples import SampleHash
from candor.runtime import Progress, in_processes

INSPECTION_VERSION = 2
"""To be raised whenever `measure` finds something else in the same file."""

RATE = 16000
BLOCK = 1 << 20
STREAMED = 0x7FFFF000
"""Data sizes from here on are what programs write that do not know the size yet."""
BOXES = (b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"free", b"skip", b"wide", b"pnot", b"uuid", b"meta")
"""The parts that mp4 and QuickTime files consist of."""
ASF = bytes.fromhex("3026b275 8e66cf11 a6d900aa 0062ce6c")
ASF_PROPERTIES = bytes.fromhex("a1dcab8c 47a9cf11 8ee400c0 0c205365")
"""The beginning of wma files, and of the part that tells their size."""
NOT_THE_FILES_FAULT = ("not readable", "needs ffmpeg")
"""Beginnings of faults that are not remembered: what is mended need not be the file."""


@dataclass(frozen=True)
class Limits:
    """What a recording must keep to.

    Parameters
    ----------
    min_duration, max_duration
        Seconds.
    silence_dbfs
        Level below which a recording counts as silent, in dB of full scale.
    """

    min_duration: float = 0.1
    max_duration: float = 60.0
    silence_dbfs: float = -60.0


@dataclass(frozen=True)
class Measurement:
    """What a file holds, whatever the limits are.

    `level` is half the distance between the highest and the lowest sample of the mean of the channels, as
    a share of full scale: the peak, but blind to a constant offset. `fault` says why there are no samples to judge.
    """

    fault: str = ""
    duration: float = 0.0
    rate: int = 0
    channels: int = 0
    level: float = 0.0
    audio: str = ""
    streamed: bool = False


@dataclass(frozen=True)
class Inspection:
    """What is known of a recording: `problem` is why it cannot take part, `note` what is odd but no harm."""

    duration: float
    rate: int
    channels: int
    audio: str
    note: str
    problem: str


class Memory(Protocol):
    """Where measurements are kept between runs."""

    def get(self, key: str) -> str | None:
        """Return what was put under `key`."""

    def put(self, key: str, value: str) -> None:
        """Keep `value` under `key`."""


def inspect(
    root: Path, paths: Iterable[str], *, workers: int, ledger: Memory | None = None, limits: Limits | None = None
) -> dict[str, Inspection]:
    """Inspect recordings; of those that the ledger knows, none is opened.

    Parameters
    ----------
    root
        The corpus folder.
    paths
        Files below it.
    workers
        Number of processes; the result does not depend on it.
    ledger
        Remembers measurements by path, size and modification time, as they are made, so that a run that
        was killed goes on where it stopped.
    limits
        What a recording must keep to.
    """
    limits = limits or Limits()
    measured: dict[str, Measurement] = {}
    unknown: list[tuple[str, str, str]] = []
    for path in dict.fromkeys(paths):
        file = os.path.abspath(os.path.join(root, path))
        key = _key(file)
        known = ledger.get(key) if ledger is not None and key else None
        if known is None:
            unknown.append((path, file, key))
        else:
            measured[path] = Measurement(**json.loads(known))
    with Progress(len(unknown), "inspection", "clip") as progress:
        fresh = in_processes(measure, [file for _, file, _ in unknown], workers)
        for (path, _, key), measurement in zip(unknown, fresh, strict=True):
            measured[path] = measurement
            if ledger is not None and key and not measurement.fault.startswith(NOT_THE_FILES_FAULT):
                ledger.put(key, json.dumps(vars(measurement)))
            progress.advance()
    return {path: judge(measurement, limits) for path, measurement in measured.items()}


def judge(measurement: Measurement, limits: Limits) -> Inspection:
    """Hold a measurement against the limits."""
    duration = measurement.duration
    decibels = 20 * math.log10(measurement.level) if measurement.level > 0 else -math.inf
    problem = measurement.fault
    if not problem and duration > limits.max_duration:
        problem = f"too long: {duration:.2f} s, at most {limits.max_duration:g} s"
    if not problem and duration < limits.min_duration:
        problem = f"too short: {duration:.3f} s, at least {limits.min_duration:g} s"
    if not problem and decibels < limits.silence_dbfs:
        problem = f"silent: peak at {decibels:.1f} dBFS" if measurement.level else "silent: all samples are equal"
    notes = []
    if measurement.channels == 2:
        notes.append("stereo, mixed down")
    elif measurement.channels > 2:
        notes.append(f"{measurement.channels} channels, mixed down")
    if 0 < measurement.rate < RATE:
        notes.append(f"{measurement.rate} Hz: upsampled, nothing above {measurement.rate // 2} Hz")
    if measurement.streamed:
        notes.append("header without a length, read to the end")
    return Inspection(
        duration, measurement.rate, measurement.channels, measurement.audio, "; ".join(notes) * (not problem), problem
    )


def measure(path: str) -> Measurement:
    """Read one file and say what it holds."""
    try:
        if not os.path.isfile(path):
            return Measurement("missing file")
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            fault, streamed = _look_at_head(file, size, os.path.basename(path))
        return Measurement(fault) if fault else _measure_samples(path, streamed)
    except OSError as error:
        return Measurement(f"not readable: {error.strerror or error}")


def _look_at_head(file: BinaryIO, size: int, name: str) -> tuple[str, bool]:
    """Return what is wrong with a file before it is decoded, and whether its header leaves the length open."""
    head = file.read(64)
    if not size:
        return "empty file", False
    if head.startswith(b"version https://git-lfs"):
        return "git-LFS stub: run `git lfs pull` in the corpus folder", False
    if name.startswith("._") or head[:4] in (b"\x00\x05\x16\x07", b"\x00\x05\x16\x00"):
        return "macOS resource fork", False
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _look_at_chunks(file, size)
    return _look_at_container(file, head, size) if needs_ffmpeg(name) else "", False


def _look_at_chunks(file: BinaryIO, size: int) -> tuple[str, bool]:
    """Compare the length that a wav file's header promises with what is there."""
    position, frame, rate = 12, 1, 0
    while position + 8 <= size:
        file.seek(position)
        name, declared = struct.unpack("<4sI", file.read(8))
        if name == b"fmt ":
            content = file.read(16)
            if len(content) == 16:
                rate, frame = struct.unpack_from("<I", content, 4)[0], struct.unpack_from("<H", content, 12)[0]
        if name == b"data":
            there = size - position - 8
            if declared >= STREAMED > there:
                return "", True
            if declared == 0 and there > frame:
                return f"not decodable: its header says 0 samples, {there} bytes follow; write it anew with sox", False
            if there + frame <= declared and rate and frame:
                promised, found = declared / frame / rate, there / frame / rate
                return _truncated(promised, found), False
            return "", False
        position += 8 + declared + declared % 2
    return "truncated: ends before its samples", False


def _look_at_container(file: BinaryIO, head: bytes, size: int) -> str:
    """Compare the bytes that an avi, wma or mp4 file promises with what is there."""
    declared = 0
    if head[:4] == b"RIFF" and len(head) >= 8:
        length = struct.unpack_from("<I", head, 4)[0]
        declared = 8 + length if length < STREAMED else 0
    elif head.startswith(ASF):
        properties = (head + file.read(4096)).partition(ASF_PROPERTIES)[2]
        declared = struct.unpack_from("<Q", properties, 24)[0] if len(properties) >= 32 else 0
    elif head[4:8] in BOXES:
        return _look_at_boxes(file, size)
    return _fewer_bytes(declared, size)


def _look_at_boxes(file: BinaryIO, size: int) -> str:
    """Follow the parts of an mp4 file, each of which begins with its length and name, to their end."""
    position, indexed = 0, False
    while position + 8 <= size:
        file.seek(position)
        length, name, long = struct.unpack(">I4sQ", file.read(16).ljust(16, b"\0"))
        length = {0: size - position, 1: long}.get(length, length)  # 0 stands for the rest of the file
        if name not in BOXES or length < 8:
            return ""
        indexed = indexed or name == b"moov"
        position += length
    return _fewer_bytes(position, size) or ("" if indexed else "truncated: its index, the part moov, is missing")


def _fewer_bytes(declared: int, there: int) -> str:
    return f"truncated: the header says {declared} bytes, {there} are there" if declared > there else ""


def _truncated(promised: float, found: float) -> str:
    return f"truncated: the header says {promised:.2f} s, {found:.2f} s are there"


def _measure_samples(path: str, streamed: bool) -> Measurement:
    import numpy as np
    import soundfile

    with ExitStack() as until_read:
        try:
            seconds = promised_seconds(path) if needs_ffmpeg(path) else 0.0
            file = until_read.enter_context(opened(path))
        except DecodingError as error:
            return Measurement(str(error))
        except (soundfile.SoundFileError, TypeError, ValueError) as error:
            return Measurement(f"not audio: {_brief(error)}")
        exact = file.subtype == "PCM_16"
        rate, channels, promised = file.samplerate, file.channels, file.frames
        samples = SampleHash(rate, channels)
        found, broken, undecodable = 0, 0, False
        low, high = math.inf, -math.inf
        while True:
            try:
                block = file.read(BLOCK, dtype="int16" if exact else "float32", always_2d=True)
            except soundfile.SoundFileError:
                undecodable = True
                break
            if not len(block):
                break
            found += len(block)
            broken += 0 if exact else int(np.count_nonzero(~np.isfinite(block)))
            samples.update(block)
            mono = block.mean(axis=1, dtype=np.float64) / (32768.0 if exact else 1.0)
            low, high = min(low, float(mono.min())), max(high, float(mono.max()))
    duration = found / rate
    if broken:
        return Measurement(f"contains NaN or infinity: {broken} samples")
    if undecodable or found < promised:
        return Measurement(_truncated(promised / rate, duration))
    if duration < 0.99 * seconds - 0.1:  # coded sound has a margin of a frame or two at either end
        return Measurement(_truncated(seconds, duration))
    if not found:
        return Measurement("empty file: a header and no samples")
    return Measurement("", duration, rate, channels, (high - low) / 2, samples.hexdigest(), streamed)


def _brief(error: Exception) -> str:
    """Return the decoder's words without the path, on one line."""
    text = str(error).rpartition(": ")[2].strip()
    return " ".join(text.split())[:120] or "libsndfile cannot decode it"


def _key(file: str) -> str:
    """Return what a measurement depends on, or nothing for a file that is not there."""
    try:
        status = os.stat(file)
    except OSError:
        return ""
    text = f"inspection {INSPECTION_VERSION} {file} {status.st_size} {status.st_mtime_ns}"
    if needs_ffmpeg(file):  # another decoder may give other samples
        text += f" ffmpeg {ffmpeg_version()}"
    return blake2b(text.encode(errors="surrogateescape"), digest_size=16).hexdigest()
