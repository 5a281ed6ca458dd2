"""What tests share: small recordings and the folder of real ones."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

# Tests run side by side, and what they compute is small: threads would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Tests compare with Flower, whose telemetry and whose Ray's would call home; both read this when they are imported.
os.environ["FLWR_TELEMETRY_ENABLED"] = os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import numpy as np
import pytest
import soundfile


@pytest.fixture(autouse=True)
def _no_log_goes_on() -> Iterator[None]:
    """Take away what a script under test logs to: the next test's log would go to a stream that is closed."""
    root = logging.getLogger()
    before = root.handlers[:]
    yield
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder with real recordings in their original layout; it is named by one variable."""
    folder = os.environ.get("CANDOR_TEST_CORPORA", "")
    if not folder:
        pytest.skip("CANDOR_TEST_CORPORA does not name a folder with real recordings")
    if not Path(folder).is_dir():
        pytest.fail(f"CANDOR_TEST_CORPORA is {folder!r}; there is no such folder")
    return Path(folder)


@pytest.fixture
def tone(tmp_path: Path) -> Callable[..., Path]:
    """Write a short recording: tone(name, rate, seconds, channels, pitch)."""

    def write(
        name: str = "tone.wav", rate: int = 48000, seconds: float = 0.5, channels: int = 1, pitch: float = 200.0
    ) -> Path:
        axis = np.arange(round(rate * seconds)) / rate
        noise = np.random.default_rng(0).standard_normal((axis.size, channels))
        samples = 0.3 * np.sin(2 * np.pi * pitch * axis)[:, None] + 0.01 * noise
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, rate, subtype="PCM_16")
        return path

    return write


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest start first, so that no worker is left with it alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("workflow") is None)
