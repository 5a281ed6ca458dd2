"""The demo corpus: what is on disk, what its reader says of it, and what is planted in the sound."""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from candor.corpora.demo_layout import SPEAKERS_FILE
from candor.corpora.reader import CorpusError, Reading
from candor.corpora.readers import demo
from candor.corpora.synthesis import BAD_FILES, MARK_FILE, SPEAKERS, synthesise, write_speakers
from candor.corpora.synthesis.emotions import Setting
from candor.corpora.synthesis.phones import SENTENCES, score
from candor.corpora.synthesis.recording import Recording, record, recordings
from candor.corpora.synthesis.source_filter import (
    FREQUENCIES,
    RATE,
    formant_response,
    overlap_add,
    speak,
    spectra,
    voice_source,
)
from candor.corpora.synthesis.voices import gender_of, site_of
from candor.plan.fingerprint import reached
from paths import ROOT

ACTORS = (1, 2, 7)
"""Two who have bad files and one who is in stereo."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo")
    synthesise(root, workers=2, speakers=ACTORS)
    return root


def read(root: Path) -> Reading:
    return demo.read(root, "default", None, {})


def bad_file(corpus: Path, reason: str) -> Path:
    (path,) = [bad.path for bad in BAD_FILES if reason in bad.reason]
    return corpus / path


def median_f0(sound: NDArray[np.float64], rate: int) -> float:
    """Estimate F0 by autocorrelation over the frames that are clearly voiced."""
    step = rate // 100
    frames = np.lib.stride_tricks.sliding_window_view(sound, 4 * step)[::step]
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(frames, 8 * step, axis=1)) ** 2
    correlation = np.fft.irfft(power, axis=1)[:, : 2 * step]
    correlation /= correlation[:, :1] + 1e-12
    lags = np.arange(rate // 500, rate // 60)
    best = correlation[:, lags].argmax(axis=1)
    loud = (frames**2).mean(axis=1) > 0.1 * (frames**2).mean(axis=1).max()
    voiced = loud & (correlation[np.arange(len(best)), lags[best]] > 0.5)
    return float(np.median(rate / lags[best[voiced]]))


def test_bytes_depend_neither_on_workers_nor_on_company(corpus: Path, tmp_path: Path) -> None:
    paths = synthesise(tmp_path, workers=1, speakers=[1])
    for path in paths:
        if path != SPEAKERS_FILE:
            assert (tmp_path / path).read_bytes() == (corpus / path).read_bytes(), path


def test_an_edit_of_a_reader_makes_no_recording_anew() -> None:
    """A changed fingerprint of the synthesiser empties the corpus folder."""
    modules = reached(ROOT / "workflow" / "scripts" / "synthesise.py", ROOT / "src")
    assert "candor.corpora.synthesis.voices" in modules
    assert not [module for module in modules if module.startswith("candor.corpora.readers")]


def test_broken_off_work_is_taken_up(corpus: Path) -> None:
    lost, kept = (corpus / recording.path for recording in recordings([2])[:2])
    content, mtime = lost.read_bytes(), kept.stat().st_mtime_ns
    lost.unlink()
    paths = synthesise(corpus, workers=1, speakers=ACTORS)
    assert lost.read_bytes() == content
    assert kept.stat().st_mtime_ns == mtime
    there = {file.relative_to(corpus).as_posix() for file in corpus.rglob("*") if file.is_file()}
    assert paths == sorted(there - {MARK_FILE})


def test_good_files_are_what_studios_deliver(corpus: Path) -> None:
    channels = Counter()
    for recording in recordings(ACTORS):
        sound, rate = soundfile.read(corpus / recording.path, always_2d=True)
        assert rate == 48_000
        assert soundfile.info(corpus / recording.path).subtype == "PCM_16"
        assert 1.0 < len(sound) / rate < 2.6
        assert 0.01 < np.abs(sound).max() < 0.99
        channels[sound.shape[1]] += 1
    assert channels == {1: 88, 2: 8}


def test_stereo_channels_differ(corpus: Path) -> None:
    (path, *_) = [recording.path for recording in recordings([7]) if recording.channels == 2]
    sound, _ = soundfile.read(corpus / path)
    assert 0.99 < np.corrcoef(sound.T)[0, 1] < 1.0


def test_loudness_varies_within_an_emotion_as_it_does_between_recordings(corpus: Path) -> None:
    levels = [
        20 * np.log10(np.std(soundfile.read(corpus / recording.path)[0]))
        for recording in recordings([1])
        if recording.emotion == "01"
    ]
    assert np.std(levels) > 2.0


def test_reader_finds_every_recording_and_refuses_foreign_names(corpus: Path) -> None:
    reading = read(corpus)
    named = {bad.path for bad in BAD_FILES if Path(bad.path).name.startswith("03-")}
    assert {clip.path for clip in reading.clips} == {recording.path for recording in recordings(ACTORS)} | named
    assert {(rejection.path, rejection.kind) for rejection in reading.rejected} == {
        ("Actor_01/._03-01-04-01-02-01-01.wav", "audio"),
        ("Actor_02/angry_last_try.wav", "label"),
    }
    clip = next(clip for clip in reading.clips if clip.utterance == "03-01-05-02-04-01-02")
    assert (clip.speaker, clip.gender, clip.session) == ("demo_Actor_02", "female", "site_a")
    assert (clip.text, clip.raw_label, clip.label) == ("04", "05", "anger")


def test_published_counts_are_those_of_the_whole_corpus(tmp_path: Path) -> None:
    good = [recording.path for recording in recordings(SPEAKERS)]
    for path in [*good, *(bad.path for bad in BAD_FILES)]:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    write_speakers(tmp_path, SPEAKERS)
    clips = read(tmp_path).clips
    published = demo.CARD.published
    assert published is not None
    assert len(clips) == published.files
    assert Counter(clip.label for clip in clips) == published.labels["default"]
    assert len({clip.speaker for clip in clips}) == published.speakers
    assert len(good) == 768
    assert Counter(clip.gender for clip in clips if clip.path in good) == {"male": 384, "female": 384}
    assert tuple(published.labels["default"]) == demo.CARD.classes


def test_unlisted_speakers_and_unknown_codes_are_refused(tmp_path: Path) -> None:
    write_speakers(tmp_path, [1])
    for name in ("03-01-01-01-01-01-09.wav", "03-01-02-01-01-01-01.wav"):
        (tmp_path / name).touch()
    reasons = [rejection.reason for rejection in read(tmp_path).rejected]
    assert "Actor_09 is not in speakers.csv" in reasons
    assert any("emotion code 02 is none of" in reason for reason in reasons)
    assert not read(tmp_path).clips


def test_missing_speakers_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"speakers\.csv"):
        read(tmp_path)


def test_every_bad_file_is_there_and_none_is_counted_as_good(corpus: Path) -> None:
    good = {recording.path for recording in recordings(SPEAKERS)}
    assert all((corpus / bad.path).is_file() for bad in BAD_FILES)
    assert not good & {bad.path for bad in BAD_FILES}
    assert good >= {bad.source for bad in BAD_FILES}


@pytest.mark.parametrize("reason", ["empty", "resource fork", "git-lfs"])
def test_some_bad_files_are_no_audio(corpus: Path, reason: str) -> None:
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.read(bad_file(corpus, reason))


def test_the_other_bad_files_are_what_their_reasons_say(corpus: Path) -> None:
    assert bad_file(corpus, "empty").stat().st_size == 0
    assert bad_file(corpus, "git-lfs").read_text().startswith("version https://git-lfs")
    assert not soundfile.read(bad_file(corpus, "silence"))[0].any()
    truncated = bad_file(corpus, "truncated").read_bytes()
    assert int.from_bytes(truncated[40:44], "little") > 2 * len(truncated)
    duplicate = bad_file(corpus, "duplicate")
    (source,) = [bad.source for bad in BAD_FILES if corpus / bad.path == duplicate]
    assert duplicate.read_bytes() == (corpus / source).read_bytes()


def test_emotions_move_the_voices_of_women_less() -> None:
    """In the sound itself: F0 of strong anger above that of strong sadness, in semitones."""
    rises: dict[str, list[float]] = {"male": [], "female": []}
    for actor in range(1, 11):
        f0 = {}
        for emotion in ("04", "05"):
            sound, rate = soundfile.read(BytesIO(record(Recording(emotion, 2, 3, 1, actor))))
            f0[emotion] = median_f0(sound, rate)
        rises[gender_of(actor)].append(12 * np.log2(f0["05"] / f0["04"]))
    assert np.mean(rises["female"]) > 0
    assert np.mean(rises["female"]) < 0.8 * np.mean(rises["male"])


def test_sites_hold_as_many_men_as_women() -> None:
    assert set(Counter((site_of(actor), gender_of(actor)) for actor in SPEAKERS).values()) == {6}


def test_f0_is_the_one_that_was_set() -> None:
    setting = Setting(pitch=5.0, span=-1.5, rate=2.2, tilt=8.0, open_quotient=0.6, aspiration=-40.0)
    sound = speak(score(1, 4.5, 0.1, 0.1), setting, 17.5, np.random.default_rng(0))
    assert median_f0(sound, RATE) == pytest.approx(100 * 2 ** (5 / 12), rel=0.03)


def test_glottis_is_open_for_its_quotient() -> None:
    setting = Setting(open_quotient=0.6, aspiration=-300.0)
    source = voice_source(np.full(RATE, 100.0), setting, np.random.default_rng(0))
    assert np.mean(np.abs(source) > 1e-9) == pytest.approx(0.6, abs=0.01)
    assert np.std(source) == pytest.approx(1.0, abs=0.01)


def test_formants_are_where_a_uniform_tube_has_them() -> None:
    """A tube of 17.5 cm, closed at one end: odd multiples of 500 Hz."""
    magnitude = np.abs(formant_response(np.array([[500.0, 1500.0, 2500.0]]), 1.0))[0]
    peaks = np.flatnonzero((magnitude[1:-1] > magnitude[:-2]) & (magnitude[1:-1] > magnitude[2:])) + 1
    np.testing.assert_allclose(FREQUENCIES[peaks][:6], 500.0 * np.arange(1, 12, 2), atol=30.0)


def test_frames_that_nothing_filters_add_up_to_the_signal() -> None:
    signal = np.random.default_rng(0).normal(size=12_345)
    np.testing.assert_allclose(overlap_add(spectra(signal), len(signal)), signal, atol=1e-12)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_takes_the_time_its_tempo_says(sentence: int) -> None:
    said = score(sentence, 4.0, 0.1, 0.2)
    assert said.ends[-1] == pytest.approx(0.1 + 6 / 4.0 + 0.2)
    assert np.all(np.diff(said.ends) > 0)
    assert all(said.ends[0] < accent < said.ends[-2] for accent in said.accents)


def test_what_another_version_made_is_made_anew(tmp_path: Path) -> None:
    synthesise(tmp_path, workers=1, speakers=[1], mark="one")
    clip = next(tmp_path.glob("Actor_01/03-01-01*.wav"))
    clip.write_bytes(b"of another version")
    synthesise(tmp_path, workers=1, speakers=[1], mark="one")
    assert clip.read_bytes() == b"of another version"
    synthesise(tmp_path, workers=1, speakers=[1], mark="two")
    assert clip.read_bytes().startswith(b"RIFF")
