"""Anyone's own corpus: tables, CSV, TSV or JSON lines, with a row per clip."""

from __future__ import annotations

import csv
import glob
import io
import json
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from candor.corpora import emobox
from candor.corpora.emotions import EMOTIONS
from candor.corpora.listing import below
from candor.corpora.reader import Card, Clip, CorpusError, Reading, Rejection

DELIMITERS = {".csv": ",", ".tsv": "\t", ".jsonl": ""}
RATINGS = ("arousal", "valence", "dominance")
COLUMNS = (
    *("utterance", "path", "speaker", "gender", "session", "scenario", "text", "language"),
    *("age", "race", "ethnicity", "split", "label", *RATINGS),
)
PARTS = re.compile(r"train|dev|test\d?")
OLDEST = 120
EMOBOX_COLUMNS = {"utterance": ("key",), "path": ("wav", "audio"), "speaker": ("spk",), "label": ("emo",)}

# Single letters but N are left out: A is anger in one corpus and fear in another.
SPELLINGS = {
    "neutral": "neutral neu n neutrality",
    "anger": "anger ang angry",
    "sadness": "sadness sad",
    "happiness": "happiness hap happy joy joyful",
    "fear": "fear fea fearful",
    "disgust": "disgust dis disgusted",
    "surprise": "surprise sur surprised",
    "calm": "calm",
    "excitement": "excitement exc excited",
    "boredom": "boredom bor bored",
    "frustration": "frustration fru frustrated",
    "contempt": "contempt",
    "other": "other oth",
}
KNOWN = {spelling: emotion for emotion, spellings in SPELLINGS.items() for spelling in spellings.split()}
PART_SPELLINGS = {"training": "train", "development": "dev", "validation": "dev", "valid": "dev", "val": "dev"}
GENDERS = dict.fromkeys(("m", "male", "man"), "male") | dict.fromkeys(("f", "female", "woman"), "female")
NOT_KNOWN = {"", "unknown", "unk", "na", "n/a", "none", "null", "-", "other"}

CARD = Card(
    title="your own table",
    licence="your own",
    url="",
    redistributable=False,
    layout="the table and the audio files that it names",
    markers=("*",),
    classes=EMOTIONS,
    schemes=("speakers", "sessions", "leave_one_speaker_out", "texts", "official"),
)


@dataclass(frozen=True)
class Line:
    """One row of the table: the number of its line, and its cells or what is wrong with it."""

    number: int
    cells: Mapping[str, str]
    problem: str = ""


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the tables that ``options["file"]`` names; see `docs/corpora.md` for the other options."""
    clips: list[tuple[str, int, Clip]] = []
    rejected: list[Rejection] = []
    for name in _tables(root, str(options["file"])):
        lines = _lines(root / name)
        table = _Table(root, name, options, lines)
        for line in lines:
            found = table.clip(line)
            if isinstance(found, Clip):
                clips.append((name, line.number, found))
            else:
                rejected.append(found)
    kept, twice = _without_repeats(clips)
    return Reading(sorted(kept, key=lambda clip: clip.utterance), rejected + twice)


def _tables(root: Path, wanted: str) -> list[str]:
    """Return the paths below the corpus folder of the table called `wanted`, or of those that it matches."""
    try:
        name = below(root, wanted)
    except CorpusError as error:
        raise CorpusError(
            f"table.file: {wanted} is {error} {root}, where no change of it would be noticed; put the table into it"
        ) from None
    if (root / name).is_file():
        return [name]
    names = {match for match in glob.glob(name, root_dir=root, recursive=True) if (root / match).is_file()}
    if not names:
        what = "no table matches" if glob.has_magic(name) else "there is no such table"
        raise CorpusError(f"{root / name}: {what}")
    return sorted(Path(match).as_posix() for match in names)


def _lines(file: Path) -> list[Line]:
    suffix = file.suffix.lower()
    if suffix not in DELIMITERS:
        raise CorpusError(f"{file}: a table is one of {', '.join(DELIMITERS)}, not {suffix or 'without a suffix'}")
    data = file.read_bytes()
    if data.startswith(b"version https://git-lfs"):
        raise CorpusError(f"{file}: is a git-LFS stub; run `git lfs pull` in the corpus folder")
    return _delimited(data, DELIMITERS[suffix], file) if DELIMITERS[suffix] else _json_lines(data)


class _Table:
    """A table with its columns found and its spellings settled."""

    def __init__(self, root: Path, name: str, options: Mapping[str, Any], lines: list[Line]) -> None:
        self.root = root
        self.name = name
        self.prefix = f"{options.get('dataset', 'table')}_"
        self.labels = {_fold(raw): emotion for raw, emotion in dict(options.get("labels") or {}).items()}
        for raw, emotion in self.labels.items():
            if emotion and emotion not in EMOTIONS:
                raise CorpusError(f"labels: {raw!r} stands for {emotion!r}, which is none of {', '.join(EMOTIONS)}")
        present = list(dict.fromkeys(key for line in lines for key in line.cells))
        lists = name.lower().endswith(".jsonl")
        self.columns = _find_columns(self.name, present, dict(options.get("columns") or {}), lists)
        self.emobox = "speaker" not in self.columns and lists and "dataset" in present
        predicted = "label" if options.get("pred", "emotion") == "emotion" else str(options["pred"])
        missing = [column for column in ("path", "speaker", predicted) if column not in self.columns]
        if self.emobox:
            missing = [column for column in missing if column != "speaker"]
        if missing:
            raise CorpusError(
                f"{root / name}: no column holds the {' and the '.join(missing)}; "
                f"there are {', '.join(present) or 'none'}. Say which does, under table: columns: {{{missing[0]}: …}}"
            )

    def clip(self, line: Line) -> Clip | Rejection:
        """Return the clip of a line, or why there is none; a doubtful cell rejects its whole line."""
        found = {column: line.cells.get(header, "") for column, header in self.columns.items()}
        cell = {column: text.strip() for column, text in found.items()}
        path = cell.get("path", "").replace("\\", "/")
        problem = line.problem or _control_character(found) or ("" if path else "no path")
        if not problem:
            try:
                path = below(self.root, path)
            except CorpusError as error:
                problem = f"audio path {error}: {path}"
        utterance = cell.get("utterance") or re.sub(r"\.\w{1,5}$", "", path).replace("/", "_")
        corpus = line.cells.get("dataset", "") if self.emobox else ""
        speaker, gender = cell.get("speaker", ""), cell.get("gender", "")
        if corpus and not problem:
            path = self._without_downloads(path, corpus)
            told = emobox.speaker_of(corpus, PurePosixPath(path).stem)
            speaker, gender = (told[0], gender or told[1]) if told else ("", "")
        if not problem and _fold(speaker) in NOT_KNOWN:
            problem = "no speaker"
        if not problem and _fold(gender) not in NOT_KNOWN and _fold(gender) not in GENDERS:
            problem = f"gender is neither male nor female: {gender!r}"
        numbers: dict[str, float | None] = {}
        for column in ("age", *RATINGS):
            try:
                numbers[column] = _number(cell.get(column, ""))
            except ValueError:
                problem = problem or f"{column} is not a number: {cell[column]!r}"
        if not problem and not 0 <= (numbers["age"] or 0) <= OLDEST:
            problem = f"age is not between 0 and {OLDEST}: {cell['age']!r}"
        part = PART_SPELLINGS.get(_fold(cell.get("split", "")), _fold(cell.get("split", "")))
        if not problem and part and not PARTS.fullmatch(part):
            problem = f"split is none of train, dev, test: {cell['split']!r}"
        if problem:
            what, _, detail = problem.partition(": ")
            reason = f"{what}: line {line.number}" + (f", {detail}" if detail else "")
            return Rejection(self.name, "label", reason, "" if line.problem else utterance)
        raw = cell.get("label", "")
        label, reason = self._label(raw, corpus)
        return Clip(
            utterance=utterance,
            path=path,
            speaker=speaker if speaker.startswith(self.prefix) else self.prefix + speaker,
            gender=GENDERS.get(_fold(gender), ""),
            session=cell.get("session", ""),
            scenario=cell.get("scenario", ""),
            text=cell.get("text", ""),
            language=cell.get("language", ""),
            age=numbers["age"],
            race=cell.get("race", ""),
            ethnicity=cell.get("ethnicity", ""),
            split=part,
            raw_label=raw,
            label=label,
            reason=reason,
            arousal=numbers["arousal"],
            valence=numbers["valence"],
            dominance=numbers["dominance"],
        )

    def _label(self, raw: str, corpus: str) -> tuple[str, str]:
        """Return the emotion in the common code, and why there is none."""
        folded = _fold(raw)
        if folded in self.labels:
            emotion = self.labels[folded]
            return emotion, "" if emotion else f"label left out by the config: {raw}"
        if not folded:
            return "", "no label"
        rule = emobox.RULES.get(corpus)
        emotion = rule.labels.get(folded, "") if rule else ""
        emotion = emotion or KNOWN.get(folded, "")
        return emotion, "" if emotion else f"unknown label: {raw}"

    def _without_downloads(self, path: str, corpus: str) -> str:
        """Return the path below the corpus folder where a list has it below a common folder of downloads."""
        start = f"downloads/{corpus}/"
        return path.removeprefix(start) if not (self.root / "downloads").is_dir() else path


def _find_columns(name: str, present: list[str], given: Mapping[str, str], lists: bool) -> dict[str, str]:
    """Return the header of each column of the manifest that the table has."""
    found: dict[str, str] = {}
    for column in COLUMNS:
        if column in given:
            if given[column] not in present:
                raise CorpusError(
                    f"{name}: has no column {given[column]!r} for the {column}; there are {', '.join(present)}"
                )
            found[column] = given[column]
            continue
        for header in (column, *(EMOBOX_COLUMNS.get(column, ()) if lists else ())):
            if header in present:
                found[column] = header
                break
    return found


def _delimited(data: bytes, delimiter: str, file: Path) -> list[Line]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{file}: line {number} is not UTF-8; save the table as UTF-8") from None
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[Line] = []
    try:
        header = [name.strip() for name in next(rows, [])]
        if len(set(header)) < len(header):
            raise CorpusError(f"{file}: names a column twice: {', '.join(header)}")
        for row in rows:
            if not row:
                continue
            wrong = len(row) != len(header)
            problem = f"wrong number of cells: {len(row)} where the header has {len(header)}" if wrong else ""
            lines.append(Line(rows.line_num, dict(zip(header, row, strict=False)), problem))
    except csv.Error as error:
        raise CorpusError(f"{file}: line {rows.line_num} cannot be read ({error})") from None
    if not lines:
        raise CorpusError(f"{file}: holds no rows")
    return _taint_neighbours(lines, len(header))


def _taint_neighbours(lines: list[Line], width: int) -> list[Line]:
    """Reject the lines beside a line with too few cells.

    Such a line may be a row broken in two. If it broke within its first or last cell, the other half has as
    many cells as it should, and one of them is cut short.
    """
    scraps = {place for place, line in enumerate(lines) if len(line.cells) < width}
    return [
        replace(line, problem="beside a broken line") if not line.problem and scraps & {place - 1, place + 1} else line
        for place, line in enumerate(lines)
    ]


def _json_lines(data: bytes) -> list[Line]:
    lines: list[Line] = []
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw.decode("utf-8"), object_pairs_hook=_object)
        except UnicodeDecodeError:
            lines.append(Line(number, {}, "not UTF-8"))
        except (ValueError, RecursionError) as error:
            lines.append(Line(number, {}, f"bad JSON: {error}"))
        else:
            fits = isinstance(value, dict)
            cells = {key: _text(cell) for key, cell in value.items()} if fits else {}
            lines.append(Line(number, cells, "" if fits else "bad JSON: not an object"))
    return lines


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _without_repeats(clips: list[tuple[str, int, Clip]]) -> tuple[list[Clip], list[Rejection]]:
    """Keep one of equal lines; of lines that say different things about one utterance, none.

    A line repeated within a table is listed. That another table has it too is how lists by fold are made.
    """
    lines: dict[str, list[tuple[str, int, Clip]]] = defaultdict(list)
    for name, number, clip in clips:
        lines[clip.utterance].append((name, number, clip))
    kept: list[Clip] = []
    rejected: list[Rejection] = []
    for utterance, found in lines.items():
        first: dict[str, int] = {}
        if all(clip == found[0][2] for *_, clip in found):
            kept.append(found[0][2])
            for name, number, _ in found:
                if name in first:
                    reason = f"repeated line: {number} says what {first[name]} says"
                    rejected.append(Rejection(name, "label", reason, utterance))
                first.setdefault(name, number)
        else:
            several = len({name for name, *_ in found}) > 1
            places = ", ".join(f"{number} of {name}" if several else str(number) for name, number, _ in found)
            reason = f"named twice: lines {places} differ about this utterance"
            rejected += [Rejection(name, "label", reason, utterance) for name, *_ in found]
    return kept, rejected


def _control_character(cells: Mapping[str, str]) -> str:
    """Tell of a cell with a character that no name or label has: a quote left open, a damaged byte."""
    for column, cell in cells.items():
        if any(unicodedata.category(character) == "Cc" for character in cell):
            return f"control character: in the {column}"
    return ""


def _number(text: str) -> float | None:
    if _fold(text) in NOT_KNOWN or _fold(text) == "nan":
        return None
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _fold(text: str) -> str:
    return text.strip().casefold()
