"""Any folder of recordings, without labels: audio to pretrain on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from candor.corpora.listing import files
from candor.corpora.reader import Card, Clip, CorpusError, Reading

RECORDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".m4a", ".mp4", ".mkv", ".webm", ".wma")

CARD = Card(
    title="A folder of recordings without labels",
    licence="your own",
    url="",
    redistributable=False,
    layout="recordings, those of each speaker in a folder of their own",
    markers=("*",),
    classes=(),
    schemes=("speakers",),
    labelled=False,
)


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Take every recording below `root`; the topmost folder that it lies in says who speaks."""
    paths = files(root, *RECORDINGS)
    if not paths:
        raise CorpusError(f"{root}: holds no recording; {', '.join(RECORDINGS)} are looked for")
    return Reading([clip_of(path, str(options["dataset"])) for path in paths])


def clip_of(path: str, dataset: str) -> Clip:
    """Return the clip of a recording; it is called as its path, with `__` for each folder.

    >>> clip_of("19/198/19-198-0001.flac", "libri").utterance
    '19__198__19-198-0001'
    """
    folders, name = Path(path).parent.parts, Path(path).stem
    return Clip(
        utterance="__".join((*folders, name)),
        path=path,
        speaker=f"{dataset}_{folders[0]}" if folders else "",
    )
