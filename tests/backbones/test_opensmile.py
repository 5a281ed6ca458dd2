"""openSMILE's features are its own, clip by clip, and mean what they say."""

import logging
import warnings
from pathlib import Path

import numpy as np
import opensmile
import pytest
import soundfile
import torch

from candor.backbones.families.opensmile import Smile, load
from candor.backbones.interface import BackboneError
from candor.config.backbones import OpenSmile

RATE = 16000


def voice(pitch: float = 220.0, seconds: float = 1.0, level: float = 0.1) -> torch.Tensor:
    """A tone with harmonics, in steps of 16 bits as audio has them."""
    axis = np.arange(round(RATE * seconds)) / RATE
    wave = sum(np.sin(2 * np.pi * pitch * harmonic * axis) / harmonic for harmonic in range(1, 15))
    noise = np.random.default_rng(0).standard_normal(axis.size)
    return torch.from_numpy(np.round(level * (wave + 0.001 * noise) * 32768) / 32768).to(torch.float32)


def run(backbone: Smile, *clips: torch.Tensor, padding: float = 0.0) -> list[torch.Tensor]:
    """Return the features [frames, dimensions] of clips that are run as one batch."""
    lengths = torch.tensor([len(clip) for clip in clips])
    batch = torch.full((len(clips), int(lengths.max()) + 100), padding)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip
    hidden = backbone(batch, lengths)
    return [hidden.states[0, number, :frames] for number, frames in enumerate(hidden.lengths.tolist())]


@pytest.fixture(scope="module")
def egemaps() -> Smile:
    return load(OpenSmile().options())


@pytest.mark.parametrize(
    ("feature_set", "level", "dimensions"),
    [("eGeMAPSv02", "functionals", 88), ("emobase", "functionals", 988), ("eGeMAPSv02", "lld", 25)],
)
def test_a_recording_has_the_features_that_opensmile_gives_it(
    tmp_path: Path, feature_set: str, level: str, dimensions: int
) -> None:
    soundfile.write(tmp_path / "a.wav", voice().numpy(), RATE, subtype="PCM_16")
    levels = {"functionals": "Functionals", "lld": "LowLevelDescriptors"}
    smile = opensmile.Smile(opensmile.FeatureSet[feature_set], opensmile.FeatureLevel[levels[level]])
    expected = smile.process_file(str(tmp_path / "a.wav"))
    backbone = load({"feature_set": feature_set, "level": level})
    (features,) = run(backbone, voice(), padding=0.7)
    assert backbone.dimensions == dimensions
    assert list(backbone.names) == list(expected.columns)
    np.testing.assert_array_equal(features.numpy(), expected.to_numpy(np.float32))


def test_functionals_are_one_frame_and_descriptors_one_per_10_ms(egemaps: Smile) -> None:
    clip = voice(seconds=2.0)
    assert len(run(egemaps, clip)[0]) == 1
    frames = len(run(load({"feature_set": "eGeMAPSv02", "level": "lld"}), clip)[0])
    assert 194 <= frames <= 200  # the last windows, of up to 60 ms, have to fit


def test_neighbours_and_padding_do_not_matter(egemaps: Smile) -> None:
    clips = [voice(), voice(150.0, 0.4), voice(300.0, 1.3)]
    together = run(egemaps, *clips, padding=0.3)
    for clip, features in zip(clips, together, strict=True):
        assert torch.equal(features, run(egemaps, clip)[0])


@pytest.mark.parametrize("pitch", [110.0, 220.0])
def test_pitch_is_that_of_the_tone(egemaps: Smile, pitch: float) -> None:
    semitones = 12 * np.log2(pitch / 27.5)  # eGeMAPS counts from A0
    place = egemaps.names.index("F0semitoneFrom27.5Hz_sma3nz_amean")
    assert run(egemaps, voice(pitch))[0][0, place].item() == pytest.approx(semitones, abs=0.1)


def test_a_clip_ten_times_as_loud_is_20_db_louder(egemaps: Smile) -> None:
    place = egemaps.names.index("equivalentSoundLevel_dBp")
    quiet, loud = (run(egemaps, voice(level=level))[0][0, place].item() for level in (0.02, 0.2))
    assert loud - quiet == pytest.approx(20.0, abs=0.1)


def test_the_highest_sample_does_not_turn_into_the_lowest(egemaps: Smile) -> None:
    clip = voice(level=0.4)
    clipped = clip.clone()
    clipped[clip > 0.5] = 1.0
    nearly = clipped.clamp(max=32767 / 32768)
    assert torch.equal(run(egemaps, clipped)[0], run(egemaps, nearly)[0])


@pytest.mark.parametrize("feature_set", ["eGeMAPSv02", "GeMAPSv01b", "emobase", "ComParE_2016"])
def test_every_value_is_finite_and_what_is_too_short_has_no_frames(feature_set: str) -> None:
    backbone = load({"feature_set": feature_set, "level": "functionals"})
    noise = torch.from_numpy(np.random.default_rng(0).uniform(-0.1, 0.1, 5000)).to(torch.float32)
    empty, shortest, short, silent, unvoiced = run(
        backbone, torch.zeros(0), noise[:100], noise[:960], torch.zeros(8000), noise
    )
    assert len(empty) == len(shortest) == 0
    for features in (short, silent, unvoiced):
        assert features.shape == (1, backbone.dimensions)
        assert torch.isfinite(features).all()


def test_what_a_clip_does_not_have_is_zero(egemaps: Smile) -> None:
    (silence,) = run(egemaps, torch.zeros(8000))
    assert silence[0, egemaps.names.index("F0semitoneFrom27.5Hz_sma3nz_amean")] == 0


def test_short_clips_do_not_flood_the_log(egemaps: Smile, caplog: pytest.LogCaptureFixture) -> None:
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
            warnings.simplefilter("always")
            run(egemaps, torch.zeros(10), torch.zeros(20))
            load({"feature_set": "eGeMAPSv01b", "level": "functionals"})
    finally:
        logging.captureWarnings(False)
    assert not caplog.records


def test_a_gradient_is_refused_in_words(egemaps: Smile) -> None:
    assert not egemaps.differentiable
    with pytest.raises(BackboneError, match="no gradient passes through openSMILE"):
        egemaps(voice()[None].requires_grad_(), torch.tensor([RATE]))


def test_golden_values(egemaps: Smile) -> None:
    """If this fails, features have changed: raise FEATURES_VERSION in the same commit."""
    names = ["F0semitoneFrom27.5Hz_sma3nz_amean", "loudness_sma3_amean", "HNRdBACF_sma3nz_amean", "mfcc1_sma3_amean"]
    features = run(egemaps, voice())[0][0]
    found = [features[egemaps.names.index(name)].item() for name in names]
    assert found == pytest.approx([36.020, 1.117, 13.971, 49.777], abs=2e-3)
