"""Files of a backbone are gathered beside their place, checked there, and moved into place together."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from candor.backbones.weights import WeightsError, row_of


@dataclass(frozen=True)
class Found:
    """A file on this machine that is to become one of a backbone's.

    Parameters
    ----------
    file
        What it is called there.
    place
        Where it is now.
    source
        Where it came from first.
    revision
        The version that its source gave it, if any.
    sha256
        The hash that its source says it has, if any.
    """

    file: str
    place: Path
    source: str
    revision: str = ""
    sha256: str = ""


def gathering_place(folder: Path) -> Path:
    """Return where files are gathered: beside their place, so that what has come so far outlives a failure."""
    gathered = folder.with_name(f"{folder.name}.part")
    gathered.mkdir(parents=True, exist_ok=True)
    return gathered


def settle(gathered: Path, folder: Path, rows: list[dict[str, Any]]) -> None:
    """Let the gathered files, and nothing else, take the place of `folder`."""
    kept = {row["file"] for row in rows}
    for left_over in [path for path in gathered.iterdir() if path.name not in kept]:
        left_over.unlink()
    former = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(former, ignore_errors=True)
    if folder.exists():
        folder.rename(former)
    gathered.rename(folder)
    shutil.rmtree(former, ignore_errors=True)


def take(name: str, found: Found, gathered: Path, sha256: str = "") -> dict[str, Any]:
    """Put a file among the gathered ones and return its row; refuse one that is not what it should be."""
    target = gathered / found.file
    if found.place != target:
        target.unlink(missing_ok=True)
        _copy(found.place, target)
    try:
        _refuse_impostor(name, target, found.source)
        row = row_of(target, found.source, found.revision)
        for wanted in filter(None, (sha256, found.sha256)):
            if row["sha256"] != wanted:
                raise WeightsError(
                    f"backbones: {name}: {found.source} has the SHA-256 {row['sha256']}, but it must be {wanted}; "
                    "it is damaged or another version, and was not kept"
                )
    except WeightsError:
        target.unlink()
        raise
    return row


def _copy(source: Path, target: Path) -> None:
    """Let `target` hold what `source` holds, whatever becomes of `source` later.

    Without a second copy on the disk where the file system can do that. A link would not do: who writes over the one
    file would change the other.
    """
    source = source.resolve()
    if _clone(source, target):
        return
    temporary = target.with_name(target.name + ".part")
    shutil.copyfile(source, temporary)
    os.replace(temporary, target)


def _clone(source: Path, target: Path) -> bool:
    """Make a copy that shares its blocks, which XFS and Btrfs can do; tell whether it was made."""
    if not sys.platform.startswith("linux"):
        return False
    import fcntl

    ficlone = 0x40049409
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), ficlone, old.fileno())
            return True
        except OSError:
            target.unlink()
            return False


def _refuse_impostor(name: str, file: Path, source: str) -> None:
    """Refuse what takes the place of a file where the file itself is not to be had."""
    with file.open("rb") as handle:
        head = handle.read(256).lstrip().lower()
    if not head:
        raise WeightsError(f"backbones: {name}: {source} is empty")
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise WeightsError(f"backbones: {name}: {source} is a web page and not a file of a backbone")
    if head.startswith(b"version https://git-lfs"):
        advice = "" if re.match("https?://", source) else "; run `git lfs pull` where it is"
        raise WeightsError(f"backbones: {name}: {source} is a pointer of git-lfs and not the file itself{advice}")


def below(offline: Path | None, name: str) -> str:
    """Return where a user may put the files of a backbone, in words."""
    if offline is None:
        return f"{name}/ in a folder that the key weights_dir names"
    return f"{offline / name} (weights_dir is {str(offline)!r})"


def must_be_folder(offline: Path) -> None:
    """Refuse a `weights_dir` that is not there."""
    if not offline.is_dir():
        raise WeightsError(f"weights_dir: there is no folder {str(offline)!r}")
