"""Show the converted audio of several datasets as that of one, joined from them; nothing is converted anew."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from candor.audio.collection import Row, file_stem
from candor.corpora.joining import joined_name
from candor.runtime import Progress
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


def show_joined(utterances: Iterable[str], parts: Mapping[str, pd.DataFrame], folder: Path, store: Store) -> list[Row]:
    """Show the wavs of joined datasets in `folder`, and return the rows of the index.

    Parameters
    ----------
    utterances
        The names in the joined manifest.
    parts
        The audio index of each part by its name.
    folder
        Where one wav per utterance appears; wavs of utterances that have left the manifest disappear.
    store
        Where the bytes are.
    """
    known: dict[str, tuple[str, int]] = {}
    for name, index in parts.items():
        for utterance, member, samples in index[["utterance", "member", "samples"]].itertuples(index=False, name=None):
            known[joined_name(name, utterance)] = (member, samples)
    rows: list[Row] = []
    utterances = list(utterances)
    store.note_use(str(folder.resolve()), (known[utterance][0] for utterance in utterances))
    with Progress(len(utterances), "audio", "clip") as progress:
        for utterance in utterances:
            member, samples = known[utterance]
            file = f"{file_stem(utterance)}.wav"
            store.link(member, os.path.join(folder, file))
            rows.append({"utterance": utterance, "file": file, "member": member, "samples": samples})
            progress.advance()
    shown = {row["file"] for row in rows}
    for wav in folder.glob("*.wav"):
        if wav.name not in shown:
            wav.unlink()
    return rows
