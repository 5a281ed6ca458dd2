"""Read the label files of corpora: whatever the bytes, a row is right, rejected with its line, or a sentence.

A file that as a whole is not what it should be (a pointer left by git-LFS, another encoding, a missing column) is a
`CorpusError`. A line that is not (too few cells, a repeated name) is a `Rejection`; the others count.
"""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from candor.corpora.reader import CorpusError, Rejection

Value = TypeVar("Value")

UNICODE_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""How text in UTF-16 begins, as spreadsheets save it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: the number of its last line in the file, and its cells by column."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Lines:
    """The rows of a table that are whole, and the others."""

    name: str
    whole: list[Line]
    rejected: list[Rejection]


def find_label_file(
    root: Path, found: Iterable[str], spellings: Sequence[str], home: str = ""
) -> tuple[str, list[Rejection]]:
    """Return the label file that is nearest to the root, and those beside it that are spelled in another way.

    Parameters
    ----------
    root, found
        The corpus folder, and the paths of files below it.
    spellings
        What the file may be called; of two side by side the first counts.
    home
        The folder in which it is released, with a slash behind it, for the error.

    Raises
    ------
    CorpusError
        When there is none.
    """
    present = [path for path in found if path.rpartition("/")[2] in spellings]
    present.sort(key=lambda path: (path.count("/"), spellings.index(path.rpartition("/")[2]), path))
    if not present:
        raise CorpusError(f"{root}: lacks {home}{spellings[0]}, which holds the labels; it is part of the release")
    chosen, *others = present
    beside = [path for path in others if path.rpartition("/")[0] == chosen.rpartition("/")[0]]
    return chosen, [Rejection(path, "label", f"not read: {chosen} lies beside it") for path in beside]


def read_text(root: Path, name: str, *, encoding: str = "utf-8-sig") -> str:
    """Return the text of a label file with line feeds for line ends.

    Parameters
    ----------
    root, name
        The corpus folder, and the file below it.
    encoding
        In which it is written.

    Raises
    ------
    CorpusError
        When it cannot be read, is a stub of git-LFS, or is written in something else.
    """
    file = root / name
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CorpusError(f"{file}: cannot be read ({error.strerror or error})") from None
    if data.startswith(b"version https://git-lfs"):
        raise CorpusError(f"{file}: is a git-LFS stub; run `git lfs pull` in the corpus folder")
    if not data.strip():
        raise CorpusError(f"{file}: is empty; fetch the file again")
    if data.startswith(UNICODE_MARKS) or b"\x00" in data:
        raise CorpusError(f"{file}: is no plain text, but UTF-16 or damaged; save it as UTF-8 or fetch it again")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{file}: line {number} is not {encoding.removesuffix('-sig').upper()}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_csv(root: Path, name: str, columns: Sequence[str], *, encoding: str = "utf-8-sig") -> Lines:
    """Return the rows of a comma-separated table; columns beyond those asked for are welcome.

    Parameters
    ----------
    root, name
        The corpus folder, and the file below it.
    columns
        The columns that must be there; others are returned as well.
    encoding
        In which it is written.

    Raises
    ------
    CorpusError
        When the file as a whole is not such a table.
    """
    file = root / name
    rows = csv.reader(io.StringIO(read_text(root, name, encoding=encoding), newline=""), strict=True)
    whole: list[Line] = []
    rejected: list[Rejection] = []
    try:
        header = [cell.strip() for cell in next(rows, [])]
        missing = [column for column in columns if column not in header]
        if missing:
            raise CorpusError(f"{file}: lacks the columns {', '.join(map(repr, missing))}; it has {', '.join(header)}")
        twice = [column for column in columns if header.count(column) > 1]
        if twice:
            raise CorpusError(f"{file}: names the column {twice[0]!r} twice")
        for row in rows:
            if len(row) == len(header):
                whole.append(Line(rows.line_num, dict(zip(header, row, strict=True))))
            elif row:
                reason = f"wrong number of cells: line {rows.line_num} has {len(row)}, the header {len(header)}"
                rejected.append(Rejection(name, "label", reason))
    except csv.Error as error:
        raise CorpusError(f"{file}: line {rows.line_num} cannot be read as a table ({error})") from None
    return Lines(name, whole, rejected)


def once(
    name: str, found: Iterable[tuple[int, Hashable, Value]], utterance: Callable[[Hashable], str] = str
) -> tuple[dict[Hashable, Value], list[Rejection]]:
    """Keep one of lines that say the same of a clip; of lines that say different things, none.

    Parameters
    ----------
    name
        The label file.
    found
        Number of the line, what it is about, and what it says.
    utterance
        Turns what it is about into the name of the utterance.

    Returns
    -------
    what is said by what it is said of, and the lines that do not count
    """
    lines: dict[Hashable, list[tuple[int, Value]]] = defaultdict(list)
    for number, key, value in found:
        lines[key].append((number, value))
    kept: dict[Hashable, Value] = {}
    rejected: list[Rejection] = []
    for key, said in lines.items():
        first, value = said[0]
        if all(other == value for _, other in said):
            kept[key] = value
            rejected += [
                Rejection(name, "label", f"repeated line: {number} says what {first} says", utterance(key))
                for number, _ in said[1:]
            ]
        else:
            places = ", ".join(str(number) for number, _ in said)
            reason = f"named twice: lines {places} say different things"
            rejected.append(Rejection(name, "label", reason, utterance(key)))
    return kept, rejected


def rating(text: str, low: float, high: float) -> float | None:
    """Return a rating, or None for one that is not given.

    Raises
    ------
    ValueError
        Says, as a clause, that it is no number between `low` and `high`.

    >>> rating("4.5", 1, 7)
    4.5
    >>> rating("NaN", 1, 7) is None
    True
    """
    if text.strip().casefold() in ("", "nan", "na", "n/a"):
        return None
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text.strip()!r} is no number") from None
    if not math.isfinite(number) or not low <= number <= high:
        raise ValueError(f"{text.strip()} is not between {low:g} and {high:g}")
    return number
