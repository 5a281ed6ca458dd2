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
        if name[0] == "." and not name.startswith("._"):
            continue
        if entry.is_dir():
            yield from _walk(entry.path, f"{prefix}{name}/", (*above, here))
        else:
            yield prefix + name, entry
