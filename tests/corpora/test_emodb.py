from collections import Counter
from itertools import islice, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candor.corpora.manifest import build
from candor.corpora.reader import Clip
from candor.corpora.readers import emodb
from corpora.ways_to_split import assert_splits_as_its_card_says

# As published: how many recordings have which letter, and what the letter stands for.
LETTERS = {
    "W": (127, "anger"),
    "L": (81, "boredom"),
    "E": (46, "disgust"),
    "A": (69, "fear"),
    "F": (71, "happiness"),
    "T": (62, "sadness"),
    "N": (79, "neutral"),
}
SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
MEN = {"03": 31, "10": 32, "11": 26, "12": 30, "15": 25}
WOMEN = {"08": 34, "09": 21, "13": 32, "14": 35, "16": 31}
SENTENCES = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")


def names() -> list[str]:
    """535 names with the published number of recordings per emotion; which speakers they are of is made up."""
    return [
        f"{speaker}{sentence}{letter}{version}"
        for letter, (count, _) in LETTERS.items()
        for version, sentence, speaker in islice(product("abcd", SENTENCES, SPEAKERS), count)
    ]


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("emodb")
    (root / "wav").mkdir()
    for name in names():
        (root / "wav" / f"{name}.wav").touch()
    return root


def read(root: Path):
    return emodb.read(root, "default", None, {})


def test_the_whole_corpus_has_the_published_counts(tree):
    reading = read(tree)
    published = emodb.CARD.published
    assert reading.rejected == []
    assert len(reading.clips) == published.files == 535
    assert {clip.speaker for clip in reading.clips} == {f"emodb_{speaker}" for speaker in SPEAKERS}
    counts = {emotion: count for count, emotion in LETTERS.values()}
    assert Counter(clip.label for clip in reading.clips) == counts == published.labels["default"]


def test_genders_and_ages_are_those_of_the_published_speakers(tree):
    for clip in read(tree).clips:
        speaker = clip.speaker.removeprefix("emodb_")
        expected = ("male", MEN[speaker]) if speaker in MEN else ("female", WOMEN[speaker])
        assert (clip.gender, clip.age) == expected


def test_one_name_is_read_in_full():
    assert emodb.read_name("wav/11b10Td.wav") == Clip(
        utterance="11b10Td",
        path="wav/11b10Td.wav",
        speaker="emodb_11",
        gender="male",
        text="b10",
        age=26,
        raw_label="T",
        label="sadness",
    )


def test_the_files_may_lie_in_the_folder_itself(tmp_path):
    for name in names()[:20]:
        (tmp_path / f"{name}.wav").touch()
    assert {clip.path for clip in read(tmp_path).clips} == {f"{name}.wav" for name in names()[:20]}


def test_clips_come_in_order_of_their_names_however_the_folder_was_filled(tmp_path, tree):
    (tmp_path / "wav").mkdir()
    for name in reversed(names()):
        (tmp_path / "wav" / f"{name}.wav").touch()
    assert read(tmp_path) == read(tree)
    assert [clip.utterance for clip in read(tree).clips] == sorted(names())


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("wav/03a01Xa.wav", "label", "not an EmoDB name: 03a01Fa would be one"),
        ("wav/17a01Wa.wav", "label", "not an EmoDB name: 03a01Fa would be one"),
        ("wav/03a01W.wav", "label", "not an EmoDB name: 03a01Fa would be one"),
        ("wav/3a01Wa.wav", "label", "not an EmoDB name: 03a01Fa would be one"),
        ("wav/03a01Wa (1).wav", "label", "not an EmoDB name: 03a01Fa would be one"),
        ("wav/._03a01Wa.wav", "audio", "macOS resource fork"),
    ],
)
def test_what_is_no_clip_is_listed(tmp_path, name, kind, reason):
    (tmp_path / "wav").mkdir()
    for file in ("wav/03a01Wa.wav", "erklaerung.txt", name):
        (tmp_path / file).touch()
    reading = read(tmp_path)
    assert [clip.utterance for clip in reading.clips] == ["03a01Wa"]
    assert [(rejection.path, rejection.kind, rejection.reason) for rejection in reading.rejected] == [
        (name, kind, reason)
    ]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(names()), st.integers(0, 6), st.sampled_from("0123456789abcdefgWLEAFTNwleaftnX_ \u0663"))
def test_a_letter_changed_makes_another_name_or_none(name, place, letter):
    changed = name[:place] + letter + name[place + 1 :]
    found = emodb.read_name(f"wav/{changed}.wav")
    if isinstance(found, Clip):
        assert changed[:2] in SPEAKERS
        assert found.speaker == f"emodb_{changed[:2]}"
        assert found.gender == ("male" if changed[:2] in MEN else "female")
        assert (found.text, found.label) == (changed[2:5], LETTERS[changed[5]][1])


def test_the_real_recordings_of_four_emotions(corpora):
    built = build(corpora / "emodb", dataset="emodb", corpus="emodb", workers=2)
    assert built.rejected == []
    assert Counter(row["label"] for row in built.utterances) == {
        "anger": 127,
        "happiness": 71,
        "neutral": 79,
        "sadness": 62,
    }
    genders = {row["speaker"]: row["gender"] for row in built.utterances}
    assert genders == {f"emodb_{speaker}": "male" if speaker in MEN else "female" for speaker in SPEAKERS}
    assert {row["text"] for row in built.utterances} == set(SENTENCES)
    compared = {row["value"] or row["what"]: (row["got"], row["published"]) for row in built.comparison.rows}
    assert compared["files"] == (339, 535)
    assert compared["speakers"] == (10, 10)
    assert {emotion for emotion, (got, published) in compared.items() if got == published} >= {
        "anger",
        "happiness",
        "neutral",
        "sadness",
    }
    assert (compared["boredom"], compared["disgust"], compared["fear"]) == ((0, 81), (0, 46), (0, 69))


def test_it_is_split_in_the_ways_that_its_card_says(tree):
    assert_splits_as_its_card_says("emodb", read(tree).clips)
