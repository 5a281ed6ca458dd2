import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

WriteWav = Callable[..., Path]


@pytest.fixture
def write_wav() -> WriteWav:
    """Write noise, another for every path, as a sound file."""

    def write(
        path: Path,
        seconds: float = 0.5,
        rate: int = 16000,
        channels: int = 1,
        subtype: str = "PCM_16",
        gain: float = 0.1,
        seed: int | None = None,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng(zlib.crc32(str(path).encode()) if seed is None else seed)
        samples = gain * generator.uniform(-1, 1, (int(seconds * rate), channels))
        soundfile.write(path, samples, rate, subtype=subtype)
        return path

    return write
