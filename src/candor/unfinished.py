"""What of a long audit is done, kept aside so that a killed job goes on from there."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

from candor.store.objects import digest
from candor.tables.base import atomic

logger = logging.getLogger(__name__)

Row = dict[str, Any]


class Unfinished:
    """The finished parts of a job, each in a file of its own.

    Parameters
    ----------
    folder
        Where they are; None keeps nothing.
    of
        All that the job depends on. A part that another job has left is not taken up.
    """

    def __init__(self, folder: Path | None, of: str) -> None:
        self._folder, self._of = folder, of

    def load(self, part: str) -> list[Row] | None:
        """Return the rows of a part, or None unless it is done."""
        if self._folder is None or not (file := self._file(part)).exists():
            return None
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            rows: list[Row] = kept["rows"]
            mark = kept["of"]
        except (OSError, ValueError, KeyError, TypeError):
            logger.warning("%s is damaged; that part is done anew", file)
            return None
        return rows if mark == self._mark(part) else None

    def save(self, part: str, rows: list[Row]) -> None:
        """Keep the rows of a part."""
        if self._folder is not None:
            with atomic(self._file(part)) as handle:
                json.dump({"of": self._mark(part), "rows": rows}, handle)

    def remove(self) -> None:
        """Forget all parts, when what they were for is written."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _file(self, part: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{part}.json"

    def _mark(self, part: str) -> str:
        return digest(f"{self._of}\n{part}".encode())
