"""Speech over the noise of microphones: as noisy as asked for, and features of just that."""

import numpy as np
import pandas as pd
import pytest
import torch

from candor.audio.conversion import RATE, encode
from candor.backbones.families import fbank
from candor.features.clips import cut_clips
from candor.features.extraction import Extraction
from candor.features.job import Job
from candor.features.reading import read_pooled
from candor.federated import microphones
from candor.federated.microphones import noised_features, over_noise
from candor.store.objects import Store
from candor.tables.features import FeatureIndex

OPTIONS = {"mel_bins": 24}


def speech(seed, seconds):
    random = np.random.default_rng(seed)
    axis = np.arange(round(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * (120 + 30 * seed) * axis) * (1 + np.sin(2 * np.pi * 3 * axis))
    return (0.1 * tone + 0.002 * random.standard_normal(len(axis))).astype(np.float32)


def decibels(clean, noisy):
    clean, noisy = clean.astype(np.float64), noisy.astype(np.float64)
    return 10 * np.log10(np.sum(clean**2) / np.sum((noisy - clean) ** 2))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


CLIPS = {f"u{number}": np.round(speech(number, 0.3 + 0.1 * number) * 32768) / 32768 for number in range(6)}
LEVELS = {"u4": 10.0, "u0": 40.0, "u1": 20.0, "u5": 10.0}


def audio_of(store):
    rows = [
        {"utterance": name, "file": f"{name}.wav", "member": store.put(encode(own), ".wav"), "samples": len(own)}
        for name, own in CLIPS.items()
    ]
    return pd.DataFrame(rows)


def job_of(store, seconds=None, batch_seconds=60.0):
    return Job("fbank", "fbank", OPTIONS, None, seconds, "float32", batch_seconds, "cpu", store)


def directly(name, level, seconds=None):
    """Mean and deviation of what the backbone makes of a single noisy clip."""
    noisy = over_noise(name, CLIPS[name].astype(np.float32), level)
    noisy = noisy if seconds is None else noisy[: round(seconds * RATE)]
    states = fbank.load(OPTIONS)(torch.from_numpy(noisy)[None], torch.tensor([len(noisy)])).states[:, 0].double()
    return np.stack([states.mean(dim=1), states.std(dim=1, correction=0)], axis=1)


@pytest.mark.parametrize("level", [40, 20, 10, 0])
def test_noise_is_as_far_below_speech_as_asked_for(level):
    for name, own in CLIPS.items():
        assert decibels(own, over_noise(name, own.astype(np.float32), level)) == pytest.approx(level, abs=0.1)


def test_noise_is_white_and_the_utterances_own():
    own = CLIPS["u5"].astype(np.float32)
    noise = over_noise("u5", own, 10) - own
    power = np.abs(np.fft.rfft(noise)) ** 2
    quarters = [part.mean() for part in np.array_split(power, 4)]
    assert max(quarters) < 1.2 * min(quarters)
    other = over_noise("u4", own, 10) - own
    assert abs(np.corrcoef(noise, other)[0, 1]) < 0.05
    louder = over_noise("u5", own, 0) - own
    assert np.corrcoef(noise, louder)[0, 1] > 0.999


def test_silence_stays_silent():
    assert not over_noise("u0", np.zeros(1000, dtype=np.float32), 10).any()


@pytest.mark.parametrize("seconds", [None, 0.5])
def test_features_are_those_of_the_noisy_clip(store, tmp_path, seconds):
    index = noised_features(job_of(store, seconds), audio_of(store), LEVELS)
    assert index["utterance"].tolist() == list(LEVELS)
    FeatureIndex.write(index, tmp_path / "index.tsv")
    pooled = read_pooled(FeatureIndex.read(tmp_path / "index.tsv"), list(LEVELS), store)
    for made, (name, level) in zip(pooled, LEVELS.items(), strict=True):
        assert np.allclose(made, directly(name, level, seconds), atol=1e-4)


def test_what_else_is_run_changes_nothing(store, tmp_path):
    together = read_pooled(noised_features(job_of(store), audio_of(store), LEVELS), list(LEVELS), store)
    for number, (name, level) in enumerate(LEVELS.items()):
        own = Store(tmp_path / name)
        alone = noised_features(job_of(own, batch_seconds=0), audio_of(own), {name: level})
        assert np.allclose(read_pooled(alone, [name], own)[0], together[number], atol=1e-5)


def test_noisy_features_are_never_taken_for_clean_ones(store):
    audio = audio_of(store)
    job = job_of(store)
    clips = cut_clips([(row.utterance, row.member, row.samples) for row in audio.itertuples()], None)
    clean = Extraction(clips, job.identified(), store, frames=False)
    noised_features(job, audio, dict.fromkeys(CLIPS, 10.0))
    assert len(clean.missing()) == len(clips)
    at_20 = noised_features(job, audio, {"u0": 20.0})
    at_10 = noised_features(job, audio, {"u0": 10.0})
    assert not np.allclose(read_pooled(at_20, ["u0"], store), read_pooled(at_10, ["u0"], store), atol=1e-2)


def test_what_is_in_the_store_is_not_made_again(store, monkeypatch):
    audio = audio_of(store)
    first = noised_features(job_of(store), audio, LEVELS)

    def refuse(job):
        raise AssertionError("the backbone was loaded")

    monkeypatch.setattr(microphones, "load_backbone", refuse)
    assert noised_features(job_of(store), audio, LEVELS).equals(first)
    with pytest.raises(AssertionError, match="loaded"):
        noised_features(job_of(store), audio, {**LEVELS, "u2": 10.0})
