"""Test speakers whom a backbone was pretrained on are found by name and, under other names, by their recordings."""

import pandas as pd
import pytest

from candor.performance.heard import speakers_heard
from candor.tables.audio import AudioIndex
from candor.tables.pretraining import PretrainingSpeakers


def audio(path, members: dict[str, str]) -> str:
    rows = [
        {"utterance": name, "file": f"{name}.wav", "member": member, "samples": 16000}
        for name, member in members.items()
    ]
    AudioIndex.write(rows, path)
    return str(path)


@pytest.fixture
def predictions() -> pd.DataFrame:
    """Two clips each of two speakers and of somebody who is not known, twice, as with two seeds."""
    rows = [
        {"utterance": f"{speaker or 'who'}{clip}", "speaker": speaker, "session": session}
        for speaker, session in (("anna", "one"), ("ben", "one"), ("", "two"))
        for clip in (1, 2)
    ]
    return pd.DataFrame(rows * 2)


@pytest.mark.parametrize(
    ("speakers", "heard", "count"),
    [
        (["carl"], ["z.wav"], 0),
        (["anna", "carl"], ["z.wav"], 1),
        (["carl"], ["b1.wav", "z.wav"], 1),
        (["anna"], ["a1.wav", "a2.wav"], 1),
        ([""], ["a1.wav", "b2.wav", "w1.wav"], 3),
    ],
)
def test_they_are_counted_once(predictions, tmp_path, speakers, heard, count):
    rows = [{"dataset": "d", "speaker": name, "utterances": 1, "part": "trained"} for name in speakers]
    PretrainingSpeakers.write(rows, tmp_path / "speakers.tsv")
    names = predictions["utterance"].drop_duplicates()
    tested = audio(tmp_path / "tested.tsv", {name: f"{name[0]}{name[-1]}.wav" for name in names})
    listened = [audio(tmp_path / f"{number}.tsv", {"x": member}) for number, member in enumerate(heard)]
    assert speakers_heard(predictions, str(tmp_path / "speakers.tsv"), tested, listened) == count
