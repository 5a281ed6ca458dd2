"""The files of a backbone as they lie beside their table: what they are, and whether they are still the same."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candor.runtime import Explained
from candor.tables.base import atomic

if TYPE_CHECKING:
    import pandas as pd

CHECKPOINT = "checkpoint.ckpt"
"""A checkpoint is kept under this name, so that the same bytes are the same weights whatever their file was called."""


class WeightsError(Explained, RuntimeError):
    """The files of a backbone cannot be had or are not what they should be; the message says what to do."""


def verify(folder: Path, rows: pd.DataFrame) -> None:
    """Refuse files that are not those of the table.

    Parameters
    ----------
    folder
        Where the files are.
    rows
        The table `Weights`.
    """
    advice = f"delete {folder.parent} to have the backbone's files brought again"
    expected = {str(file): (int(size), str(sha256)) for file, size, sha256 in _entries(rows, "bytes", "sha256")}
    foreign = sorted(file for file in file_names(folder) if file not in expected)
    if foreign:
        raise WeightsError(f"backbones: {folder / foreign[0]} does not belong there; remove it, or {advice}")
    for file, (size, _) in expected.items():
        if not (folder / file).is_file():
            raise WeightsError(f"backbones: {folder / file} is missing; {advice}")
        found = (folder / file).stat().st_size
        if found != size:
            raise WeightsError(f"backbones: {folder / file} has changed: {found} bytes instead of {size}; {advice}")
    for file, (_, sha256) in expected.items():
        digest = sha256_of(folder / file)
        if digest != sha256:
            raise WeightsError(
                f"backbones: {folder / file} has changed: its SHA-256 is {digest} instead of {sha256}; {advice}"
            )


def identity(rows: pd.DataFrame) -> dict[str, str]:
    """Return what the weights are, wherever they came from: the SHA-256 of each file."""
    return {str(file): str(sha256) for file, sha256 in sorted(_entries(rows, "sha256"))}


def row_of(file: Path, source: str, revision: str = "") -> dict[str, Any]:
    """Return the row of a file for the table `Weights`."""
    return {
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": sha256_of(file),
        "source": source,
        "revision": revision,
    }


def keep_checkpoint(content: bytes, folder: Path, source: str) -> dict[str, Any]:
    """Make `folder` hold a checkpoint that was made here, and nothing else; return its row."""
    shutil.rmtree(folder, ignore_errors=True)
    with atomic(folder / CHECKPOINT, "wb") as handle:
        handle.write(content)
    return row_of(folder / CHECKPOINT, source)


def file_names(folder: Path) -> list[str]:
    """Return the names of the files in a folder; hidden ones are the system's business."""
    if not folder.is_dir():
        return []
    return sorted(file.name for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _entries(rows: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return rows[["file", *columns]].itertuples(index=False, name=None)
