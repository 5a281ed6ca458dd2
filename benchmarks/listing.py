"""How long the digest of a corpus folder takes: python benchmarks/listing.py [FILES] [FOLDER].

Makes FILES empty files (150,000 by default) in a temporary folder below FOLDER and prints a table: files, best of
three seconds of `listing_digest`, seconds of the same with pathlib, and how many times faster the former is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from candor.corpora.listing import listing_digest
from table import emit

PER_FOLDER = 1000


def make(root: Path, files: int) -> None:
    for number in range(files):
        folder = root / f"speaker{number // PER_FOLDER:04d}"
        if number % PER_FOLDER == 0:
            folder.mkdir()
        (folder / f"utterance{number:06d}.wav").touch()


def with_pathlib(root: Path) -> str:
    lines = []
    for path in sorted(root.rglob("*")):
        if path.is_file():
            status = path.stat()
            lines.append(f"{path.relative_to(root)}\t{status.st_size}\t{status.st_mtime_ns}\n")
    return blake2b("".join(lines).encode()).hexdigest()


def seconds(function: Callable[[Path], str], root: Path, times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        function(root)
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=150_000)
    parser.add_argument("--folder", help="where to make them, to measure another file system")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        root = Path(folder)
        make(root, options.files)
        ours, baseline = seconds(listing_digest, root, 3), seconds(with_pathlib, root, 1)
    row = {
        "files": options.files,
        "seconds": f"{ours:.3f}",
        "pathlib_seconds": f"{baseline:.3f}",
        "ratio": f"{baseline / ours:.1f}",
    }
    emit([row], options.out)


if __name__ == "__main__":
    main()
