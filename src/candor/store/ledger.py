"""What was made of what: an append-only map from keys to values, shared without locks."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

FLUSH_ENTRIES = 1000
FLUSH_SECONDS = 20.0


class Ledger:
    """A map from keys to short values that survives a kill and needs no lock.

    New entries are gathered and written as one small file per batch, which then never changes; opening the
    ledger reads all batches. Two writers never touch the same file, and what both write is the same, because
    a key says everything that its value depends on.

    Parameters
    ----------
    folder
        Where the batches lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: dict[str, str] | None = None
        self._fresh: dict[str, str] = {}
        self._flushed = time.monotonic()

    def get(self, key: str) -> str | None:
        """Return the value of `key`, or None."""
        return self._all().get(key)

    def put(self, key: str, value: str) -> None:
        """Remember `value` for `key`; written out every now and then and by `flush`."""
        if self._all().get(key) == value:
            return
        self._all()[key] = value
        self._fresh[key] = value
        if len(self._fresh) >= FLUSH_ENTRIES or time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write out what is not yet written."""
        self._flushed = time.monotonic()
        if self._fresh:
            self._write(self._fresh)
            self._fresh = {}

    def items(self) -> dict[str, str]:
        """Return all entries."""
        return dict(self._all())

    def compact(self, keep: Callable[[str, str], bool]) -> int:
        """Rewrite the ledger as one batch of the entries that `keep` accepts; return how many were dropped.

        Batches that others add meanwhile are left alone.
        """
        batches = self._batches()
        entries = _read(batches)
        kept = {key: value for key, value in entries.items() if keep(key, value)}
        written = self._write(kept) if kept else None
        for batch in batches:
            if batch != written:
                batch.unlink(missing_ok=True)
        self._entries = None
        return len(entries) - len(kept)

    def _all(self) -> dict[str, str]:
        if self._entries is None:
            self._entries = _read(self._batches())
        return self._entries

    def _batches(self) -> list[Path]:
        """Return the batches by age, so that a value put again after a repair wins over the older one."""
        return sorted(self.folder.glob("*.tsv"), key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _write(self, entries: dict[str, str]) -> Path:
        text = "".join(f"{key}\t{value}\n" for key, value in entries.items())
        path = self.folder / f"{blake2b(text.encode(), digest_size=16).hexdigest()}.tsv"
        write_whole(path, text)
        return path

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()


def write_whole(path: Path, text: str) -> None:
    """Write a small file of the store in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _read(batches: list[Path]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for batch in batches:
        for line in batch.read_text(encoding="utf-8").splitlines():
            key, tab, value = line.partition("\t")
            if tab:
                entries[key] = value
    return entries
