"""What is done to recordings, against closed forms, scipy and torchaudio."""

import numpy as np
import pytest
import torch
from scipy import signal
from torchaudio.functional import mu_law_decoding, mu_law_encoding

from candor.audio.conversion import RATE, decode, encode
from candor.config.robustness import DEFAULT_STRENGTHS
from candor.config.robustness import TESTS as NAMES
from candor.robustness.battery import TESTS, with_headline
from candor.robustness.transforms import ADDED, TRANSFORMS, Recording, as_recorded, pink, realised_snr

NOISE = (0.05 * np.random.default_rng(0).standard_normal(4 * RATE)).astype(np.float32)
OTHERS = [(0.02 * np.random.default_rng(seed).standard_normal(RATE)).astype(np.float32) for seed in (1, 2, 3)]


def disturbed(test: str, *strengths: float, samples=NOISE, name="one"):
    return list(TRANSFORMS[test](Recording(name, samples, lambda _: OTHERS), strengths))


def level(samples) -> float:
    return 20 * np.log10(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))


def response_at(before, after, hertz: float) -> float:
    """Return by how many decibels the power at a frequency has changed."""
    frequencies, one = signal.welch(before, RATE, nperseg=1024)
    _, other = signal.welch(after, RATE, nperseg=1024)
    place = int(np.argmin(np.abs(frequencies - hertz)))
    return float(10 * np.log10(other[place] / one[place]))


def test_every_test_of_the_config_can_be_made_and_judged():
    assert set(TRANSFORMS) == set(TESTS) == set(NAMES) == set(DEFAULT_STRENGTHS)
    for test, strengths in DEFAULT_STRENGTHS.items():
        assert TESTS[test].headline in strengths
        assert with_headline(test, strengths) == [float(strength) for strength in strengths]


@pytest.mark.parametrize("test", ADDED)
def test_noise_is_as_loud_as_asked_and_the_same_at_all_strengths(test):
    made = disturbed(test, 30, 20, 5)
    for snr, samples in zip((30, 20, 5), made, strict=True):
        noise = samples.astype(np.float64) - NOISE
        assert level(NOISE) - level(noise) == pytest.approx(snr, abs=0.02)
        assert realised_snr(NOISE, as_recorded(samples)) == pytest.approx(snr, abs=0.1)
    first, last = (samples.astype(np.float64) - NOISE for samples in (made[0], made[-1]))
    assert np.corrcoef(first, last)[0, 1] > 0.9999
    other = disturbed(test, 5, name="two")[0].astype(np.float64) - NOISE
    assert test == "babble" or abs(np.corrcoef(last, other)[0, 1]) < 0.05


def test_pink_noise_falls_by_three_decibels_per_octave():
    frequencies, power = signal.welch(pink(60 * RATE, "one"), RATE, nperseg=8192)
    heard = (frequencies > 50) & (frequencies < 7000)
    slope, _ = np.polyfit(np.log2(frequencies[heard]), 10 * np.log10(power[heard]), 1)
    assert slope == pytest.approx(-3.01, abs=0.15)
    assert power[frequencies < 8].sum() < 0.15 * power.sum(), "hardly any below what can be heard"
    state = np.random.get_state()[1].copy()
    assert np.array_equal(pink(5000, "one"), pink(5000, "one"))
    assert np.array_equal(np.random.get_state()[1], state), "nobody else's random numbers are touched"


def test_babble_is_made_of_others_and_nothing_is_made_of_none():
    (made,) = disturbed("babble", 0.0)
    noise = made.astype(np.float64) - NOISE
    # Each voice repeats after a second, so their sum does.
    assert np.allclose(noise[:RATE], noise[RATE : 2 * RATE], atol=1e-5)
    alone = Recording("one", NOISE, lambda _: [])
    assert list(TRANSFORMS["babble"](alone, [20, 0])) == ["no other speaker"] * 2
    silent = Recording("one", NOISE, lambda _: [np.zeros(100, np.float32)])
    assert list(TRANSFORMS["babble"](silent, [20])) == ["no other speaker"]


@pytest.mark.parametrize("share", [0.2, 10.0, 50.0])
def test_clipping_cuts_the_share_asked_for(share):
    (made,) = disturbed("clipping", share)
    assert np.mean(np.abs(made) >= np.abs(made).max() - 1e-9) == pytest.approx(share / 100, abs=2e-4)
    untouched = np.abs(made) < np.abs(made).max()
    assert np.array_equal(made[untouched], NOISE[untouched])


@pytest.mark.parametrize("share", [0.2, 10.0, 90.0])
def test_pauses_of_zeros_change_nothing_in_what_is_clipped(share):
    """Of ten recordings in a row, nine of which are zeros, the tenth is clipped as it would be alone."""
    speech = np.where(NOISE == 0, np.float32(1e-3), NOISE)
    padded = np.concatenate([np.zeros(9 * len(speech), np.float32), speech])
    (made,) = disturbed("clipping", share, samples=padded)
    assert not made[: 9 * len(speech)].any()
    cut = np.sort(np.abs(speech))[round((len(speech) - 1) * (1 - share / 100))]
    assert np.abs(made).max() == pytest.approx(cut, rel=1e-3)
    assert np.array_equal(made[9 * len(speech) :], disturbed("clipping", share, samples=speech)[0])


def test_gain_is_in_decibels_and_what_is_too_loud_is_cut_off_when_written():
    for decibels, made in zip((-20, 6), disturbed("gain", -20, 6), strict=True):
        assert level(made) - level(NOISE) == pytest.approx(decibels, abs=1e-3)
    loud = as_recorded(disturbed("gain", 40)[0])
    assert (loud.min(), loud.max()) == (-1.0, np.float32(32767 / 32768))
    same = decode(encode(NOISE))
    assert np.array_equal(as_recorded(disturbed("gain", 0.0, samples=same)[0]), same), "0 dB changes nothing"


@pytest.mark.parametrize(("test", "kind"), [("low_pass", "lowpass"), ("high_pass", "highpass")])
@pytest.mark.parametrize("cutoff", [300, 1000])
def test_filters_are_butterworths_of_the_first_order(test, kind, cutoff):
    (made,) = disturbed(test, cutoff)
    design = signal.butter(1, cutoff, kind, fs=RATE)
    for hertz in (cutoff / 4, cutoff, 4 * cutoff):
        place = round(hertz / (RATE / 1024)) * RATE / 1024
        expected = 20 * np.log10(np.abs(signal.freqz(*design, worN=[place], fs=RATE)[1][0]))
        assert response_at(NOISE, made, place) == pytest.approx(expected, abs=0.6)


@pytest.mark.parametrize(("test", "sign"), [("tilt_down", -1), ("tilt_up", 1)])
def test_a_tilt_is_so_many_decibels_per_octave_at_the_same_level(test, sign):
    for slope, made in zip((3, 6), disturbed(test, 3, 6), strict=True):
        assert level(made) == pytest.approx(level(NOISE), abs=1e-3)
        octave = response_at(NOISE, made, 4000) - response_at(NOISE, made, 1000)
        assert octave / 2 == pytest.approx(sign * slope, abs=0.3)


def test_a_click_at_the_end_is_not_heard_at_the_start_when_tilted():
    click = np.zeros(RATE, np.float32)
    click[-50] = 0.5
    (made,) = disturbed("tilt_down", 6, samples=click)
    assert np.abs(made[: RATE // 2]).max() < 1e-3 * np.abs(made).max()


def test_crops_and_silence():
    start, end = disturbed("crop_start", 0.5)[0], disturbed("crop_end", 0.5)[0]
    assert np.array_equal(start, NOISE[RATE // 2 :])
    assert np.array_equal(end, NOISE[: -RATE // 2])
    assert disturbed("crop_start", 3.95) == disturbed("crop_end", 9.0) == ["too short"]
    (made,) = disturbed("silence_before", 0.25)
    assert not made[: RATE // 4].any()
    assert np.array_equal(made[RATE // 4 :], NOISE)


@pytest.mark.parametrize("rate", [8000, 4000])
def test_resampling_takes_all_above_half_the_rate_and_keeps_the_length(rate):
    odd = NOISE[:-7]
    (made,) = disturbed("resampling", rate, samples=odd)
    assert len(made) == len(odd)
    assert response_at(odd, made, 0.6 * rate) < -50
    assert response_at(odd, made, 0.3 * rate) == pytest.approx(0, abs=0.2)
    speech = signal.sosfilt(signal.butter(8, 0.3 * rate, fs=RATE, output="sos"), odd)
    (kept,) = disturbed("resampling", rate, samples=speech.astype(np.float32))
    assert realised_snr(speech.astype(np.float32), kept) > 30, "what is below stays, in its place"


@pytest.mark.parametrize("levels", [256, 64, 16])
def test_mu_law_has_so_many_levels_where_the_formula_has_them(levels):
    samples = np.linspace(-1, 1, 100_001).astype(np.float32)
    (made,) = disturbed("mu_law", levels, samples=samples)
    assert len(np.unique(made)) == levels
    mu = levels - 1
    codes = np.floor((np.sign(samples) * np.log1p(mu * np.abs(samples)) / np.log1p(mu) + 1) / 2 * mu + 0.5)
    steps = 2 * codes / mu - 1
    expected = np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(mu)) / mu
    expected -= expected[len(samples) // 2]
    assert np.mean(np.abs(made - expected) > 1e-4) < 1e-3
    plain = mu_law_decoding(mu_law_encoding(torch.from_numpy(samples), levels), levels).numpy()
    assert np.array_equal(made, plain - plain[len(samples) // 2])


@pytest.mark.parametrize("test", ["mu_law", "telephone"])
@pytest.mark.parametrize("levels", [4, 5, 16, 255, 256, 65536])
def test_pauses_stay_silent_whatever_the_levels(test, levels):
    speech = np.concatenate([NOISE[:8000], np.zeros(RATE, np.float32), NOISE[:8000]])
    assert not disturbed(test, levels, samples=np.zeros(RATE, np.float32))[0].any()
    (made,) = disturbed(test, levels, samples=speech)
    assert not as_recorded(made)[10_000:22_000].any()


def test_a_telephone_has_no_high_frequencies_and_the_noise_of_its_levels():
    fine, coarse = (disturbed("telephone", levels)[0] for levels in (256, 16))
    assert response_at(NOISE, fine, 6000) < -25
    band = signal.butter(8, 3000, fs=RATE, output="sos")
    errors = [level(signal.sosfilt(band, made - NOISE)) for made in (fine, coarse)]
    assert errors[0] < errors[1] - 15


@pytest.mark.parametrize("test", sorted(TESTS))
def test_silence_stays_finite_and_whatever_is_done_is_done_again_alike(test):
    strengths = DEFAULT_STRENGTHS[test]
    for made in disturbed(test, *strengths, samples=np.zeros(RATE, np.float32)):
        assert np.isfinite(made).all()
        assert not made.any()
    clip = NOISE[:RATE]
    together = disturbed(test, *strengths, samples=clip)
    alone = [disturbed(test, strength, samples=clip)[0] for strength in strengths]
    assert all(np.array_equal(one, other) for one, other in zip(together, alone, strict=True))
