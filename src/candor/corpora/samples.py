"""The hash that tells whether two recordings hold the same sound."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class SampleHash:
    """BLAKE2b over rate, channels and samples, whatever the file around them looks like.

    Parameters
    ----------
    rate, channels
        Of the recording.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._state = blake2b(f"{rate} {channels} ".encode(), digest_size=32)

    def update(self, block: np.ndarray) -> None:
        """Add samples [time, channels]: int16 from 16-bit files, float32 from all others."""
        self._state.update(block.astype("<i2" if block.dtype.kind == "i" else "<f4", copy=False).tobytes())

    def hexdigest(self) -> str:
        """Return the hash of what was added so far."""
        return self._state.hexdigest()
