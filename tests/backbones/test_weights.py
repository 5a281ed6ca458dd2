"""The files of a backbone stay what they were when they came."""

from pathlib import Path
from typing import Any

import pytest

from backbones.file_server import BODY, table
from candor.backbones.fetching import fetch_checkpoint
from candor.backbones.hub import Hub
from candor.backbones.weights import CHECKPOINT, WeightsError, verify


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: file.write_bytes(BODY[1:]), "has changed: .* bytes instead of"),
        (lambda file: file.write_bytes(BODY[::-1]), "has changed: its SHA-256"),
        (lambda file: file.unlink(), "is missing"),
        (lambda file: file.with_name("other.ckpt").write_bytes(BODY), "does not belong there"),
    ],
)
def test_a_change_is_noticed_and_says_what_to_do(
    folder: Path, tmp_path: Path, hub: Hub, change: Any, words: str
) -> None:
    own = tmp_path / "mine.pt"
    own.write_bytes(BODY)
    rows = table(fetch_checkpoint("apc", str(own), None, folder, None, hub), folder)
    own.unlink()
    verify(folder, rows)
    change(folder / CHECKPOINT)
    with pytest.raises(WeightsError, match=rf"{words}.*delete {folder.parent}"):
        verify(folder, rows)
