"""The demo corpus, synthesised by `candor.corpora.synthesis` and read like anyone's recordings."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from candor.corpora.demo_layout import EMOTION_CODES, SPEAKERS_FILE
from candor.corpora.file_names import read_file_names
from candor.corpora.reader import Card, Clip, CorpusError, Published, Reading, Rejection

NAME = re.compile(r"03-01-(?P<emotion>\d{2})-(?P<intensity>\d{2})-(?P<sentence>\d{2})-(?P<take>\d{2})-(?P<actor>\d{2})")

CARD = Card(
    title="Demo: synthesised emotional speech",
    licence="CC0-1.0",
    url="",
    redistributable=True,
    layout="Actor_<01..24>/03-01-<emotion>-<intensity>-<sentence>-<take>-<actor>.wav and speakers.csv beside them",
    markers=("Actor_*/03-01-*.wav", SPEAKERS_FILE),
    classes=("neutral", "anger", "sadness", "happiness"),
    schemes=("speakers", "leave_one_speaker_out", "texts"),
    published=Published(
        # 768 good recordings and the five bad ones whose names are in order: both are what a download holds.
        files=773,
        speakers=24,
        labels={"default": {"neutral": 193, "anger": 194, "sadness": 193, "happiness": 193}},
    ),
)


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read names and `speakers.csv`; the session is the site of the recording."""
    speakers = read_speakers(root / SPEAKERS_FILE)
    return read_file_names(root, lambda path: read_name(path, speakers))


def read_name(path: str, speakers: Mapping[str, tuple[str, str]]) -> Clip | Rejection:
    """Return the clip that a file's name tells of, or why it tells of none."""
    utterance = Path(path).stem
    match = NAME.fullmatch(utterance)
    if match is None:
        return Rejection(path, "label", "not a demo name: 03-01-05-01-02-01-12 would be one", utterance)
    label = EMOTION_CODES.get(match["emotion"])
    if label is None:
        codes = ", ".join(f"{code} {name}" for code, name in EMOTION_CODES.items())
        return Rejection(path, "label", f"emotion code {match['emotion']} is none of {codes}", utterance)
    actor = f"Actor_{match['actor']}"
    if actor not in speakers:
        return Rejection(path, "label", f"{actor} is not in {SPEAKERS_FILE}", utterance)
    gender, site = speakers[actor]
    return Clip(
        utterance=utterance,
        path=path,
        speaker=f"demo_{actor}",
        gender=gender,
        session=site,
        text=match["sentence"],
        raw_label=match["emotion"],
        label=label,
    )


def read_speakers(file: Path) -> dict[str, tuple[str, str]]:
    """Return gender and site of each speaker."""
    if not file.is_file():
        raise CorpusError(f"{file}: is missing; it says each speaker's gender and site. Make the demo corpus again")
    with file.open(encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle)
        missing = {"speaker", "gender", "group"} - set(rows.fieldnames or ())
        if missing:
            raise CorpusError(f"{file}: lacks the columns {', '.join(sorted(missing))}")
        return {row["speaker"]: (row["gender"], row["group"]) for row in rows}
