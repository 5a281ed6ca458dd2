"""EmoDB, the Berlin Database of Emotional Speech: ten actors, ten German sentences, all told by the file name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from candor.corpora.file_names import read_file_names
from candor.corpora.reader import Card, Clip, Published, Reading, Rejection

NAME = re.compile(r"(?P<speaker>03|08|09|1[0-6])(?P<sentence>[ab][0-9]{2})(?P<emotion>[WLEAFTN])(?P<version>[a-f])")
# The letters are those of the German words: A is fear (Angst), not anger (Wut).
EMOTION_CODES = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
SPEAKERS = {
    "03": ("male", 31.0),
    "08": ("female", 34.0),
    "09": ("female", 21.0),
    "10": ("male", 32.0),
    "11": ("male", 26.0),
    "12": ("male", 30.0),
    "13": ("female", 32.0),
    "14": ("female", 35.0),
    "15": ("male", 25.0),
    "16": ("female", 31.0),
}
"""Gender and age, as its authors publish them; a re-release once had some genders wrong."""

CARD = Card(
    title="EmoDB",
    licence="CC0 1.0, as audEERING's release says",
    url="http://emodb.bilderbar.info/",
    redistributable=True,
    layout="wav/03a01Fa.wav and so on",
    markers=("wav/[01]*[a-f].wav", "[01][0-9][ab]*[a-f].wav", "*/wav/[01]*[a-f].wav"),
    classes=("neutral", "anger", "sadness", "happiness", "fear", "disgust", "boredom"),
    schemes=("speakers", "leave_one_speaker_out", "texts"),
    published=Published(
        files=535,
        speakers=10,
        labels={
            "default": {
                "neutral": 79,
                "anger": 127,
                "sadness": 62,
                "happiness": 71,
                "fear": 69,
                "disgust": 46,
                "boredom": 81,
            }
        },
    ),
)


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the file names below `root`."""
    return read_file_names(root, read_name)


def read_name(path: str) -> Clip | Rejection:
    """Return the clip that a file's name tells of, or why it tells of none."""
    utterance = Path(path).stem
    match = NAME.fullmatch(utterance)
    if match is None:
        return Rejection(path, "label", "not an EmoDB name: 03a01Fa would be one", utterance)
    gender, age = SPEAKERS[match["speaker"]]
    return Clip(
        utterance=utterance,
        path=path,
        speaker=f"emodb_{match['speaker']}",
        gender=gender,
        text=match["sentence"],
        age=age,
        raw_label=match["emotion"],
        label=EMOTION_CODES[match["emotion"]],
    )
