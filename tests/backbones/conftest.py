"""What tests of the origin of weights share."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from backbones.file_server import Server
from candor.backbones.download import Patience
from candor.backbones.hub import Hub
from candor.tables.backbones import Weights


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    return Patience(waits=(1.0, 2.0, 4.0), timeout=5.0, sleep=waits.append)


@pytest.fixture
def hub(server: Server, tmp_path: Path) -> Hub:
    return Hub(server.address, tmp_path / "cache", token=None, closed="")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backbones" / "apc" / Weights.FOLDER
