"""A benchmark's result: a table that is printed and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def text(rows: Sequence[Mapping[str, object]]) -> str:
    """Return `rows` as tab-separated values with a header."""
    lines = [list(rows[0]), *(row.values() for row in rows)]
    return "".join("\t".join(map(str, line)) + "\n" for line in lines)


def emit(rows: Sequence[Mapping[str, object]], out: Path | None) -> None:
    """Print `rows`; write the same to `out` if it is given."""
    print(text(rows), end="", flush=True)
    if out:
        out.write_text(text(rows), encoding="utf-8")
