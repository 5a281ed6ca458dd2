import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from candor.audio import collection
from candor.audio.collection import Source, collect, file_stem
from candor.audio.conversion import AudioError
from candor.corpora.inspection import measure
from candor.store.objects import Store


@pytest.fixture
def raw(tone) -> Path:
    for number in range(40):
        tone(f"raw/clip{number:02}.wav", rate=[48000, 44100, 16000][number % 3], seconds=0.2, pitch=100 + number)
    return tone("raw/clip00.wav", rate=48000, seconds=0.2, pitch=100).parent


def sources(raw: Path, count: int = 40) -> list[Source]:
    """The clips as the inspection of the stage before describes them."""
    paths = [raw / f"clip{number:02}.wav" for number in range(count)]
    return [Source(path.stem, path.name, measure(str(path)).audio) for path in paths]


def shown(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.wav"))}


def test_any_number_of_workers_gives_the_same_bytes(raw, tmp_path):
    one = collect(sources(raw), raw, tmp_path / "one", Store(tmp_path / "store1"), workers=1)
    two = collect(sources(raw), raw, tmp_path / "two", Store(tmp_path / "store2"), workers=3)
    assert one == two
    assert shown(tmp_path / "one") == shown(tmp_path / "two")
    assert len(one) == 40
    assert soundfile.info(tmp_path / "one" / "clip07.wav").samplerate == 16000
    assert one[7]["samples"] == soundfile.info(tmp_path / "one" / "clip07.wav").frames


def test_only_new_and_damaged_clips_are_converted(raw, tmp_path, monkeypatch):
    converted = []
    original = collection.convert
    monkeypatch.setattr(
        collection, "convert", lambda path, audio: converted.append(Path(path).name) or original(path, audio)
    )
    store = Store(tmp_path / "store")
    first = collect(sources(raw, 30), raw, tmp_path / "audio", store, workers=1)
    assert len(converted) == 30
    converted.clear()
    collect(sources(raw, 33), raw, tmp_path / "audio", store, workers=1)
    assert converted == ["clip30.wav", "clip31.wav", "clip32.wav"]
    converted.clear()
    damaged = store.path(first[5]["member"])
    os.chmod(damaged, 0o644)
    damaged.write_bytes(b"x")
    store.path(first[6]["member"]).unlink()
    again = collect(sources(raw, 30), raw, tmp_path / "audio", store, workers=1)
    assert converted == ["clip05.wav", "clip06.wav"]
    assert again == first
    assert len(shown(tmp_path / "audio")) == 30  # clips that have left the manifest are no longer shown
    assert shown(tmp_path / "audio")["clip05.wav"] == store.read(first[5]["member"])


def test_a_killed_conversion_resumes_where_it_stopped(raw, tmp_path, monkeypatch):
    """An interrupt after some clips; what was noted by then is not converted again."""
    store = Store(tmp_path / "store")
    original = collection.convert
    done = []

    def convert_some(path, audio):
        if len(done) == 12:
            raise KeyboardInterrupt
        done.append(path)
        return original(path, audio)

    monkeypatch.setattr(collection, "convert", convert_some)
    with pytest.raises(KeyboardInterrupt):
        collect(sources(raw), raw, tmp_path / "audio", store, workers=1)
    resumed = []
    monkeypatch.setattr(collection, "convert", lambda path, audio: resumed.append(path) or original(path, audio))
    rows = collect(sources(raw), raw, tmp_path / "audio", store, workers=1)
    assert len(resumed) == 28
    undisturbed = collect(sources(raw), raw, tmp_path / "other", Store(tmp_path / "store2"), workers=1)
    assert rows == undisturbed


def test_names_become_file_names():
    assert file_stem("03-01-05-02-01-01-07") == "03-01-05-02-01-01-07"
    assert "/" not in file_stem("fold/clip 1")
    assert file_stem("a/b") != file_stem("a_b") != file_stem("a b")
    assert not file_stem("..").startswith(".")
    assert len(file_stem("x" * 500)) < 220


def test_a_file_that_changed_after_its_inspection_never_enters_the_store(raw, tmp_path):
    """Else the store would hold another sound under the hash of the first, for everyone, for ever."""
    listed = sources(raw, 3)
    kept = (raw / "clip01.wav").read_bytes()
    (raw / "clip01.wav").write_bytes((raw / "clip02.wav").read_bytes())
    store = Store(tmp_path / "store")
    with pytest.raises(AudioError, match=r"clip01\.wav: holds other samples than when it was inspected"):
        collect(listed, raw, tmp_path / "audio", store, workers=1)
    (raw / "clip01.wav").write_bytes(kept)
    rows = collect(listed, raw, tmp_path / "audio", store, workers=1)
    assert len({row["member"] for row in rows}) == 3


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("channels", [1, 2])
def test_conversion_and_inspection_take_the_same_hash(tmp_path, subtype, channels):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (70000, channels))
    soundfile.write(tmp_path / "clip.wav", samples, 44100, subtype=subtype)
    found = measure(str(tmp_path / "clip.wav"))
    assert collection.convert(tmp_path / "clip.wav", found.audio)
