"""Anyone's own corpus: one table, CSV, TSV or JSON lines, with a row per clip."""

from __future__ import annotations

import csv
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
from candor.corpora.reader import Card, Clip, CorpusError, Reading, Rejection

DELIMITERS = {".csv": ",", ".tsv": "\t", ".jsonl": ""}
COLUMNS = ("utterance", "path", "speaker", "gender", "session", "text", "label", "arousal", "valence", "dominance")
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
)


@dataclass(frozen=True)
class Line:
    """One row of the table: the number of its line, and its cells or what is wrong with it."""

    number: int
    cells: Mapping[str, str]
    problem: str = ""


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the table that ``options["file"]`` names; see `docs/corpora.md` for the other options."""
    file = root / str(options["file"])
    if not file.is_file():
        raise CorpusError(f"{file}: there is no such table")
    suffix = file.suffix.lower()
    if suffix not in DELIMITERS:
        raise CorpusError(f"{file}: a table is one of {', '.join(DELIMITERS)}, not {suffix or 'without a suffix'}")
    data = file.read_bytes()
    if data.startswith(b"version https://git-lfs"):
        raise CorpusError(f"{file}: is a git-LFS stub; run `git lfs pull` in the corpus folder")
    lines = _delimited(data, DELIMITERS[suffix], file) if DELIMITERS[suffix] else _json_lines(data)
    table = _Table(root, file, options, lines)
    clips: list[tuple[int, Clip]] = []
    rejected: list[Rejection] = []
    for line in lines:
        found = table.clip(line)
        if isinstance(found, Clip):
            clips.append((line.number, found))
        else:
            rejected.append(found)
    kept, twice = _without_repeats(clips, table.name)
    return Reading(sorted(kept, key=lambda clip: clip.utterance), rejected + twice)


class _Table:
    """A table with its columns found and its spellings settled."""

    def __init__(self, root: Path, file: Path, options: Mapping[str, Any], lines: list[Line]) -> None:
        self.root = root
        self.name = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
        self.prefix = f"{options.get('dataset', 'table')}_"
        self.labels = {_fold(raw): emotion for raw, emotion in dict(options.get("labels") or {}).items()}
        for raw, emotion in self.labels.items():
            if emotion and emotion not in EMOTIONS:
                raise CorpusError(f"labels: {raw!r} stands for {emotion!r}, which is none of {', '.join(EMOTIONS)}")
        present = list(dict.fromkeys(key for line in lines for key in line.cells))
        lists = file.suffix.lower() == ".jsonl"
        self.columns = _find_columns(self.name, present, dict(options.get("columns") or {}), lists)
        self.emobox = "speaker" not in self.columns and lists and "dataset" in present
        missing = [column for column in ("path", "speaker", "label") if column not in self.columns]
        if self.emobox:
            missing = [column for column in missing if column != "speaker"]
        if missing:
            raise CorpusError(
                f"{file}: no column holds the {' and the '.join(missing)}; there are {', '.join(present) or 'none'}. "
                f"Say which does, under table: columns: {{{missing[0]}: …}}"
            )

    def clip(self, line: Line) -> Clip | Rejection:
        """Return the clip of a line, or why there is none; a doubtful cell rejects its whole line."""
        found = {column: line.cells.get(header, "") for column, header in self.columns.items()}
        cell = {column: text.strip() for column, text in found.items()}
        path = _below(cell.get("path", ""), self.root)
        utterance = cell.get("utterance") or re.sub(r"\.\w{1,5}$", "", path).replace("/", "_")
        problem = line.problem or _control_character(found)
        if not problem and not path:
            problem = "no path"
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
        for column in ("arousal", "valence", "dominance"):
            try:
                numbers[column] = _number(cell.get(column, ""))
            except ValueError:
                problem = problem or f"{column} is not a number: {cell[column]!r}"
        if problem:
            what, _, detail = problem.partition(": ")
            reason = f"{what}: line {line.number}" + (f", {detail}" if detail else "")
            return Rejection(self.name, "label", reason, "" if line.problem else utterance)
        raw = cell["label"]
        label, reason = self._label(raw, corpus)
        return Clip(
            utterance=utterance,
            path=path,
            speaker=speaker if speaker.startswith(self.prefix) else self.prefix + speaker,
            gender=GENDERS.get(_fold(gender), ""),
            session=cell.get("session", ""),
            text=cell.get("text", ""),
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


def _without_repeats(clips: list[tuple[int, Clip]], name: str) -> tuple[list[Clip], list[Rejection]]:
    """Keep one of equal lines; of lines that say different things about one utterance, none."""
    lines: dict[str, list[tuple[int, Clip]]] = defaultdict(list)
    for number, clip in clips:
        lines[clip.utterance].append((number, clip))
    kept: list[Clip] = []
    rejected: list[Rejection] = []
    for utterance, found in lines.items():
        first = found[0][0]
        if all(clip == found[0][1] for _, clip in found):
            kept.append(found[0][1])
            rejected += [
                Rejection(name, "label", f"repeated line: {number} says what {first} says", utterance)
                for number, _ in found[1:]
            ]
        else:
            numbers = ", ".join(str(number) for number, _ in found)
            reason = f"named twice: lines {numbers} differ about this utterance"
            rejected += [Rejection(name, "label", reason, utterance) for _ in found]
    return kept, rejected


def _control_character(cells: Mapping[str, str]) -> str:
    """Tell of a cell with a character that no name or label has: a quote left open, a damaged byte."""
    for column, cell in cells.items():
        if any(unicodedata.category(character) == "Cc" for character in cell):
            return f"control character: in the {column}"
    return ""


def _below(path: str, root: Path) -> str:
    """Return a path with slashes, relative to the corpus folder if it lies in it."""
    path = path.replace("\\", "/")
    if path.startswith("/") and Path(path).is_relative_to(root.absolute()):
        return Path(path).relative_to(root.absolute()).as_posix()
    return path.removeprefix("./")


def _number(text: str) -> float | None:
    if _fold(text) in NOT_KNOWN or _fold(text) == "nan":
        return None
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _fold(text: str) -> str:
    return text.strip().casefold()
