from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from candor.corpora.manifest import build
from candor.corpora.readers import ravdess
from corpora.ways_to_split import assert_splits_as_its_card_says


def names() -> list[str]:
    """All 1,440 names of the speech part, by the rule its authors publish: neutral is never strong."""
    spoken = [
        (emotion, intensity)
        for emotion, intensity in product(range(1, 9), (1, 2))
        if not (emotion == 1 and intensity == 2)
    ]
    return [
        f"Actor_{actor:02d}/03-01-{emotion:02d}-{intensity:02d}-{statement:02d}-{repetition:02d}-{actor:02d}.wav"
        for actor in range(1, 25)
        for emotion, intensity in spoken
        for statement, repetition in product((1, 2), (1, 2))
    ]


@pytest.fixture
def tree(tmp_path) -> Path:
    for name in names():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_the_whole_corpus_has_the_published_counts(tree):
    for policy in ravdess.CARD.policies:
        reading = ravdess.read(tree, policy, None, {})
        published = ravdess.CARD.published
        assert len(reading.clips) == published.files == 1440
        assert len({clip.speaker for clip in reading.clips}) == published.speakers == 24
        assert Counter(clip.label for clip in reading.clips) == published.labels[policy]
        assert reading.rejected == []


def test_odd_actors_are_male(tree):
    for clip in ravdess.read(tree, "calm_as_neutral", None, {}).clips:
        assert clip.gender == ("male" if int(clip.speaker[-2:]) % 2 else "female")


def test_parity_has_the_genders_the_wrong_way_round(tree):
    right = {clip.utterance: clip for clip in ravdess.read(tree, "calm_as_neutral", None, {}).clips}
    wrong = {clip.utterance: clip for clip in ravdess.read(tree, "calm_as_neutral", "trust-ser", {}).clips}
    assert all({right[name].gender, wrong[name].gender} == {"male", "female"} for name in right)
    assert all(right[name].label == wrong[name].label for name in right)


def test_one_name_is_read_in_full():
    clip = ravdess.read_name("Actor_12/03-01-06-01-02-01-12.wav", "calm_apart", None)
    assert (clip.speaker, clip.gender, clip.text) == ("ravdess_Actor_12", "female", "02")
    assert (clip.raw_label, clip.label) == ("06", "fear")


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("Actor_01/03-02-01-01-01-01-01.wav", "filter", "song"),
        ("Actor_01/01-01-01-01-01-01-01.mp4", "filter", "video with sound"),
        ("Actor_01/02-01-01-01-01-01-01.mp4", "filter", "video without sound"),
        ("Actor_01/._03-01-01-01-01-01-01.wav", "audio", "macOS resource fork"),
        ("Actor_01/notes.wav", "label", "not a RAVDESS name"),
        ("Actor_01/03-01-09-01-01-01-01.wav", "label", "not a RAVDESS name"),
        ("Actor_25/03-01-01-01-01-01-25.wav", "label", "not a RAVDESS name"),
    ],
)
def test_what_is_no_spoken_clip_is_listed(tree, name, kind, reason):
    (tree / name).parent.mkdir(exist_ok=True)
    (tree / name).touch()
    (tree / "Audio_Speech_Actors_01-24.zip").touch()
    reading = ravdess.read(tree, "calm_apart", None, {})
    assert len(reading.clips) == 1440
    [rejection] = reading.rejected
    assert (rejection.path, rejection.kind) == (name, kind)
    assert rejection.reason.startswith(reason)


def test_a_second_copy_of_the_tree_is_listed_and_left_out(tree):
    for name in names()[:60]:
        copy = tree / "audio_speech_actors_01-24" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    reading = ravdess.read(tree, "calm_apart", None, {})
    assert [clip.path for clip in reading.clips if not clip.path.startswith("Actor_")] == []
    assert len(reading.rejected) == 60
    assert {(rejection.kind, rejection.reason.partition(":")[0]) for rejection in reading.rejected} == {
        ("filter", "second copy")
    }


def test_the_tree_may_lie_one_folder_down(tmp_path):
    (tmp_path / "speech" / "Actor_01").mkdir(parents=True)
    (tmp_path / "speech" / "Actor_01" / "03-01-01-01-01-01-01.wav").touch()
    assert len(ravdess.read(tmp_path, "calm_apart", None, {}).clips) == 1


def test_eight_real_actors(corpora):
    built = build(corpora / "ravdess", dataset="ravdess", corpus="ravdess", workers=2)
    assert built.comparison.verdict == "partial"
    assert {row["label"] for row in built.utterances} == set(ravdess.CARD.classes)
    assert Counter(row["note"] for row in built.utterances) == {"": 476, "stereo, mixed down": 3}
    [duplicate] = built.rejected
    assert duplicate["path"] == "Actor_07/03-01-03-01-02-02-07.wav"
    assert duplicate["reason"] == "duplicate: same samples as 03-01-03-01-02-01-07"


def test_parity_keeps_the_real_duplicate_and_says_so(corpora):
    built = build(corpora / "ravdess", dataset="r", corpus="ravdess", parity="trust-ser", workers=2)
    assert (len(built.utterances), built.rejected) == (480, [])
    assert [row["utterance"] for row in built.utterances if row["note"].startswith("same samples")] == [
        "03-01-03-01-02-01-07",
        "03-01-03-01-02-02-07",
    ]


def test_it_is_split_in_the_ways_that_its_card_says(tree):
    assert_splits_as_its_card_says("ravdess", ravdess.read(tree, "calm_as_neutral", None, {}).clips)
