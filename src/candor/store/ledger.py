"""What was made of what: an append-only map from keys to values, shared without locks."""

from __future__ import annotations

import os
import tempfile
import time
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

    def compact(self, keep: set[str]) -> int:
        """Rewrite the ledger as one batch that holds only the keys in `keep`; return how many were dropped."""
        batches = self._batches()
        entries = self._all()
        kept = {key: value for key, value in entries.items() if key in keep}
        written = self._write(kept) if kept else None
        for batch in batches:
            if batch != written:
                batch.unlink(missing_ok=True)
        self._entries = kept
        return len(entries) - len(kept)

    def _all(self) -> dict[str, str]:
        if self._entries is None:
            self._entries = {}
            # In order of age, so that a value put again after a repair wins over the older one.
            for batch in sorted(self._batches(), key=lambda path: (path.stat().st_mtime_ns, path.name)):
                for line in batch.read_text(encoding="utf-8").splitlines():
                    key, tab, value = line.partition("\t")
                    if tab:
                        self._entries[key] = value
        return self._entries

    def _batches(self) -> list[Path]:
        return sorted(self.folder.glob("*.tsv"))

    def _write(self, entries: dict[str, str]) -> Path:
        text = "".join(f"{key}\t{value}\n" for key, value in entries.items()).encode()
        path = self.folder / f"{blake2b(text, digest_size=16).hexdigest()}.tsv"
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
        try:
            with open(descriptor, "wb") as handle:
                handle.write(text)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return path

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
