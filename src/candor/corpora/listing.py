"""What lies in a corpus folder: its files, and one digest that changes when any of them does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from candor.corpora.reader import CorpusError


def listing_digest(root: Path) -> str:
    """Return one hash of the paths, sizes and modification times of all files below `root`.

    No file is opened. Links are followed. Hidden files and folders (``.git``, ``.DS_Store``) are left out,
    because they change without the corpus changing.
    """
    lines = []
    for path, entry in _walk(str(root), "", ()):
        try:
            status = entry.stat()
            lines.append(f"{path}\t{status.st_size}\t{status.st_mtime_ns}\n")
        except OSError:  # a link that leads nowhere
            lines.append(f"{path}\t\t\n")
    lines.sort()
    return blake2b("".join(lines).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def files(root: Path, *suffixes: str) -> list[str]:
    """Return the paths below `root`, with slashes and sorted, of the files whose name ends in one of `suffixes`."""
    return sorted(path for path, _ in _walk(str(root), "", ()) if path.lower().endswith(suffixes))


def below(root: Path, path: str) -> str:
    """Return `path` relative to `root`, normalised, if `listing_digest` watches that place.

    Links are not resolved: one that lies in the folder may lead anywhere.

    Raises
    ------
    CorpusError
        Says where the place is instead, as the end of a sentence.
    """
    base = os.path.abspath(root)
    inside = os.path.relpath(os.path.join(base, path), base).replace(os.sep, "/")
    if inside.split("/")[0] == "..":
        raise CorpusError("outside the corpus folder")
    if inside != "." and any(_is_hidden(part) for part in inside.split("/")):
        raise CorpusError("in a hidden file or folder")
    return inside


def _is_hidden(name: str) -> bool:
    """Tell of a hidden name; what macOS leaves beside files on other disks is not called so, to be rejected aloud."""
    return name.startswith(".") and not name.startswith("._")


def _walk(folder: str, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield relative path and entry of each file; a link to a folder that it lies in is not followed."""
    try:
        status = os.stat(folder)
        here = (status.st_dev, status.st_ino)
        entries = [] if here in above else list(os.scandir(folder))
    except OSError as error:
        raise CorpusError(f"{folder}: cannot be listed ({error.strerror})") from None
    for entry in entries:
        name = entry.name
        if _is_hidden(name):
            continue
        if entry.is_dir():
            yield from _walk(entry.path, f"{prefix}{name}/", (*above, here))
        else:
            yield prefix + name, entry
