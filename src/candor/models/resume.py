"""What a training knows after an epoch, kept aside so that a killed job can go on from there."""

from __future__ import annotations

import io
import logging
import pickle
import time
import zipfile
from pathlib import Path
from typing import Any

import torch

from candor.store.objects import digest
from candor.tables.base import atomic

logger = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds of work that may be lost; writing more often would cost more than it saves."""


class Resume:
    """The state of one training, in a file of its own.

    Parameters
    ----------
    path
        The file; None keeps nothing.
    of
        All that the training depends on. A state that was left by another training is not taken up.
    """

    def __init__(self, path: Path | None, of: str) -> None:
        self._path, self._mark = path, digest(of.encode())
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Return the state that a killed job has left, or None."""
        if self._path is None or not self._path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(self._path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile):
            logger.warning("%s is damaged; starting anew", self._path)
            return None
        return state if state.get("of") == self._mark else None

    @property
    def due(self) -> bool:
        """Return whether a state would be kept now: whether the last one is old enough."""
        return self._path is not None and time.monotonic() - self._saved > PATIENCE

    def save(self, state: dict[str, Any], *, now: bool = False) -> None:
        """Keep `state` if the last one is old enough, or at once."""
        if self._path is None or not (now or self.due):
            return
        buffer = io.BytesIO()
        torch.save({**state, "of": self._mark}, buffer)
        with atomic(self._path, "wb") as handle:
            handle.write(buffer.getbuffer())
        self._saved = time.monotonic()

    def remove(self) -> None:
        """Forget the state, when what it was for is written."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
