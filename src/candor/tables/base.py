"""What every data contract shares: columns with types and units, a version, a path, safe reading and writing."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Literal

from candor.runtime import Explained

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "integer", "number"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name
        Its header. A name that ends in ``*`` stands for any number of columns with that prefix.
    description
        What a cell holds.
    kind
        ``text``, ``integer`` or ``number``.
    unit
        Unit of a number, if it has one.
    blank
        Whether a cell may be empty.
    """

    name: str
    description: str
    kind: Kind = "text"
    unit: str = ""
    blank: bool = False


class TableError(Explained, ValueError):
    """A table is not what its contract says."""


class Table:
    """A tab-separated file with a header, described once and checked at every hand-over.

    Subclasses set the class attributes. The last column of every file is ``schema``: the table's name and
    version, the same in each row, so that a file that is moved about still says what it is and any program
    can read it without options.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    path: ClassVar[str]
    description: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    key: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def schema(cls) -> str:
        """Return the mark that stands in the ``schema`` column."""
        return f"{cls.name}/{cls.version}"

    @classmethod
    def write(cls, rows: pd.DataFrame | list[dict[str, Any]], path: str | Path) -> None:
        """Check `rows` against the contract and write them to `path` in one step."""
        import pandas as pd

        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
        headers = cls._headers(list(frame.columns), path, empty=frame.empty)
        if frame.empty:
            frame = pd.DataFrame(columns=headers)
        frame = frame[headers].reset_index(drop=True)
        cls._check(frame, path)
        frame = frame.assign(schema=cls.schema())
        for column, header in cls._columns_of(headers):
            if column.kind == "number":
                frame[header] = [_number(value) for value in frame[header]]
            elif column.kind == "integer":
                frame[header] = ["" if pd.isna(value) or value == "" else str(int(value)) for value in frame[header]]
            else:
                frame[header] = [
                    _one_line(value) if isinstance(value, str) else "" if pd.isna(value) else _one_line(str(value))
                    for value in frame[header].tolist()
                ]
        with atomic(path) as handle:
            # Quoting is left out: cells hold no tab and no line break, so what is written is what is read.
            handle.write("\t".join(frame.columns) + "\n")
            for row in frame.itertuples(index=False, name=None):
                handle.write("\t".join(row) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> pd.DataFrame:
        """Read `path`; refuse a file of another table or version."""
        import csv

        import pandas as pd

        frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE, encoding="utf-8")
        if "schema" not in frame.columns:
            raise TableError(f"{path}: has no `schema` column, so it is not a {cls.name} table; rebuild it")
        marks = set(frame.pop("schema"))
        if marks - {cls.schema()}:
            found = ", ".join(sorted(marks))
            raise TableError(f"{path}: holds {found}, but {cls.schema()} is needed; delete it to have it rebuilt")
        headers = cls._headers(list(frame.columns), path, empty=False)
        for column, header in cls._columns_of(headers):
            if column.kind == "text":
                continue
            numbers = pd.to_numeric(frame[header].where(frame[header] != ""), errors="raise")
            frame[header] = numbers if column.kind == "number" or column.blank else numbers.astype("int64")
        cls._check(frame, path)
        return frame[headers]

    @classmethod
    def found_in(cls, folder: Path) -> list[Path]:
        """Return the tables of this kind in a folder and in those directly below it."""
        name = Path(cls.path).name
        files = [folder / name, *sorted(folder.glob(f"*/{name}"))]
        return [file for file in files if file.is_file() and cls._is_one(file)]

    @classmethod
    def _is_one(cls, file: Path) -> bool:
        with file.open(encoding="utf-8") as handle:
            first = next(itertools.islice(handle, 1, None), "")
        return first.rstrip("\n").rpartition("\t")[2].startswith(f"{cls.name}/")

    @classmethod
    def _headers(cls, present: list[str], path: str | Path, *, empty: bool) -> list[str]:
        """Return the headers of the contract in order, or say what is missing and what is foreign."""
        headers: list[str] = []
        missing: list[str] = []
        for column in cls.columns:
            if column.name.endswith("*"):
                headers += [name for name in present if name.startswith(column.name[:-1])]
            elif column.name in present or empty:
                headers.append(column.name)
            else:
                missing.append(column.name)
        foreign = [name for name in present if name not in headers]
        if missing or foreign:
            raise TableError(f"{path}: a {cls.name} table with missing columns {missing} and unknown columns {foreign}")
        return headers

    @classmethod
    def _columns_of(cls, headers: list[str]) -> Iterator[tuple[Column, str]]:
        for column in cls.columns:
            prefix = column.name[:-1] if column.name.endswith("*") else None
            for header in headers:
                if header == column.name or (prefix is not None and header.startswith(prefix)):
                    yield column, header

    @classmethod
    def _check(cls, frame: pd.DataFrame, path: str | Path) -> None:
        for column, header in cls._columns_of(list(frame.columns)):
            blank = frame[header].isna() | (frame[header].astype(str) == "")
            if not column.blank and blank.any():
                raise TableError(f"{path}: column {header} is blank in row {int(blank.to_numpy().argmax()) + 1}")
        if cls.key:
            twice = frame.duplicated(list(cls.key))
            if twice.any():
                row = frame.loc[twice, list(cls.key)].iloc[0].to_dict()
                raise TableError(f"{path}: two rows for {row}")


def _number(value: Any) -> str:
    """Write a number with all its digits, and none for a missing one."""
    if value is None or value == "":
        return ""
    number = float(value)
    return "" if number != number else repr(number)


def _one_line(text: str) -> str:
    if text.isprintable():
        return text
    return text.replace("\t", " ").replace("\r", " ").replace("\n", " ")


@contextmanager
def atomic(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under `path` only when it is whole.

    It is written beside its place under another name, flushed to the disk and renamed.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:80]}.", suffix=".part")
    try:
        with open(descriptor, mode, **text) as handle:  # type: ignore[call-overload]
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(value: Mapping[str, Any], path: str | Path) -> None:
    """Write `value` as JSON with sorted keys, in one step."""
    import json

    with atomic(path) as handle:
        json.dump(value, handle, indent=2, sort_keys=True, ensure_ascii=False)
        handle.write("\n")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
