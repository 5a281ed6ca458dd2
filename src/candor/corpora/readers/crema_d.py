"""CREMA-D: 91 actors, twelve sentences, and three readings of what they express.

The actor was told one emotion; raters who only heard the clip, and raters who heard and saw it, often name
another. Which of the three counts is the label policy, and they make three different datasets.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from candor.corpora.reader import Card, Clip, CorpusError, Published, Reading, Rejection

NAME = re.compile(
    r"(?P<actor>1\d{3})_(?P<sentence>IEO|TIE|IOM|IWW|TAI|MTI|IWL|ITH|DFA|ITS|TSI|WSI)"
    r"_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?P<level>LO|MD|HI|XX)"
)
INTENDED = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
VOTED = {code[0]: emotion for code, emotion in INTENDED.items()}

AUDIO = "AudioWAV"
SUMMARY = "processedResults/summaryTable.csv"
VOTES = "processedResults/tabulatedVotes.csv"
DEMOGRAPHICS = ("VideoDemographics.csv", "processedResults/VideoDemographics.csv")

SUMMARY_COLUMN = {"multimodal": "MultiModalVote", "voice": "VoiceVote"}
MODALITY = {"voice": 1, "multimodal": 3}
"""First digit of the row names of the table of votes: 1 heard, 2 seen, 3 heard and seen."""

NOT_A_NAME = "not a CREMA-D name: 1001_DFA_ANG_XX would be one"

SILENT = "1076_MTI_SAD_XX"

CARD = Card(
    title="CREMA-D",
    licence="ODbL 1.0 (database), DbCL 1.0 (contents)",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    redistributable=True,
    layout=f"{AUDIO}/1001_DFA_ANG_XX.wav and so on, {DEMOGRAPHICS[0]} and {SUMMARY}",
    markers=(f"{AUDIO}/1*.wav", SUMMARY),
    classes=("neutral", "anger", "sadness", "happiness"),
    policies=("multimodal", "voice", "intended"),
    published=Published(
        files=7442,
        speakers=91,
        labels={
            "multimodal": {
                "neutral": 1972,
                "anger": 1019,
                "sadness": 589,
                "happiness": 1219,
                "fear": 1084,
                "disgust": 1139,
            },
            "voice": {
                "neutral": 3897,
                "anger": 986,
                "sadness": 370,
                "happiness": 353,
                "fear": 645,
                "disgust": 547,
            },
            "intended": {"neutral": 1087} | dict.fromkeys(("anger", "sadness", "happiness", "fear", "disgust"), 1271),
        },
    ),
)


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read every clip that the table of labels names or that is on the disk."""
    genders = _read_genders(root)
    labels = _read_labels(root, policy)
    votes = _read_votes(root, policy)
    on_disk, rejected = _read_names(root)
    clips: list[Clip] = []
    for utterance in sorted(on_disk | labels.keys()):
        match = NAME.fullmatch(utterance)
        if match is None:
            rejected.append(Rejection(SUMMARY, "label", NOT_A_NAME, utterance))
            continue
        raw, label, reason = _label(utterance, match["emotion"], policy, labels)
        if parity == "trust-ser" and utterance == SILENT:
            label, reason = "", "left out by trust-ser: silent"
        clips.append(
            Clip(
                utterance=utterance,
                path=f"{AUDIO}/{utterance}.wav",
                speaker=f"crema_d_{match['actor']}",
                gender=genders.get(match["actor"], ""),
                text=match["sentence"],
                raw_label=raw,
                label=label,
                reason=reason,
                votes=votes.get(utterance, {}),
            )
        )
    return Reading(clips, rejected)


def _label(utterance: str, intended: str, policy: str, labels: Mapping[str, str]) -> tuple[str, str, str]:
    """Return the label as the corpus has it, in the common code, and why there is none."""
    if policy == "intended":
        return intended, INTENDED[intended], ""
    raw = labels.get(utterance, "")
    if raw in VOTED:
        return raw, VOTED[raw], ""
    if ":" in raw:
        return raw, "", f"tie {raw}"
    return raw, "", f"no {SUMMARY_COLUMN[policy]} in {SUMMARY}"


def _read_names(root: Path) -> tuple[set[str], list[Rejection]]:
    folder = root / AUDIO
    names: set[str] = set()
    rejected: list[Rejection] = []
    for file in sorted(os.listdir(folder)) if folder.is_dir() else []:
        stem, suffix = os.path.splitext(file)
        if suffix.lower() != ".wav":
            continue
        if file.startswith("._"):
            rejected.append(Rejection(f"{AUDIO}/{file}", "audio", "macOS resource fork"))
        elif NAME.fullmatch(stem) is None or suffix != ".wav":
            rejected.append(Rejection(f"{AUDIO}/{file}", "label", NOT_A_NAME))
        else:
            names.add(stem)
    return names, rejected


def _read_genders(root: Path) -> dict[str, str]:
    for name in DEMOGRAPHICS:
        if (root / name).is_file():
            rows = _read_csv(root / name, ("ActorID", "Sex"))
            return {row["ActorID"]: {"Male": "male", "Female": "female"}.get(row["Sex"], "") for row in rows}
    raise CorpusError(f"{root}: lacks {DEMOGRAPHICS[0]}, which says each actor's gender; it is part of {CARD.url}")


def _read_labels(root: Path, policy: str) -> dict[str, str]:
    """Return the votes by clip, ``A`` or in a tie ``A:D``; for the intended emotion the names tell all."""
    file = root / SUMMARY
    if not file.is_file():
        if policy == "intended":
            return {}
        raise CorpusError(
            f"{root}: lacks {SUMMARY}, which holds the votes; it is part of {CARD.url}. "
            "Only label_policy: intended does without it"
        )
    column = SUMMARY_COLUMN.get(policy, "FileName")
    return {row["FileName"]: row[column] for row in _read_csv(file, ("FileName", column))}


def _read_votes(root: Path, policy: str) -> dict[str, dict[str, float]]:
    """Return the number of raters per emotion and clip, where the corpus folder has the table of votes."""
    file = root / VOTES
    if policy not in MODALITY or not file.is_file():
        return {}
    votes: dict[str, dict[str, float]] = {}
    for row in _read_csv(file, ("", "fileName", *VOTED)):
        if int(row[""]) // 100_000 == MODALITY[policy]:
            votes[row["fileName"]] = {emotion: float(row[code]) for code, emotion in VOTED.items() if int(row[code])}
    return votes


def _read_csv(file: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a table; a pointer left by git-LFS, or another table, is told apart."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            table = csv.DictReader(handle)
            header = table.fieldnames or []
            if header and header[0].startswith("version https://git-lfs"):
                raise CorpusError(f"{file}: is a git-LFS stub; run `git lfs pull` in the corpus folder")
            missing = [column for column in columns if column not in header]
            if missing:
                raise CorpusError(f"{file}: lacks the columns {missing}; it has {header}")
            rows = list(table)
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{file}: cannot be read as a table ({error})") from None
    for number, row in enumerate(rows, 2):
        if any(row[column] is None for column in columns):
            raise CorpusError(f"{file}: row {number} is cut short; fetch the file again")
    return rows
