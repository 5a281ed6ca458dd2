from dataclasses import replace

import pytest

from candor.corpora.counts import compare, gist, tally
from candor.corpora.reader import Clip, Published

PUBLISHED = Published(files=12, speakers=3, labels={"default": {"anger": 6, "sadness": 6}})
CLIPS = [
    Clip(f"s{speaker}_{number}", f"s{speaker}_{number}.wav", f"s{speaker}", label=("anger", "sadness")[number % 2])
    for speaker in range(3)
    for number in range(4)
]
ALL = {clip.path for clip in CLIPS}


def verdict(clips, present=None, published=PUBLISHED, parity=None):
    present = {clip.path for clip in clips} if present is None else present
    return compare(clips, present, published, "default", parity)


def test_the_whole_corpus_is_as_published():
    found = verdict(CLIPS)
    assert found.verdict == "as published"
    assert {row["verdict"] for row in found.rows} == {"as published"}
    assert [(row["what"], row["value"], row["got"], row["published"]) for row in found.rows] == [
        ("files", "", 12, 12),
        ("speakers", "", 3, 3),
        ("labelled", "anger", 6, 6),
        ("labelled", "sadness", 6, 6),
    ]


def test_a_corpus_without_some_speakers_is_partial():
    found = verdict(CLIPS[:8])
    assert found.verdict == "partial"
    assert found.sentence == "partial: 8 of 12 published files, 2 of 3 speakers"


def test_a_corpus_with_labels_for_all_and_audio_for_few_is_partial():
    found = verdict(CLIPS, present={CLIPS[0].path, CLIPS[4].path, CLIPS[8].path})
    assert found.verdict == "partial"
    assert {row["verdict"] for row in found.rows if row["what"] == "labelled"} == {"as published"}


def test_a_whole_corpus_that_lacks_one_file_differs_and_the_file_is_named():
    found = verdict(CLIPS, present=ALL - {"s1_2.wav"})
    assert found.verdict == "differs"
    assert "files: got 11, published 12" in found.sentence
    assert found.sentence.endswith("Missing: s1_2.wav")


def test_where_nothing_lists_the_files_the_speaker_who_lacks_one_is_named():
    found = verdict([clip for clip in CLIPS if clip.utterance != "s1_2"])
    assert found.verdict == "differs"
    assert "anger: got 5, published 6" in found.sentence
    assert found.sentence.endswith("Most speakers have 4 files, but s1 has 3")


def test_more_than_published_differs():
    more = [*CLIPS, replace(CLIPS[0], utterance="x", path="x.wav")]
    assert verdict(more).verdict == "differs"


def test_another_label_differs_though_all_files_are_there():
    found = verdict([replace(CLIPS[0], label="sadness"), *CLIPS[1:]])
    assert found.verdict == "differs"
    assert "anger: got 5, published 6; sadness: got 7, published 6" in found.sentence


def test_a_label_that_is_published_and_never_occurs_differs():
    found = verdict([replace(clip, label="sadness") for clip in CLIPS])
    assert {"what": "labelled", "value": "anger", "got": 0, "published": 6, "verdict": "differs"} in found.rows


def test_parity_compares_files_and_no_labels():
    found = verdict([replace(CLIPS[0], label=""), *CLIPS[1:]], parity="trust-ser")
    assert found.verdict == "as published"


def test_without_published_counts_there_is_no_verdict():
    found = verdict(CLIPS, published=None)
    assert found.verdict == ""
    assert found.sentence.startswith("12 files of 3 speakers")


def test_the_tally_counts_what_takes_part_and_what_does_not():
    rows = [
        {"label": "sadness", "gender": "female", "session": "", "speaker": "a"},
        {"label": "anger", "gender": "", "session": "", "speaker": "a"},
        {"label": "anger", "gender": "male", "session": "", "speaker": "b"},
    ]
    rejected = [
        {"kind": "audio", "reason": "silent: peak at -70.0 dBFS"},
        {"kind": "audio", "reason": "silent: all samples are equal"},
        {"kind": "label", "reason": "tie A:D"},
    ]
    assert [(row["what"], row["value"], row["got"]) for row in tally(rows, rejected)] == [
        ("utterances", "", 3),
        ("label", "anger", 2),
        ("label", "sadness", 1),
        ("gender", "female", 1),
        ("gender", "male", 1),
        ("gender", "not known", 1),
        ("speaker", "a", 2),
        ("speaker", "b", 1),
        ("rejected", "audio", 2),
        ("rejected", "label", 1),
        ("rejected", "audio: silent", 2),
        ("rejected", "label: tie", 1),
    ]


@pytest.mark.parametrize(
    ("reason", "short"),
    [("tie A:D:F", "tie"), ("too long: 61.00 s, at most 60 s", "too long"), ("missing file", "missing file")],
)
def test_gist(reason, short):
    assert gist(reason) == short
