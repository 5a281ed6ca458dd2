import numpy as np
import pandas as pd
import pytest
import torch

from candor.audio.conversion import decode, encode
from candor.backbones.families import fbank
from candor.backbones.interface import Backbone
from candor.features import packs
from candor.features.clips import Clip, FeatureError, clips_of, cut_clips, in_batches
from candor.features.extraction import Extraction, Way, as_kept, identity, statistics, worthwhile_seconds
from candor.features.reading import Frames, read_pooled
from candor.store.objects import Store, StoreError
from candor.tables.features import FeatureIndex, FrameIndex

OPTIONS = {"mel_bins": 24}
NAMES = [f"clip{number:02}" for number in range(20)]
IDENTITY = identity("fbank", fbank.FEATURES_VERSION, OPTIONS, None, "float32")
WAY = Way(batch_seconds=1.0)


class Counting(Backbone):
    """A backbone that notes which clips it is run on, by their length."""

    layers, dimensions = 1, 24

    def __init__(self, stop_after: int | None = None, holds: float = 1e9) -> None:
        super().__init__()
        self.inner, self.heard, self.batches, self.stop_after, self.holds = (
            fbank.load(OPTIONS),
            [],
            0,
            stop_after,
            holds,
        )

    def exhaust(self):
        raise torch.OutOfMemoryError("too much, as a GPU says")

    def forward(self, waveforms, lengths):
        if self.stop_after is not None and len(self.heard) >= self.stop_after:
            raise KeyboardInterrupt
        if waveforms.numel() > self.holds:
            self.exhaust()
        self.batches += 1
        self.heard += lengths.tolist()
        return self.inner(waveforms, lengths)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def clips(store):
    generator = np.random.default_rng(0)
    samples = [generator.standard_normal(3000 + 100 * number).astype(np.float32) * 0.1 for number in range(20)]
    return [Clip(f"clip{number:02}", store.put(encode(clip), ".wav"), len(clip)) for number, clip in enumerate(samples)]


def extracted(clips, backbone, store, *, frames=False, identified=IDENTITY, way=WAY):
    extraction = Extraction(clips, identified, store, frames=frames)
    extraction.run(backbone, way, "test")
    return extraction


def pooled_table(extraction, tmp_path):
    FeatureIndex.write(extraction.pooled_rows(), tmp_path / "index.tsv")
    return FeatureIndex.read(tmp_path / "index.tsv")


def frame_table(extraction, tmp_path):
    FrameIndex.write(extraction.frame_rows(), tmp_path / "frames.tsv")
    return FrameIndex.read(tmp_path / "frames.tsv")


def directly(clip, store, samples=None):
    waveform = torch.from_numpy(decode(store.read(clip.member)))[None, :samples]
    return fbank.load(OPTIONS)(waveform, torch.tensor([waveform.shape[1]])).states[:, 0].numpy().astype(np.float64)


def test_pooled_features_are_mean_and_deviation_over_time(store, clips, tmp_path):
    index = pooled_table(extracted(clips, Counting(), store), tmp_path)
    pooled = read_pooled(index, NAMES, store)
    assert pooled.shape == (20, 1, 2, 24)
    states = directly(clips[7], store)
    assert index.set_index("utterance").loc["clip07", "frames"] == states.shape[1]
    assert np.allclose(pooled[7, :, 0], states.mean(axis=1), atol=1e-5)
    assert np.allclose(pooled[7, :, 1], states.std(axis=1), atol=1e-5)


def test_frames_are_read_back_in_half_precision(store, clips, tmp_path):
    frames = Frames(frame_table(extracted(clips, Counting(), store, frames=True), tmp_path), NAMES[::-1], store)
    for number, clip in enumerate(reversed(clips)):
        expected = directly(clip, store)
        assert frames[number].dtype == np.float16
        assert frames.lengths[number] == expected.shape[1]
        assert np.allclose(frames[number], expected, rtol=1e-3)
    frames.release()
    assert np.allclose(frames[0], directly(clips[-1], store), rtol=1e-3)


def test_rows_follow_the_index_whatever_its_order(store, clips, tmp_path):
    index = pooled_table(extracted(clips, Counting(), store), tmp_path)
    straight = read_pooled(index, NAMES, store)
    assert np.array_equal(read_pooled(index.sample(frac=1, random_state=0), NAMES, store), straight)
    assert np.array_equal(read_pooled(index, NAMES[::-1], store), straight[::-1])
    with pytest.raises(FeatureError, match="no features of clip99"):
        read_pooled(index, ["clip01", "clip99"], store)


def test_nothing_is_extracted_twice(store, clips):
    first = Counting()
    rows = extracted(clips[:10], first, store).pooled_rows()
    assert sorted(first.heard) == [clip.samples for clip in clips[:10]]
    more = Counting()
    assert extracted(clips, more, store).pooled_rows()[:10] == rows
    assert sorted(more.heard) == [clip.samples for clip in clips[10:]], "ten new clips are ten forward passes"
    again = Counting()
    extracted(clips[::-1], again, store)
    assert again.heard == []


@pytest.mark.parametrize(
    "other",
    [
        identity("fbank", fbank.FEATURES_VERSION, {"mel_bins": 23}, None, "float32"),
        identity("fbank", fbank.FEATURES_VERSION + 1, OPTIONS, None, "float32"),
        identity("fbank", fbank.FEATURES_VERSION, OPTIONS, {"apc.ckpt": "other"}, "float32"),
        identity("fbank", fbank.FEATURES_VERSION, OPTIONS, None, "bfloat16"),
    ],
    ids=["options", "version", "weights", "precision"],
)
def test_another_backbone_has_features_of_its_own(store, clips, other):
    extracted(clips, Counting(), store)
    again = Counting()
    extracted(clips, again, store, identified=other)
    assert len(again.heard) == 20


def test_frames_are_added_without_touching_what_is_pooled(store, clips):
    rows = extracted(clips, Counting(), store).pooled_rows()
    again = Counting()
    later = extracted(clips, again, store, frames=True)
    assert len(again.heard) == 20
    assert later.pooled_rows() == rows
    assert extracted(clips, Counting(stop_after=0), store, frames=True).frame_rows() == later.frame_rows()


def test_clips_come_in_the_order_of_a_table_and_are_cut():
    audio = pd.DataFrame({"utterance": ["a", "b", "c"], "member": ["x", "y", "z"], "samples": [16000, 8000, 4000]})
    table = pd.DataFrame({"utterance": ["c", "a"]})
    assert clips_of(table, audio, 0.5) == [Clip("c", "z", 4000), Clip("a", "x", 8000, cut=True)]
    assert clips_of(table, audio, None) == [Clip("c", "z", 4000), Clip("a", "x", 16000)]


def test_only_clips_longer_than_the_cut_are_run_again(store, clips, tmp_path):
    extracted(clips, Counting(), store)
    audio = [(clip.utterance, clip.member, clip.samples) for clip in clips]
    cut = cut_clips(audio, 4000 / 16000)
    again = Counting()
    index = pooled_table(extracted(cut, again, store), tmp_path)
    assert again.heard == [4000] * 9, "eleven clips are no longer than that"
    pooled = read_pooled(index, NAMES, store)
    assert np.allclose(pooled[19, :, 0], directly(clips[19], store, 4000).mean(axis=1), atol=1e-5)


def test_a_damaged_pack_is_found_and_made_anew(store, clips, monkeypatch, tmp_path):
    monkeypatch.setattr(packs, "POOLED_PACK", 8)
    extraction = extracted(clips, Counting(), store, frames=True)
    rows, frames = extraction.pooled_rows(), extraction.frame_rows()
    for member in (rows[0]["member"], frames[0]["member"]):
        damaged = store.path(member)
        damaged.chmod(0o644)
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreError, match="damaged"):
        read_pooled(pooled_table(extraction, tmp_path), NAMES, store)
    with pytest.raises(StoreError, match="damaged"):
        Frames(frame_table(extraction, tmp_path), NAMES, store)[0]
    again = Counting()
    mended = extracted(clips, again, store, frames=True)
    assert (mended.pooled_rows(), mended.frame_rows()) == (rows, frames)
    assert 0 < len(again.heard) < 20


@pytest.mark.parametrize("stop_after", [1, 9, 14, 17])
def test_a_killed_extraction_resumes_and_ends_with_the_same_rows(store, clips, monkeypatch, tmp_path, stop_after):
    monkeypatch.setattr(packs, "POOLED_PACK", 4)
    with pytest.raises(KeyboardInterrupt):
        extracted(clips, Counting(stop_after=stop_after), store, frames=True)
    resumed = Counting()
    extraction = extracted(clips, resumed, store, frames=True)
    assert len(resumed.heard) <= 20 - stop_after + 8
    other = Store(tmp_path / "other")
    copies = [Clip(clip.utterance, other.put(store.read(clip.member), ".wav"), clip.samples) for clip in clips]
    undisturbed = extracted(copies, Counting(), other, frames=True)
    assert extraction.pooled_rows() == undisturbed.pooled_rows()
    assert extraction.frame_rows() == undisturbed.frame_rows()


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_a_batch_that_does_not_fit_is_halved(store, clips, caplog, device):
    tight = Counting(holds=12_000)
    if device == "cpu":
        tight.exhaust = lambda: torch.empty(10**15)
    extraction = extracted(clips, tight, store, way=Way(batch_seconds=10.0))
    assert sorted(tight.heard) == [clip.samples for clip in clips]
    assert tight.batches > 5
    assert "does not fit into memory" in caplog.text
    assert len(extraction.pooled_rows()) == 20
    with pytest.raises(FeatureError, match="audio_duration"):
        extracted(clips, Counting(holds=100), Store(store.root), identified={"other": 1})


def test_batches_hold_no_more_than_they_may(clips):
    batches = list(in_batches(clips, 1.0))
    assert sorted(clip.utterance for batch in batches for clip in batch) == NAMES
    assert all(len(batch) * max(clip.seconds for clip in batch) <= 1.0 for batch in batches)
    assert len(next(in_batches(clips, 0.001))) == 1


def test_a_clip_too_short_for_a_frame_is_named(store):
    short = [Clip("blip", store.put(encode(np.zeros(100, dtype=np.float32)), ".wav"), 100)]
    with pytest.raises(FeatureError, match="blip: too short"):
        extracted(short, Counting(), store)


def test_what_half_precision_cannot_hold_is_said(store, clips):
    class Loud(Counting):
        def forward(self, waveforms, lengths):
            hidden = super().forward(waveforms, lengths)
            return type(hidden)(hidden.states * 1e5, hidden.lengths)

    with pytest.raises(FeatureError, match="range of half precision"):
        extracted(clips, Loud(), store, frames=True)


def test_what_never_changes_deviates_by_nothing():
    """An error of rounding, standardised, would look like evidence."""
    states = torch.full((2, 333, 5), -15.942385)
    states[0, 40:, 1] += 1e-3
    pooled = statistics(states, "clip")
    exact = states.double().numpy()
    assert np.allclose(pooled[:, 0], exact.mean(axis=1), rtol=1e-6)
    assert np.allclose(pooled[0, 1, 1], exact[0, :, 1].std(), rtol=1e-3)
    pooled[0, 1, 1] = 0.0
    assert not pooled[:, 1].any()


def test_frames_beyond_half_precision_are_refused():
    states = torch.ones(1, 3, 2)
    states[0, 1, 1] = 65519.0  # the highest that is not rounded to infinity
    assert as_kept(states, np.dtype("float16"), "clip")[0, 1, 1] == 65504.0
    states[0, 1, 1] = -65520.0
    with pytest.raises(FeatureError, match="clip: hidden states exceed the range of half precision"):
        as_kept(states, np.dtype("float16"), "clip")
    assert as_kept(states, np.dtype("float32"), "clip")[0, 1, 1] == -65520.0


def test_on_a_cpu_only_recurrent_networks_are_run_in_batches():
    recurrent = Counting()
    recurrent.memory = torch.nn.GRU(2, 2)
    assert worthwhile_seconds(recurrent, "cpu", 60.0) == 60.0
    assert worthwhile_seconds(Counting(), "cpu", 60.0) == 0.0
    assert worthwhile_seconds(Counting(), "cuda:0", 60.0) == 60.0
    clips = [Clip(name, name, 1600) for name in "abc"]
    assert [len(batch) for batch in in_batches(clips, 0.0)] == [1, 1, 1]
