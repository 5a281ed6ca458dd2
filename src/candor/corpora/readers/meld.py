"""MELD: 1,432 dialogues of a television series, seven emotions, a table of labels for each part of the partition.

Dialogues are numbered anew in each part, so a clip is named by its part, dialogue and utterance.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from candor.corpora.label_files import Line, once, read_csv
from candor.corpora.listing import files
from candor.corpora.reader import Card, Clip, CorpusError, Published, Reading, Rejection
from candor.corpora.wording import decoded, is_text, mended, wording

FOLDERS = {"train_splits": "train", "dev_splits_complete": "dev", "output_repeated_splits_test": "test"}
NUMBER = r"(?:0|[1-9]\d{0,3})"
NAME = re.compile(rf"dia{NUMBER}_utt{NUMBER}")
DOUBLE = re.compile(r"final_videos_test(dia\d+_utt\d+)")
COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")

EMOTION_CODES = {
    "neutral": "neutral",
    "joy": "happiness",
    "surprise": "surprise",
    "anger": "anger",
    "sadness": "sadness",
    "disgust": "disgust",
    "fear": "fear",
}
LEADS = dict.fromkeys(("Rachel", "Monica", "Phoebe"), "female") | dict.fromkeys(("Joey", "Ross", "Chandler"), "male")

CARD = Card(
    title="MELD",
    licence="GPL-3.0 (labels); the recordings are copyrighted television",
    url="https://github.com/declare-lab/MELD",
    redistributable=False,
    layout=(
        "train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv, and files such as dia0_utt3.mp4 or dia0_utt3.wav "
        f"in {', '.join(FOLDERS)}"
    ),
    markers=("train_sent_emo.csv", "*/train_sent_emo.csv", "*/train/train_sent_emo.csv"),
    classes=("neutral", "anger", "sadness", "happiness"),
    schemes=("official", "speakers", "sessions", "leave_one_speaker_out", "texts"),
    parities={"trust-ser": "official"},
    published=Published(
        files=13_707,  # dia110_utt7 of dev has a line, and no recording was released
        speakers=304,  # 260, 47 and 100 in the three parts
        labels={
            "default": {
                "neutral": 6436,
                "anger": 1607,
                "sadness": 1002,
                "happiness": 2308,
                "fear": 358,
                "disgust": 361,
                "surprise": 1636,
            }
        },
        sessions=1432,  # of train the authors print 1,039 dialogues, and their table holds 1,038
        splits={"train": 9989, "dev": 1109, "test": 2610},
    ),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a line of a table says of a clip."""

    speaker: str
    emotion: str
    text: str


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the table of each part and the names of the recordings below `root`."""
    found = files(root, ".csv", ".mp4", ".wav")
    recordings, rejected = _recordings(path for path in found if not path.lower().endswith(".csv"))
    clips: list[Clip] = []
    for folder, part in FOLDERS.items():
        table, copies = _find_table(root, part, found)
        said, unread = _read_table(root, table, part)
        of_part = {utterance: paths for utterance, paths in recordings.items() if utterance.startswith(part)}
        named = said.keys() | {rejection.utterance for rejection in unread}
        chosen, others = _choose_recordings(of_part, named, table)
        usual = _usual_place(chosen.values(), PurePosixPath(table).parent / folder)
        clips += [_clip(utterance, part, said[utterance], chosen.get(utterance), usual) for utterance in said]
        rejected += [*copies, *unread, *others]
    if parity == "trust-ser":  # which knows no genders, and passes over recordings that are not there
        excluded, there = "left out by trust-ser: missing file", set(found)
        clips = [replace(clip, gender="", excluded="" if clip.path in there else excluded) for clip in clips]
    return Reading(sorted(clips, key=lambda clip: clip.utterance), rejected)


def _recordings(paths: Iterable[str]) -> tuple[dict[str, list[str]], list[Rejection]]:
    """Return the recordings by utterance, and the files that are none."""
    found: dict[str, list[str]] = defaultdict(list)
    rejected: list[Rejection] = []
    for path in paths:
        name, folders = PurePosixPath(path).stem, PurePosixPath(path).parts[-2::-1]
        part = next((FOLDERS[folder] for folder in folders if folder in FOLDERS), "")
        double = DOUBLE.fullmatch(name)
        if name.startswith("._"):
            rejected.append(Rejection(path, "audio", "macOS resource fork"))
        elif double:
            rejected.append(Rejection(path, "filter", f"double: the same turn as {double[1]}"))
        elif NAME.fullmatch(name) is None:
            rejected.append(Rejection(path, "label", "not a MELD name: dia0_utt3.mp4 would be one"))
        elif not part:
            rejected.append(Rejection(path, "label", f"no folder of MELD: {', '.join(FOLDERS)} tell the part"))
        else:
            found[f"{part}_{name}"].append(path)
    return found, rejected


def _choose_recordings(
    recordings: Mapping[str, list[str]], named: Collection[str], table: str
) -> tuple[dict[str, str], list[Rejection]]:
    """Choose one recording per utterance, wav before video and then the one nearest to the root."""
    chosen: dict[str, str] = {}
    rejected: list[Rejection] = []
    for utterance, paths in recordings.items():
        if utterance not in named:
            rejected += [Rejection(path, "label", f"no line in {table}", utterance) for path in paths]
            continue
        first, *others = sorted(paths, key=lambda path: (not _is_wav(path), *_nearness(path)))
        chosen[utterance] = first
        for other in others:
            gist = "second copy" if _is_wav(other) == _is_wav(first) else "video beside its wav"
            rejected.append(Rejection(other, "filter", f"{gist}: {first} is read", utterance))
    return chosen, rejected


def _is_wav(path: str) -> bool:
    return path.lower().endswith(".wav")


def _nearness(path: str) -> tuple[int, str]:
    return path.count("/"), path


def _usual_place(paths: Iterable[str], official: PurePosixPath) -> tuple[PurePosixPath, str]:
    """Return folder and suffix of most recordings of a part, where one that is missing would be."""
    places = Counter((PurePosixPath(path).parent, PurePosixPath(path).suffix) for path in paths)
    return max(places, key=lambda place: (places[place], place), default=(official, ".mp4"))


def _clip(utterance: str, part: str, said: Said, path: str | None, usual: tuple[PurePosixPath, str]) -> Clip:
    name = utterance.removeprefix(f"{part}_")
    folder, suffix = usual
    return Clip(
        utterance=utterance,
        path=path or str(folder / f"{name}{suffix}"),
        speaker=f"meld_{said.speaker}",
        gender=LEADS.get(said.speaker, ""),
        session=utterance.partition("_utt")[0],
        text=said.text,
        split=part,
        raw_label=said.emotion,
        label=EMOTION_CODES[said.emotion],
    )


def _find_table(root: Path, part: str, found: Iterable[str]) -> tuple[str, list[Rejection]]:
    """Return the table of a part that is nearest to the root, and reject the others."""
    name = f"{part}_sent_emo.csv"
    tables = sorted((path for path in found if PurePosixPath(path).name == name), key=_nearness)
    if not tables:
        raise CorpusError(f"{root}: lacks {name}, which holds the labels of the part {part}; it is part of {CARD.url}")
    return tables[0], [Rejection(path, "filter", f"second copy: {tables[0]} is read") for path in tables[1:]]


def _read_table(root: Path, table: str, part: str) -> tuple[dict[str, Said], list[Rejection]]:
    """Return what the lines of a table say, by utterance, and the lines that cannot be used."""
    lines = read_csv(root, table, COLUMNS, encoding="latin-1")  # `decoded` makes it UTF-8, cell by cell
    found: list[tuple[int, str, Said]] = []
    rejected = list(lines.rejected)
    for line in lines.whole:
        utterance, said = _read_line(line, part)
        if isinstance(said, Said):
            found.append((line.number, utterance, said))
        else:
            rejected.append(Rejection(table, "label", said, utterance))
    kept, repeated = once(table, found)
    return {str(utterance): said for utterance, said in kept.items()}, rejected + repeated


def _read_line(line: Line, part: str) -> tuple[str, Said | str]:
    """Return the utterance of a line and what is said of it, or why it does not count."""
    cell = {column: decoded(line.cells[column]).strip() for column in COLUMNS}
    name = f"dia{cell['Dialogue_ID']}_utt{cell['Utterance_ID']}"
    if not NAME.fullmatch(name):
        return "", f"no numbers of dialogue and utterance: line {line.number} gives {name[:40]!a}"
    utterance, speaker, emotion = f"{part}_{name}", mended(cell["Speaker"]), cell["Emotion"]
    if emotion not in EMOTION_CODES:
        return utterance, f"unknown emotion: line {line.number} says {emotion[:40]!a}"
    if not speaker or not is_text(speaker):
        return utterance, f"no speaker: line {line.number} says {speaker[:40]!a}"
    return utterance, Said(speaker, emotion, wording(cell["Utterance"]))
