"""RAVDESS, its speech part: 24 actors, two statements, eight emotions, all told by the file name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from candor.corpora.file_names import read_file_names
from candor.corpora.reader import Card, Clip, Published, Reading, Rejection

NAME = re.compile(
    r"(?P<modality>0[123])-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])"
    r"-(?P<statement>0[12])-(?P<repetition>0[12])-(?P<actor>0[1-9]|1\d|2[0-4])"
)
EMOTION_CODES = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
MODALITIES = {"01": "video with sound", "02": "video without sound"}

_SEVEN = ("neutral", "anger", "sadness", "happiness", "fear", "disgust", "surprise")
_ACTED = dict.fromkeys(_SEVEN[1:], 192)

CARD = Card(
    title="RAVDESS (speech)",
    licence="CC BY-NC-SA 4.0",
    url="https://zenodo.org/records/1188976",
    redistributable=False,
    layout="Actor_01 to Actor_24, each with 60 files such as 03-01-05-01-02-01-12.wav",
    markers=("Actor_*/03-01-*.wav", "*/Actor_*/03-01-*.wav"),
    classes=_SEVEN,
    policies=("calm_as_neutral", "calm_apart"),
    policy_classes={"calm_apart": (*_SEVEN, "calm")},
    parities={"trust-ser": "speakers"},
    published=Published(
        files=1440,
        speakers=24,
        labels={
            "calm_as_neutral": {"neutral": 288, **_ACTED},
            "calm_apart": {"neutral": 96, "calm": 192, **_ACTED},
        },
    ),
)


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the file names below `root`; of a second copy of the tree, nothing."""
    return read_file_names(root, lambda path: read_name(path, policy, parity), ".wav", ".mp4")


def read_name(path: str, policy: str, parity: str | None) -> Clip | Rejection:
    """Return the clip that a file's name tells of, or why it tells of none.

    Odd actors are male. The published trust-ser lists have it the other way round, and so has its parity.
    """
    utterance = Path(path).stem
    match = NAME.fullmatch(utterance)
    if match is None:
        return Rejection(path, "label", "not a RAVDESS name: seven codes such as 03-01-05-01-02-01-12", utterance)
    if match["modality"] in MODALITIES:
        return Rejection(path, "filter", MODALITIES[match["modality"]], utterance)
    if match["channel"] == "02":
        return Rejection(path, "filter", "song", utterance)
    odd = int(match["actor"]) % 2 == 1
    male = odd != (parity == "trust-ser")
    emotion = EMOTION_CODES[match["emotion"]]
    return Clip(
        utterance=utterance,
        path=path,
        speaker=f"ravdess_Actor_{match['actor']}",
        gender="male" if male else "female",
        text=match["statement"],
        raw_label=match["emotion"],
        label="neutral" if emotion == "calm" and policy == "calm_as_neutral" else emotion,
    )
