"""Recordings without labels: who speaks is told by folders, and nothing else is."""

import pytest

from candor.corpora.manifest import build
from candor.corpora.reader import CorpusError
from candor.corpora.readers import folder

OPTIONS = {"dataset": "libri"}


def test_every_recording_is_a_clip_of_the_speaker_whose_folder_it_lies_in(tone):
    for name in ("19/198/19-198-0001.flac", "19/198/19-198-0002.flac", "26/495/26-495-0001.flac"):
        path = tone(f"libri/{name}", pitch=100 + len(name) + int(name[:2]) + int(name[-6]))
    tone("libri/stray.wav", pitch=400)
    (path.parents[2] / "README.txt").write_text("not audio")
    clips = {clip.utterance: clip for clip in folder.read(path.parents[2], "default", None, OPTIONS).clips}
    assert {name: clip.speaker for name, clip in clips.items()} == {
        "19__198__19-198-0001": "libri_19",
        "19__198__19-198-0002": "libri_19",
        "26__495__26-495-0001": "libri_26",
        "stray": "",
    }
    assert {clip.label for clip in clips.values()} == {""}


def test_it_becomes_a_manifest_without_labels(tone, tmp_path):
    for number in range(4):
        tone(f"mine/speaker_{number % 2}/{number}.wav", pitch=150 + 20 * number)
    manifest = build(tmp_path / "mine", dataset="mine", corpus="folder", pred="nothing", classes="default")
    assert [row["speaker"] for row in manifest.utterances] == [f"mine_speaker_{n}" for n in (0, 0, 1, 1)]
    assert manifest.rejected == []


def test_a_folder_without_recordings_is_said(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(CorpusError, match="holds no recording"):
        folder.read(tmp_path, "default", None, OPTIONS)
