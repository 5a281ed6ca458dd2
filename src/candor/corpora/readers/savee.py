"""SAVEE: four men, seven emotions, 120 sentences each, all told by the file name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from candor.corpora.file_names import read_file_names
from candor.corpora.reader import Card, Clip, Published, Reading, Rejection

NAME = re.compile(r"(?P<speaker>DC|JE|JK|KL)_(?P<emotion>sa|su|a|d|f|h|n)(?P<number>[0-3][0-9])")
EMOTION_CODES = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
SENTENCES = dict.fromkeys(EMOTION_CODES, 15) | {"n": 30}
COMMON = 3
"""So many sentences are the same under every emotion, and their numbers are the first."""

SAID_NEUTRALLY = tuple(f"{code}{number:02d}" for code in ("a", "d", "f", "su", "sa", "h") for number in (4, 5))
"""The sentences of the other emotions that are said neutrally as well, as the last of the neutral ones, in this order.

The corpus has no list of its sentences; `docs/known-corpora.md` says what this order is inferred from.
"""

_SEVEN = ("neutral", "anger", "sadness", "happiness", "fear", "disgust", "surprise")

CARD = Card(
    title="SAVEE",
    licence="for research, on registration",
    url="http://kahlan.eps.surrey.ac.uk/savee/",
    redistributable=False,
    layout="DC, JE, JK and KL, each with 120 files such as sa01.wav, or all of them together as DC_sa01.wav",
    markers=(
        "[DJK][CEKL]/*[0-3][0-9].wav",
        "*/[DJK][CEKL]/*[0-3][0-9].wav",
        "[DJK][CEKL]_*.wav",
        "*/[DJK][CEKL]_*.wav",
    ),
    classes=_SEVEN,
    schemes=("leave_one_speaker_out", "speakers", "texts"),
    published=Published(
        files=480,
        speakers=4,
        labels={"default": {"neutral": 120} | dict.fromkeys(_SEVEN[1:], 60)},
    ),
)


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the file names below `root`."""
    return read_file_names(root, read_name)


def read_name(path: str) -> Clip | Rejection:
    """Return the clip that a file's name and folder tell of, or why they tell of none."""
    file = Path(path)
    match = NAME.fullmatch(file.stem) or NAME.fullmatch(f"{file.parent.name}_{file.stem}")
    if match is None or not 1 <= int(match["number"]) <= SENTENCES[match["emotion"]]:
        return Rejection(path, "label", "not a SAVEE name: DC/sa15.wav or DC_sa15.wav would be one", file.stem)
    return Clip(
        utterance=match[0],
        path=path,
        speaker=f"savee_{match['speaker']}",
        gender="male",
        text=sentence_of(match["emotion"], int(match["number"])),
        raw_label=match["emotion"],
        label=EMOTION_CODES[match["emotion"]],
    )


def sentence_of(code: str, number: int) -> str:
    """Return the identity of a sentence: equal for two clips when their wording is.

    >>> sentence_of("sa", 3), sentence_of("n", 3), sentence_of("sa", 4), sentence_of("n", 27)
    ('common3', 'common3', 'sa04', 'sa04')
    """
    if number <= COMMON:
        return f"common{number}"
    first = SENTENCES["n"] - len(SAID_NEUTRALLY) + 1
    return SAID_NEUTRALLY[number - first] if code == "n" and number >= first else f"{code}{number:02d}"
