"""The demo corpus: synthesised emotional speech, written to disk as if it were someone's recordings."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from candor.corpora.demo_layout import SPEAKERS_FILE
from candor.corpora.synthesis.bad_files import BAD_FILES
from candor.corpora.synthesis.recording import Recording, record, recordings
from candor.corpora.synthesis.voices import SPEAKERS, UNLABELLED_SPEAKERS, gender_of, site_of
from candor.runtime import Progress, in_processes
from candor.tables.base import atomic

__all__ = ["BAD_FILES", "SPEAKERS", "UNLABELLED_SPEAKERS", "synthesise", "synthesise_unlabelled"]


MARK_FILE = ".made-by"
"""Says which version of the synthesiser made what lies beside it."""


def synthesise(root: Path, *, workers: int, speakers: Sequence[int] = SPEAKERS, mark: str = "") -> list[str]:
    """Write the demo corpus below `root`.

    Files that are there already are kept, so that work that was broken off is taken up again, unless another
    version of the synthesiser made them. The bytes depend neither on the number of workers nor on which other
    speakers are made.

    Parameters
    ----------
    root
        The corpus folder; it is made if need be.
    workers
        How many processes share the work.
    speakers
        Which actors are recorded; fewer make a smaller corpus.
    mark
        The version of the synthesiser. A folder that bears another one is emptied first.

    Returns
    -------
    list of str
        Paths of all files of the corpus below `root`, bad ones included, sorted.
    """
    empty_if_outdated(root, mark)
    planned = recordings(speakers)
    missing = [recording for recording in planned if not (root / recording.path).exists()]
    with Progress(len(missing), "demo corpus") as progress:
        for _ in in_processes(partial(write_recording, root), missing, workers):
            progress.advance()
    paths = [recording.path for recording in planned]
    return sorted([*paths, *write_bad_files(root, set(paths)), write_speakers(root, speakers)])


def synthesise_unlabelled(root: Path, *, workers: int, mark: str = "") -> list[str]:
    """Write recordings of more speakers below `root`, a folder each, and nothing that tells what they express.

    They are made like those of the demo corpus and share no speaker with it: audio to pretrain on.

    Parameters
    ----------
    root, workers, mark
        As `synthesise` takes them.
    """
    empty_if_outdated(root, mark)
    planned = {unlabelled_path(number, one): one for number, one in enumerate(recordings(UNLABELLED_SPEAKERS))}
    missing = [(path, one) for path, one in planned.items() if not (root / path).exists()]
    with Progress(len(missing), "unlabelled speakers") as progress:
        for _ in in_processes(partial(write_unlabelled, root), missing, workers):
            progress.advance()
    return sorted(planned)


def unlabelled_path(number: int, recording: Recording) -> str:
    """Return where a recording lies whose name is not to give its emotion away."""
    return f"speaker_{recording.actor:02d}/{number:04d}.wav"


def write_unlabelled(root: Path, planned: tuple[str, Recording]) -> None:
    """Make one recording and write it under a name of its own."""
    path, recording = planned
    write_bytes(record(recording), root / path)


def empty_if_outdated(root: Path, mark: str) -> None:
    """Remove what another version of the synthesiser made, and leave the mark of this one."""
    note = root / MARK_FILE
    if note.exists() and note.read_text(encoding="utf-8") != mark:
        shutil.rmtree(root)
    with atomic(note) as handle:
        handle.write(mark)


def write_recording(root: Path, recording: Recording) -> None:
    """Make one recording and write it."""
    write_bytes(record(recording), root / recording.path)


def write_bad_files(root: Path, good: set[str]) -> list[str]:
    """Write the bad files whose good originals are there."""
    wanted = [bad for bad in BAD_FILES if bad.source in good]
    for bad in wanted:
        if not (root / bad.path).exists():
            write_bytes(bad.make((root / bad.source).read_bytes()), root / bad.path)
    return [bad.path for bad in wanted]


def write_speakers(root: Path, speakers: Sequence[int]) -> str:
    """Write who the speakers are, and at which site each was recorded."""
    with atomic(root / SPEAKERS_FILE) as handle:
        rows = csv.writer(handle, lineterminator="\n")
        rows.writerow(["speaker", "gender", "group"])
        rows.writerows([f"Actor_{actor:02d}", gender_of(actor), site_of(actor)] for actor in speakers)
    return SPEAKERS_FILE


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file in one step."""
    with atomic(path, "wb") as handle:
        handle.write(content)
