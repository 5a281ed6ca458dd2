"""CREMA-D: 91 actors, twelve sentences, and three readings of what they express.

The actor was told one emotion; raters who only heard the clip, and raters who heard and saw it, often name
another. Which of the three counts is the label policy, and they make three different datasets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from candor.corpora.label_files import Line, Lines, once, read_csv
from candor.corpora.listing import files
from candor.corpora.reader import Card, Clip, CorpusError, Published, Reading, Rejection

Value = TypeVar("Value")

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
VOTE = re.compile(r"[ADFHNS](:[ADFHNS])*")
ACTOR = re.compile(r"1\d{3}")
ROW = re.compile(r"(?P<modality>[123])\d{5}")
MOST_RATERS = 50
OLDEST = 120

AUDIO = "AudioWAV"
SUMMARY = "processedResults/summaryTable.csv"
VOTES = "processedResults/tabulatedVotes.csv"
DEMOGRAPHICS = ("VideoDemographics.csv", "processedResults/VideoDemographics.csv")

SEXES = {"Male": "male", "Female": "female"}
RACES = {"Caucasian": "Caucasian", "African American": "African American", "Asian": "Asian", "Unknown": ""}
ETHNICITIES = {"Hispanic": "Hispanic", "Not Hispanic": "Not Hispanic"}

SUMMARY_COLUMN = {"multimodal": "MultiModalVote", "voice": "VoiceVote"}
MODALITY = {"voice": "1", "multimodal": "3"}
"""First digit of the row names of the table of votes: 1 heard, 2 seen, 3 heard and seen."""

NOT_A_NAME = "not a CREMA-D name: 1001_DFA_ANG_XX would be one"

SILENT = "1076_MTI_SAD_XX"
LEFT_OUT = "left out by trust-ser: silent"

CARD = Card(
    title="CREMA-D",
    licence="ODbL 1.0 (database), DbCL 1.0 (contents)",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    redistributable=True,
    layout=f"{AUDIO}/1001_DFA_ANG_XX.wav and so on, {DEMOGRAPHICS[0]} and {SUMMARY}",
    markers=(f"{AUDIO}/1*.wav", SUMMARY),
    classes=("neutral", "anger", "sadness", "happiness"),
    policies=("multimodal", "voice", "intended"),
    schemes=("speakers", "leave_one_speaker_out", "texts"),
    parities={"trust-ser": "speakers", "fed-ser-leakage": "speakers"},
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


@dataclass(frozen=True, slots=True)
class Actor:
    """What the table of demographics says of an actor; blank where it does not know."""

    gender: str = ""
    age: float | None = None
    race: str = ""
    ethnicity: str = ""


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read every clip that the table of labels names or that is on the disk.

    trust-ser leaves out the silent clip, by its name. fed-ser-leakage reads as we do.
    """
    actors, no_actors = _read_actors(root)
    labels, no_labels = _read_labels(root, policy)
    votes, no_votes = _read_votes(root, policy, labels)
    names, no_names = _read_names(root)
    clips: list[Clip] = []
    for utterance in sorted(names | labels.keys()):
        number, sentence, emotion, _ = utterance.split("_")
        raw, label, reason = _label(emotion, policy, labels.get(utterance, ""))
        actor = actors.get(number, Actor())
        clips.append(
            Clip(
                utterance=utterance,
                path=f"{AUDIO}/{utterance}.wav",
                speaker=f"crema_d_{number}",
                gender=actor.gender,
                text=sentence,
                age=actor.age,
                race=actor.race,
                ethnicity=actor.ethnicity,
                raw_label=raw,
                label=label,
                reason=reason,
                votes=votes.get(utterance, {}),
                excluded=LEFT_OUT if parity == "trust-ser" and utterance == SILENT else "",
            )
        )
    return Reading(clips, [*no_actors, *no_labels, *no_votes, *no_names])


def _label(intended: str, policy: str, vote: str) -> tuple[str, str, str]:
    """Return the label as the corpus has it, in the common code, and why there is none."""
    if policy == "intended":
        return intended, INTENDED[intended], ""
    if vote in VOTED:
        return vote, VOTED[vote], ""
    if vote:
        return vote, "", f"tie {vote}"
    return "", "", f"no {SUMMARY_COLUMN[policy]} in {SUMMARY}"


def _read_names(root: Path) -> tuple[set[str], list[Rejection]]:
    """Return the names of the clips on the disk."""
    names: set[str] = set()
    rejected: list[Rejection] = []
    for file in files(root / AUDIO, ".wav") if (root / AUDIO).is_dir() else []:
        name = file.removesuffix(".wav")
        if file.rpartition("/")[2].startswith("._"):
            rejected.append(Rejection(f"{AUDIO}/{file}", "audio", "macOS resource fork"))
        elif NAME.fullmatch(name) is None:
            rejected.append(Rejection(f"{AUDIO}/{file}", "label", NOT_A_NAME))
        else:
            names.add(name)
    return names, rejected


def _read_actors(root: Path) -> tuple[dict[str, Actor], list[Rejection]]:
    """Return what is known of each actor, by number."""
    name = next((name for name in DEMOGRAPHICS if (root / name).is_file()), None)
    if name is None:
        raise CorpusError(f"{root}: lacks {DEMOGRAPHICS[0]}, which says each actor's gender; it is part of {CARD.url}")
    return _by_name(read_csv(root, name, ("ActorID", "Sex")), "ActorID", ACTOR, _actor)


def _read_labels(root: Path, policy: str) -> tuple[dict[str, str], list[Rejection]]:
    """Return the votes by clip, ``A`` or in a tie ``A:D``; for the intended emotion the names tell all."""
    if not (root / SUMMARY).is_file():
        if policy == "intended":
            return {}, []
        raise CorpusError(
            f"{root}: lacks {SUMMARY}, which holds the votes; it is part of {CARD.url}. "
            "Only label_policy: intended does without it"
        )
    if policy == "intended":
        return _by_name(read_csv(root, SUMMARY, ("FileName",)), "FileName", NAME, lambda line: "")
    column = SUMMARY_COLUMN[policy]
    table = read_csv(root, SUMMARY, ("FileName", column))
    return _by_name(table, "FileName", NAME, lambda line: _vote(line.cells[column]))


def _read_votes(
    root: Path, policy: str, labels: Mapping[str, str]
) -> tuple[dict[str, dict[str, float]], list[Rejection]]:
    """Return the number of raters per emotion and clip, where the corpus folder has the table of votes.

    The emotion with most raters is the label, several in a tie. Where it is not, one of the two tables is damaged.
    """
    if policy not in MODALITY or not (root / VOTES).is_file():
        return {}, []
    table = read_csv(root, VOTES, ("", "fileName", *VOTED))
    ours = [line for line in table.whole if _modality(line) in ("", MODALITY[policy])]
    found, rejected = _by_name(replace(table, whole=ours), "fileName", NAME, _raters)
    votes: dict[str, dict[str, float]] = {}
    for utterance, raters in found.items():
        most = ":".join(code for code, count in raters.items() if count == max(raters.values()))
        if labels.get(utterance, "") in ("", most):
            votes[utterance] = {VOTED[code]: float(count) for code, count in raters.items() if count}
        else:
            reason = f"votes differ from the label: {most} in {VOTES}, {labels[utterance]} in {SUMMARY}"
            rejected.append(Rejection(VOTES, "label", reason, utterance))
    return votes, rejected


def _by_name(
    table: Lines, column: str, name: re.Pattern[str], read_line: Callable[[Line], Value]
) -> tuple[dict[str, Value], list[Rejection]]:
    """Return what the lines of a table say of each clip or actor, and the lines that cannot be right."""
    found: list[tuple[int, str, Value]] = []
    rejected = list(table.rejected)
    for line in table.whole:
        key = line.cells[column].strip()
        if name.fullmatch(key) is None:
            rejected.append(Rejection(table.name, "label", f"damaged line: {line.number}, {key!r} is no {column}"))
            continue
        try:
            found.append((line.number, key, read_line(line)))
        except ValueError as error:
            rejected.append(Rejection(table.name, "label", f"damaged line: {line.number}, {error}", key))
    kept, repeated = once(table.name, found)
    return {str(key): value for key, value in kept.items()}, rejected + repeated


def _actor(line: Line) -> Actor:
    age = line.cells.get("Age", "").strip()
    return Actor(
        gender=_one_of(SEXES, line.cells["Sex"]),
        age=_whole_number(age, OLDEST) if age else None,
        race=_one_of(RACES, line.cells.get("Race", "")),
        ethnicity=_one_of(ETHNICITIES, line.cells.get("Ethnicity", "")),
    )


def _vote(cell: str) -> str:
    vote = cell.strip()
    if vote and VOTE.fullmatch(vote) is None:
        raise ValueError(f"{vote!r} is no vote")
    return vote


def _raters(line: Line) -> dict[str, int]:
    if not _modality(line):
        raise ValueError(f"{line.cells['']!r} is no name of a row")
    return {code: _whole_number(line.cells[code], MOST_RATERS) for code in VOTED}


def _modality(line: Line) -> str:
    """Return the first digit of a row's name; blank where that is none."""
    match = ROW.fullmatch(line.cells[""].strip())
    return match["modality"] if match else ""


def _one_of(known: Mapping[str, str], cell: str) -> str:
    text = cell.strip()
    if text and text not in known:
        raise ValueError(f"{text!r} is none of {', '.join(known)}")
    return known.get(text, "")


def _whole_number(cell: str, highest: int) -> int:
    text = cell.strip()
    if re.fullmatch(r"[0-9]{1,3}", text) is None or int(text) > highest:
        raise ValueError(f"{text!r} is no whole number up to {highest}")
    return int(text)
