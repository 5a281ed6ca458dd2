"""Log-mel frames of all clips, computed once and kept in a file that is looked into, not loaded."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from candor.audio.conversion import decode
from candor.backbones.pretraining.held_out import Clip
from candor.backbones.pretraining.settings import PretrainingError
from candor.runtime import Progress
from candor.store.objects import Store, digest
from candor.tables.base import atomic, write_json

logger = logging.getLogger(__name__)

MEL_BINS = 80
WINDOW, HOP = 400, 160
"""Samples of a frame and from one to the next: 25 and 10 ms at 16 kHz."""

AT_ONCE = 256
"""Clips whose frames wait in memory to be written."""


def audio_config() -> dict[str, Any]:
    """Return how s3prl is to compute the frames; it stands in the checkpoint too, and s3prl takes it apart."""
    return {
        "feat_type": "fbank",
        "feat_dim": MEL_BINS,
        "frame_length": 25,
        "frame_shift": 10,
        "decode_wav": False,
        "cmvn": True,
    }


@dataclass(frozen=True)
class LogMel:
    """Frames of clips, one clip after the other."""

    clips: tuple[Clip, ...]
    starts: tuple[int, ...]
    """Where each clip begins, and where the last one ends."""
    frames: np.ndarray
    """Shape [frames, mel bins], float16, on disk."""


def log_mel(clips: Sequence[Clip], store: Store, scratch: Path, pool: Executor, time_shift: int) -> LogMel:
    """Return the frames of all clips that have something to foretell, with s3prl's own front-end.

    Each bin has mean 0 and deviation 1 over its clip. The same audio under several names is taken once. Clips
    too short or without any variation are left out, and counted in the log.

    Parameters
    ----------
    clips
        In any order: the outcome is the same.
    store
        Where their audio is.
    scratch
        A folder for the file of the frames, 58 MB per hour of audio. What is there from an earlier call with the
        same clips is used again.
    pool
        What computes them.
    time_shift
        How many frames ahead is to be foretold.
    """
    chosen = _once_each(clips)
    key = digest(json.dumps([audio_config(), torch.__version__, time_shift, chosen]).encode())
    place, note = scratch / "log-mel.f16", scratch / "log-mel.json"
    if not _is_of(note, key):
        lengths = _write_frames(chosen, store, place, pool, time_shift)
        write_json({"key": key, "lengths": lengths}, note)
    lengths = json.loads(note.read_text(encoding="utf-8"))["lengths"]
    kept = [(clip, length) for clip, length in zip(chosen, lengths, strict=True) if length]
    if not kept:
        raise PretrainingError(
            f"pretrain: none of the {len(chosen)} clips is longer than {time_shift} frames and varies; "
            "choose another `dataset`"
        )
    if len(kept) < len(chosen):
        logger.info("%d of %d clips are too short or silent and left out", len(chosen) - len(kept), len(chosen))
    starts = np.concatenate([[0], np.cumsum([length for _, length in kept])]).tolist()
    frames = np.memmap(place, dtype=np.float16, mode="r", shape=(starts[-1], MEL_BINS))
    return LogMel(tuple(clip for clip, _ in kept), tuple(starts), frames)


def _once_each(clips: Sequence[Clip]) -> list[Clip]:
    members: dict[str, Clip] = {}
    for clip in sorted(clips):
        members.setdefault(clip.member, clip)
    return list(members.values())


def _is_of(note: Path, key: str) -> bool:
    try:
        found = json.loads(note.read_text(encoding="utf-8"))["key"]
    except (FileNotFoundError, ValueError, KeyError):
        return False
    return bool(found == key)


def _write_frames(clips: list[Clip], store: Store, place: Path, pool: Executor, time_shift: int) -> list[int]:
    """Write the frames of all clips to `place`; return how many each has, 0 for those left out."""
    from s3prl.upstream.apc.audio import create_transform

    transform, _ = create_transform(audio_config())

    def compute(clip: Clip) -> np.ndarray:
        return _frames_of(store.read(clip.member), transform, time_shift)

    lengths: list[int] = []
    with Progress(len(clips), "log-mel frames") as progress, atomic(place, "wb") as file:
        for first in range(0, len(clips), AT_ONCE):
            for frames in pool.map(compute, clips[first : first + AT_ONCE]):
                file.write(frames.tobytes())
                lengths.append(len(frames))
                progress.advance()
    return lengths


def _frames_of(wav: bytes, transform: torch.nn.Module, time_shift: int) -> np.ndarray:
    """Return the frames of a clip, none if they are too few or say nothing."""
    nothing = np.zeros((0, MEL_BINS), dtype=np.float16)
    samples = decode(wav)
    if len(samples) < WINDOW + HOP * time_shift:
        return nothing
    with torch.no_grad():
        frames: np.ndarray = transform(torch.from_numpy(samples)[None]).numpy()
    # With deviation 1, no value can exceed the root of their number: where one does, it is rounding error blown up.
    largest = np.abs(frames).max()
    return frames.astype(np.float16) if 0 < largest <= len(frames) ** 0.5 else nothing
