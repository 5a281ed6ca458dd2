"""MSP-Podcast: turns from podcasts, with emotions, ratings, speakers and an official partition in one table.

Its releases differ: in the spelling of the table's name, in the name of the development part, in whether the table
of the raters has a column or a sentence for what each of them said.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

from candor.corpora.file_names import find_recordings
from candor.corpora.label_files import find_label_file, once, rating, read_csv, read_text
from candor.corpora.listing import files
from candor.corpora.raters import Opinion, count_votes, votes_left_blank
from candor.corpora.reader import Card, Clip, CorpusError, Reading, Rejection

LABEL_FILES = ("labels_consensus.csv", "labels_concensus.csv")
"""The table of labels as it is spelled from release 1.10 on, and before."""

RATERS_FILE = "labels_detailed.csv"
LABEL_FOLDERS = ("labels", "label")
AUDIO = "Audios"

NAME = re.compile(r"(?P<utterance>MSP-PODCAST_(?P<podcast>\d{4}|test3)_\d{4}(?:_\d{4})?)(?:\.wav)?")
HIDDEN = "MSP-PODCAST_test3_"
"""How the recordings of Test3 are called, whose podcasts and labels are not told."""

NOT_A_NAME = "not a MSP-Podcast name: MSP-PODCAST_0001_0049.wav or MSP-PODCAST_1904_0060_0001.wav would be one"
SPEAKER = re.compile(r"(\d{1,6})(?:\.0)?")
"""A spreadsheet or script that saved the table again may have made decimals of the numbers."""

NOT_KNOWN = ("Unknown", "")

COLUMNS = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set")
EMOTION_CODES = {
    "A": "anger",
    "S": "sadness",
    "H": "happiness",
    "U": "surprise",
    "F": "fear",
    "D": "disgust",
    "C": "contempt",
    "N": "neutral",
    "O": "other",
    "X": "",
    "": "",
}
NO_EMOTION = {"X": "no agreement", "": "label not released"}
GENDERS = {"Female": "female", "Male": "male"} | dict.fromkeys(NOT_KNOWN, "")
PARTS = {"Train": "train", "Validation": "dev", "Development": "dev", "Test": "test"}
PARTS |= {f"Test{number}": f"test{number}" for number in range(1, 10)}

RATERS_WORDS = {
    "Angry": "anger",
    "Sad": "sadness",
    "Happy": "happiness",
    "Surprise": "surprise",
    "Fear": "fear",
    "Disgust": "disgust",
    "Contempt": "contempt",
    "Neutral": "neutral",
}
RATER_COLUMNS = ("Workers", "WorkerID")
OPINION_COLUMNS = ("EmoClass_Major", "EmoAct", "EmoVal", "EmoDom")
DETAIL = re.compile(r"(\w+); *([^;]*);(?:.*;)? *A:([^;]*); *V:([^;]*); *D:([^;]*);? *")
"""What a rater said, in the releases that have it as a sentence: who, the main emotion, others, three ratings."""

CARD = Card(
    title="MSP-Podcast",
    licence="academic, by an agreement with UT Dallas; commercial for a fee",
    url="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html",
    redistributable=False,
    layout=f"Labels/{LABEL_FILES[0]} and {AUDIO}/MSP-PODCAST_0001_0049.wav and so on",
    markers=tuple(f"{above}Labels/{name}" for above in ("", "*/") for name in LABEL_FILES),
    classes=("neutral", "anger", "sadness", "happiness"),
    dimensions=("arousal", "valence", "dominance"),
    schemes=("official", "speakers", "sessions", "leave_one_speaker_out"),
    parities={"trust-ser": "official"},
)


class Said(NamedTuple):
    """What the table of labels says of a clip."""

    label: str
    ratings: tuple[float | None, ...]
    speaker: str
    gender: str
    split: str


@dataclass
class Opinions:
    """What the raters say, by utterance; `doubtful` are those of whom a line may be lost."""

    by_utterance: dict[str, list[Opinion]] = field(default_factory=lambda: defaultdict(list))
    doubtful: set[str] = field(default_factory=set)


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the table of labels, that of the raters where there is one, and the names of the recordings."""
    found = files(root, ".wav", ".csv")
    name, rejected = find_label_file(root, found, LABEL_FILES, "Labels/")
    said, named, unread = _read_labels(root, name)
    audio = f"{_home(name)}{AUDIO}/"
    recordings = [path for path in found if path.lower().endswith(".wav")]
    paths, no_names = find_recordings(recordings, _utterance_of, NOT_A_NAME, lambda path: path.startswith(audio))
    raters = f"{name.rpartition('/')[0]}/{RATERS_FILE}".lstrip("/")
    votes, without = _read_votes(root, raters, said) if raters in found else ({}, [])
    rejected += [*unread, *no_names, *without]
    clips: list[Clip] = []
    for utterance in sorted(said):
        path = paths.get(utterance) or f"{audio}{utterance}.wav"
        clip = _clip(utterance, said[utterance], votes.get(utterance, {}), path)
        left_out = _left_out_by_trust_ser(clip, utterance in paths) if parity == "trust-ser" else ""
        clips.append(replace(clip, excluded=f"left out by trust-ser: {left_out}") if left_out else clip)
    rejected += [
        Rejection(path, "label", f"no line in {name}", utterance)
        for utterance, path in paths.items()
        if utterance not in named
    ]
    return Reading(clips, rejected)


def _utterance_of(stem: str) -> str:
    match = NAME.fullmatch(stem)
    return match["utterance"] if match else ""


def _home(name: str) -> str:
    """Return the folder of the corpus below the root, with a slash behind it, by the corpus's table of labels."""
    above = name.split("/")[:-1]
    while above and above[-1].casefold() in LABEL_FOLDERS:
        above.pop()
    return "".join(f"{folder}/" for folder in above)


def _read_labels(root: Path, name: str) -> tuple[dict[str, Said], set[str], list[Rejection]]:
    """Return what is said by utterance, all utterances that a line names, and the lines that do not count."""
    table = read_csv(root, name, COLUMNS)
    rejected = [*table.rejected]
    lines: list[tuple[int, str, Said]] = []
    # A last line without its end may be cut short and still have all cells: of Test1 then Test is left.
    end = 1 + read_text(root, name).count("\n")
    for line in table.whole:
        file, *cells = [line.cells[column].strip() for column in COLUMNS]
        match = NAME.fullmatch(file)
        utterance = match["utterance"] if match else ""
        said = _read_cells(cells, line.number) if match else f"{NOT_A_NAME}; line {line.number} says {file!r}"
        if line.number == end and (cells[-1] == "Test" or list(line.cells)[-1] != "Split_Set"):
            said = f"cut short: line {line.number} ends with the file"
        if isinstance(said, Said):
            lines.append((line.number, utterance, said))
        else:
            rejected.append(Rejection(name, "label", said, utterance))
    lines, no_part = _without_scraps_of_test1(name, lines)
    kept, repeated = once(name, lines)
    rejected += [*no_part, *repeated]
    named = {rejection.utterance for rejection in rejected} | {str(utterance) for utterance in kept}
    return {str(utterance): value for utterance, value in kept.items()}, named, rejected


def _read_cells(cells: Sequence[str], number: int) -> Said | str:
    """Return what a line says of a clip, or why it cannot be read."""
    label, *ratings, speaker, gender, part = cells
    if label not in EMOTION_CODES:
        return f"unknown label: line {number} says {label!r}"
    numbered = SPEAKER.fullmatch(speaker)
    if speaker not in NOT_KNOWN and numbered is None:
        return f"impossible speaker: line {number} says {speaker!r}"
    if gender not in GENDERS:
        return f"gender is neither Male nor Female: line {number} says {gender!r}"
    if part not in PARTS:
        return f"unknown part of the partition: line {number} says {part!r}"
    try:
        numbers = tuple([rating(cell, 1, 7) for cell in ratings])
    except ValueError as error:
        return f"impossible rating: line {number}, {error}"
    who = intern(f"msp_podcast_{numbered[1]}") if numbered else ""
    return Said(intern(label), numbers, who, GENDERS[gender], PARTS[part])


def _without_scraps_of_test1(
    name: str, lines: Sequence[tuple[int, str, Said]]
) -> tuple[list[tuple[int, str, Said]], list[Rejection]]:
    """Leave out lines that say Test where others say Test1: they were cut short; so may be a single one."""
    parts = {said.split for _, _, said in lines}
    tests = {utterance for _, utterance, said in lines if said.split == "test"}
    if len(tests) > 1 and not any(part.startswith("test") for part in parts - {"test"}):
        return list(lines), []
    return [line for line in lines if line[2].split != "test"], [
        Rejection(name, "label", f"unknown part of the partition: line {number} says 'Test'", utterance)
        for number, utterance, said in lines
        if said.split == "test"
    ]


def _clip(utterance: str, said: Said, votes: Mapping[str, float], path: str) -> Clip:
    emotion = EMOTION_CODES[said.label]
    arousal, valence, dominance = said.ratings
    return Clip(
        utterance=utterance,
        path=path,
        speaker=said.speaker,
        gender=said.gender,
        session=intern(utterance.split("_")[1]) if not utterance.startswith(HIDDEN) else "",
        split=said.split,
        raw_label=said.label,
        label=emotion,
        reason="" if emotion else NO_EMOTION[said.label],
        votes=votes,
        arousal=arousal,
        valence=valence,
        dominance=dominance,
    )


def _left_out_by_trust_ser(clip: Clip, present: bool) -> str:
    """Return why trust-ser leaves a clip out: it wants speaker, gender and file, and knows three parts."""
    if not clip.speaker or not clip.gender:
        return "speaker or gender not known"
    if clip.split not in ("train", "dev", "test1"):
        return f"part {clip.split}"
    return "" if present else "missing file"


def _read_votes(root: Path, name: str, said: Mapping[str, Said]) -> tuple[dict[str, dict[str, float]], list[Rejection]]:
    """Return raters per emotion and clip where the raters' ratings average to those of the clip.

    That a table of 650,000 lines lost some would not show otherwise. In one line it is told for how many clips they
    do not.
    """
    opinions = _read_opinions(root, name, said)
    if isinstance(opinions, str):
        return {}, [Rejection(name, "label", f"votes left blank: {opinions}")]
    votes: dict[str, dict[str, float]] = {}
    doubtful: list[str] = []
    shared: dict[tuple[tuple[str, float], ...], dict[str, float]] = {}
    for utterance, own in opinions.by_utterance.items():
        counted = count_votes(own, said[utterance].ratings) if utterance not in opinions.doubtful else None
        if counted is None:
            doubtful.append(utterance)
        else:
            votes[utterance] = shared.setdefault(tuple(sorted(counted.items())), counted)
    return votes, votes_left_blank(name, doubtful)


def _read_opinions(root: Path, name: str, wanted: Mapping[str, Said]) -> Opinions | str:
    """Return what the raters say of the utterances in `wanted`, or in words why nothing can be read."""
    text = read_text(root, name)
    rows = csv.reader(_each_line(text), strict=True)
    opinions = Opinions()
    previous, lost = "", False
    try:
        header = [cell.strip() for cell in next(rows, [])]
        opinion_of = _opinion_reader(header)
        if opinion_of is None:
            return f"the columns are {', '.join(header)}, which no release known here has"
        file = header.index("FileName")
        for row in filter(None, rows):
            match = NAME.fullmatch(row[file].strip()) if len(row) == len(header) else None
            opinion = opinion_of(row) if match else None
            utterance = match["utterance"] if match else ""
            # The lines of a clip stand together, so that a line that cannot be read belongs to one beside it.
            if opinion is None or lost:
                opinions.doubtful |= {previous, utterance}
            if opinion is not None and utterance in wanted:
                opinions.by_utterance[utterance].append(opinion)
            previous, lost = utterance or previous, opinion is None
    except csv.Error as error:
        raise CorpusError(f"{root / name}: line {rows.line_num} cannot be read as a table ({error})") from None
    if len(opinions.by_utterance) < len(wanted) or not text.endswith("\n"):
        opinions.doubtful.add(previous)
    return opinions


def _each_line(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _opinion_reader(header: list[str]) -> Callable[[list[str]], Opinion | None] | None:
    """Return what makes an opinion of a row, or None where the columns are those of no release."""
    if "FileName" not in header or len(set(header)) < len(header):
        return None
    if "EmoDetail" in header:
        place = header.index("EmoDetail")
        return lambda row: _opinion(*match.groups()) if (match := DETAIL.fullmatch(row[place])) else None
    rater = next((column for column in RATER_COLUMNS if column in header), "")
    if not rater or not set(OPINION_COLUMNS) <= set(header):
        return None
    places = [header.index(column) for column in (rater, *OPINION_COLUMNS)]
    return lambda row: _opinion(*(row[place] for place in places))


def _opinion(rater: str, emotion: str, *ratings: str) -> Opinion | None:
    """Return the opinion of a rater, or None for one with an emotion or a number that cannot be."""
    emotion = emotion.strip()
    emotion = "other" if emotion.startswith("Other") else RATERS_WORDS.get(emotion, "")
    numbers = _rated(ratings)
    return Opinion(intern(rater.strip()), emotion, numbers) if rater.strip() and emotion and numbers else None


@lru_cache(maxsize=1000)
def _rated(ratings: tuple[str, ...]) -> tuple[float | None, ...] | None:
    """Return three ratings, of which there are few, so that they are read and kept once; None if one cannot be."""
    try:
        return tuple(rating(cell, 1, 7) for cell in ratings)
    except ValueError:
        return None
