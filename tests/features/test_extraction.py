import numpy as np
import pytest
import torch

from candor.audio.conversion import encode
from candor.backbones.families import fbank
from candor.features import extraction
from candor.features.extraction import FeatureError, extract, identity
from candor.features.reading import read_pooled
from candor.store.objects import Store, StoreError
from candor.tables.features import FeatureIndex

OPTIONS = {"mel_bins": 24}
NAMES = [f"clip{number:02}" for number in range(20)]
IDENTITY = identity("fbank", fbank, OPTIONS)


class Counting:
    """A backbone that notes how often it is run."""

    layers, dimensions = 1, 24

    def __init__(self, stop_after: int | None = None) -> None:
        self.inner, self.runs, self.stop_after = fbank.load(OPTIONS), 0, stop_after

    def __call__(self, waveforms, lengths):
        if self.runs == self.stop_after:
            raise KeyboardInterrupt
        self.runs += 1
        return self.inner(waveforms, lengths)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def audio(store):
    generator = np.random.default_rng(0)
    clips = [generator.standard_normal(3000 + 100 * number).astype(np.float32) * 0.1 for number in range(20)]
    return [(f"clip{number:02}", store.put(encode(clip), ".wav")) for number, clip in enumerate(clips)]


def table(rows, tmp_path):
    FeatureIndex.write(rows, tmp_path / "index.tsv")
    return FeatureIndex.read(tmp_path / "index.tsv")


def test_pooled_features_are_mean_and_deviation_over_time(store, audio, tmp_path):
    rows = extract(audio, Counting(), IDENTITY, store)
    pooled = read_pooled(table(rows, tmp_path), NAMES, store)
    assert pooled.shape == (20, 1, 2, 24)
    from candor.audio.conversion import decode

    clip = torch.from_numpy(decode(store.read(audio[7][1])))[None]
    frames = fbank.load(OPTIONS)(clip, torch.tensor([clip.shape[1]])).states[0, 0].numpy().astype(np.float64)
    assert rows[7]["frames"] == len(frames)
    assert np.allclose(pooled[7, 0, 0], frames.mean(axis=0), atol=1e-5)
    assert np.allclose(pooled[7, 0, 1], frames.std(axis=0), atol=1e-5)


def test_rows_follow_the_index_whatever_its_order(store, audio, tmp_path):
    rows = extract(audio, Counting(), IDENTITY, store)
    index = table(rows, tmp_path)
    straight = read_pooled(index, NAMES, store)
    assert np.array_equal(read_pooled(index.sample(frac=1, random_state=0), NAMES, store), straight)
    assert np.array_equal(read_pooled(index, NAMES[::-1], store), straight[::-1])
    with pytest.raises(FeatureError, match="no features of clip99"):
        read_pooled(index, ["clip01", "clip99"], store)


def test_nothing_is_extracted_twice(store, audio, monkeypatch):
    monkeypatch.setattr(extraction, "PACK", 8)
    first = Counting()
    rows = extract(audio[:15], first, IDENTITY, store)
    assert first.runs == 15
    more = Counting()
    assert extract(audio, more, IDENTITY, store)[:15] == rows
    assert more.runs == 5
    other = Counting()
    extract(audio, other, identity("fbank", fbank, {"mel_bins": 23}), store)
    assert other.runs == 20


def test_a_damaged_pack_is_found_and_made_anew(store, audio, monkeypatch, tmp_path):
    monkeypatch.setattr(extraction, "PACK", 8)
    rows = extract(audio, Counting(), IDENTITY, store)
    damaged = store.path(rows[0]["member"])
    damaged.chmod(0o644)
    damaged.write_bytes(b"x")
    with pytest.raises(StoreError, match="damaged"):
        read_pooled(table(rows, tmp_path), NAMES, store)
    again = Counting()
    assert extract(audio, again, IDENTITY, store) == rows
    assert again.runs == 8


def test_a_killed_extraction_resumes_and_ends_with_the_same_rows(store, audio, monkeypatch, tmp_path):
    monkeypatch.setattr(extraction, "PACK", 6)
    with pytest.raises(KeyboardInterrupt):
        extract(audio, Counting(stop_after=14), IDENTITY, store)
    resumed = Counting()
    rows = extract(audio, resumed, IDENTITY, store)
    assert resumed.runs == 8
    undisturbed = Store(tmp_path / "other")
    copies = [(name, undisturbed.put(store.read(member), ".wav")) for name, member in audio]
    assert extract(copies, Counting(), IDENTITY, undisturbed) == rows


def test_a_clip_too_short_for_a_frame_is_named(store):
    short = [("blip", store.put(encode(np.zeros(100, dtype=np.float32)), ".wav"))]
    with pytest.raises(FeatureError, match="blip: too short"):
        extract(short, Counting(), IDENTITY, store)
