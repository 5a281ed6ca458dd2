"""TESS: two women, 200 words in the same carrier phrase, seven emotions, all told by the file name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from candor.corpora.file_names import read_file_names
from candor.corpora.reader import Card, Clip, Published, Reading, Rejection

# One file of the release is called OA_bite_neutral.wav.
NAME = re.compile(r"(?P<speaker>OAF?|YAF)_(?P<word>[A-Za-z]+)_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)")
EMOTION_CODES = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}
AGES = {"OAF": 64.0, "YAF": 26.0}

_SEVEN = ("neutral", "anger", "sadness", "happiness", "fear", "disgust", "surprise")

CARD = Card(
    title="TESS",
    licence="CC BY-NC-ND 4.0; some copies say CC BY-NC 4.0",
    url="https://tspace.library.utoronto.ca/handle/1807/24487",
    redistributable=False,
    layout="folders such as OAF_angry and YAF_neutral, each with 200 files such as OAF_back_angry.wav",
    markers=("[OY]AF_*.wav", "*/[OY]AF_*.wav", "*/*/[OY]AF_*.wav"),
    classes=_SEVEN,
    schemes=("leave_one_speaker_out", "texts"),
    published=Published(files=2800, speakers=2, labels={"default": dict.fromkeys(_SEVEN, 400)}),
)


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the file names below `root`; of a second copy of the tree, nothing."""
    return read_file_names(root, read_name)


def read_name(path: str) -> Clip | Rejection:
    """Return the clip that a file's name tells of, or why it tells of none."""
    stem = Path(path).stem
    match = NAME.fullmatch(stem)
    if match is None:
        return Rejection(path, "label", "not a TESS name: OAF_back_angry would be one", stem)
    speaker, word = "YAF" if match["speaker"] == "YAF" else "OAF", match["word"].lower()
    return Clip(
        utterance=f"{speaker}_{word}_{match['emotion']}",
        path=path,
        speaker=f"tess_{speaker}",
        gender="female",
        text=word,
        age=AGES[speaker],
        raw_label=match["emotion"],
        label=EMOTION_CODES[match["emotion"]],
    )
