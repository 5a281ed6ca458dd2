"""Convert a whole dataset: only what is new, any number of workers, the same bytes."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from candor.audio.conversion import AUDIO_VERSION, convert, samples_in
from candor.runtime import Progress, in_processes
from candor.store.objects import Store, digest

Row = dict[str, str | int]


@dataclass(frozen=True)
class Source:
    """An utterance to convert: its name, its raw file and the hash of that file's samples."""

    utterance: str
    path: str
    audio: str


def collect(sources: Sequence[Source], raw: Path, folder: Path, store: Store, workers: int) -> list[Row]:
    """Convert `sources` into `store`, show them in `folder`, and return the rows of the index.

    Parameters
    ----------
    sources
        The utterances of a manifest.
    raw
        The corpus folder.
    folder
        Where one wav per utterance appears; wavs of utterances that have left the manifest disappear.
    store
        Where the bytes are kept.
    workers
        Number of processes.
    """
    rows: list[Row] = []
    with store.ledger("audio") as ledger, Progress(len(sources), "audio", "clip") as progress:
        known = [ledger.get(conversion_key(source.audio)) or "" for source in sources]
        store.note_use(str(folder.resolve()), filter(None, known))
        jobs = [
            (os.path.join(raw, source.path), source.audio, member)
            for source, member in zip(sources, known, strict=True)
        ]
        members = in_processes(functools.partial(_convert_one, str(store.root)), jobs, workers)
        for source, (member, samples) in zip(sources, members, strict=True):
            ledger.put(conversion_key(source.audio), member)
            file = f"{file_stem(source.utterance)}.wav"
            store.link(member, os.path.join(folder, file))
            rows.append({"utterance": source.utterance, "file": file, "member": member, "samples": samples})
            progress.advance()
    store.note_use(str(folder.resolve()), (str(row["member"]) for row in rows))
    shown = {row["file"] for row in rows}
    for wav in folder.glob("*.wav"):
        if wav.name not in shown:
            wav.unlink()
    return rows


def conversion_key(audio: str) -> str:
    """Return all that a converted clip depends on, as one hash."""
    return digest(f"audio {AUDIO_VERSION} {audio}".encode())


def file_stem(utterance: str) -> str:
    """Return a file name for an utterance: its own name where a file system takes it.

    >>> file_stem("1001_IEO_NEU_XX")
    '1001_IEO_NEU_XX'
    >>> file_stem("dia1/utt 2")
    'dia1_utt_2-e0affab0'
    """
    safe = re.sub(r"[^\w.+=@-]", "_", utterance)[:200].lstrip(".")
    return safe if safe == utterance else f"{safe}-{digest(utterance.encode())[:8]}"


def _convert_one(store_root: str, job: tuple[str, str, str]) -> tuple[str, int]:
    """Return the member that holds a clip, made now unless it is there and whole."""
    path, audio, member = job
    store = Store(store_root)
    if not member or not store.intact(member):
        wav = convert(path, audio)
        return store.put(wav, ".wav"), samples_in(wav)
    return member, samples_in(store.path(member))
