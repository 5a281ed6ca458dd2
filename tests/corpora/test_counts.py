import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from candor.corpora.counts import compare, overall, sentence_of, tally
from candor.corpora.reader import Clip, Published
from candor.corpora.reasons import gist
from candor.tables.corpora import Counts

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


def test_a_corpus_without_a_class_is_partial():
    found = verdict([clip for clip in CLIPS if clip.label == "anger"])
    assert found.verdict == "partial"
    assert found.sentence == "partial: 6 of 12 published files, 3 of 3 speakers, without sadness"
    assert verdict([clip for clip in CLIPS if clip.label == "anger"][1:]).verdict == "partial"


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


def test_clips_of_speakers_who_are_not_known_are_files_of_no_speaker():
    found = verdict([*CLIPS[:8], *[replace(clip, speaker="") for clip in CLIPS[8:]]])
    assert [(row["what"], row["got"]) for row in found.rows[:2]] == [("files", 12), ("speakers", 2)]
    assert found.sentence.endswith("speakers: got 2, published 3")


def test_sessions_are_held_against_the_published_number():
    clips = [replace(clip, session=f"Ses{clip.speaker[-1]}") for clip in CLIPS]
    rows = verdict(clips, published=replace(PUBLISHED, sessions=3)).rows
    assert {"what": "sessions", "value": "", "got": 3, "published": 3, "verdict": "as published"} in rows
    found = verdict([replace(clip, session="Ses0") for clip in CLIPS], published=replace(PUBLISHED, sessions=3))
    assert found.verdict == "differs"
    assert "sessions: got 1, published 3" in found.sentence
    # Sessions may be named and their number not be published: counted, and no verdict.
    unpublished = next(row for row in verdict(clips).rows if row["what"] == "sessions")
    assert (unpublished["got"], unpublished["published"], unpublished["verdict"]) == (3, None, "")


def test_the_partition_counts_every_clip_that_was_read_labelled_or_not():
    parts = ("train", "train", "test2", "test1")
    clips = [replace(clip, split=parts[number % 4]) for number, clip in enumerate(CLIPS)]
    published = replace(PUBLISHED, splits={"train": 6, "dev": 0, "test1": 3, "test2": 3})
    unlabelled = [replace(clips[0], label="", reason="no agreement"), *clips[1:]]
    rows = [row for row in verdict(unlabelled, published=published).rows if row["what"] == "partition"]
    assert [(row["value"], row["got"], row["verdict"]) for row in rows] == [
        ("train", 6, "as published"),
        ("dev", 0, "as published"),
        ("test1", 3, "as published"),
        ("test2", 3, "as published"),
    ]
    moved = verdict([replace(clips[0], split="test1"), *clips[1:]], published=published)
    assert moved.verdict == "differs"
    assert "partition train: got 5, published 6; partition test1: got 4, published 3" in moved.sentence
    assert verdict([replace(clips[0], split="test1"), *clips[1:]], published=published, parity="x").verdict != "differs"


def test_the_sentence_can_be_told_again_from_the_table(tmp_path):
    for found in (
        verdict(CLIPS),
        verdict(CLIPS[:8]),
        verdict(CLIPS, published=None),
        verdict(CLIPS, ALL - {"s1_2.wav"}),
    ):
        Counts.write(found.rows + tally(ROWS, []), tmp_path / "counts.tsv")
        rows = Counts.read(tmp_path / "counts.tsv").to_dict("records")
        assert found.sentence.startswith(sentence_of(rows))
        assert overall(rows) == found.verdict
    assert sentence_of(verdict(CLIPS, published=replace(PUBLISHED, files=12000, speakers=9)).rows, ",") == (
        "partial: 12 of 12,000 published files, 3 of 9 speakers"
    )


BLANK = dict.fromkeys(("speaker", "gender", "session", "scenario", "language", "split", "label"), "")
ROWS = [
    {**BLANK, "label": "sadness", "gender": "female", "speaker": "a", "split": "train", "duration": 1.25},
    {**BLANK, "label": "anger", "speaker": "a", "split": "dev", "duration": 2.0},
    {**BLANK, "label": "anger", "gender": "male", "speaker": "b", "split": "test1", "duration": 0.5},
    {**BLANK, "gender": "male", "duration": 4.0},
]


def test_the_tally_counts_what_takes_part_and_what_does_not():
    rejected = [
        {"kind": "audio", "reason": "silent: peak at -70.0 dBFS"},
        {"kind": "audio", "reason": "silent: all samples are equal"},
        {"kind": "label", "reason": "tie A:D"},
    ]
    assert [(row["what"], row["value"], row["got"], row["seconds"]) for row in tally(ROWS, rejected)] == [
        ("utterances", "", 4, 7.75),
        ("label", "anger", 2, 2.5),
        ("label", "sadness", 1, 1.25),
        ("label", "no label", 1, 4.0),
        ("gender", "female", 1, 1.25),
        ("gender", "male", 2, 4.5),
        ("gender", "not known", 1, 2.0),
        ("label by gender", "anger, male", 1, 0.5),
        ("label by gender", "anger, not known", 1, 2.0),
        ("label by gender", "sadness, female", 1, 1.25),
        ("label by gender", "no label, male", 1, 4.0),
        ("split", "train", 1, 1.25),
        ("split", "dev", 1, 2.0),
        ("split", "test1", 1, 0.5),
        ("split", "not known", 1, 4.0),
        ("speaker", "a", 2, 3.25),
        ("speaker", "b", 1, 0.5),
        ("speaker", "not known", 1, 4.0),
        ("rejected", "audio", 2, None),
        ("rejected", "label", 1, None),
        ("rejected", "audio: silent", 2, None),
        ("rejected", "label: tie", 1, None),
    ]


def test_the_tally_is_what_pandas_counts_and_sums():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "speaker": rng.choice(["", *(f"s{number}" for number in range(2000))], 60_000),
            "gender": rng.choice(["female", "male", ""], 60_000),
            "session": rng.choice([f"podcast {number}" for number in range(500)], 60_000),
            "scenario": rng.choice(["improvised", "read"], 60_000),
            "language": "",
            "split": rng.choice(["train", "dev", "test"], 60_000),
            "label": rng.choice(["anger", "neutral", ""], 60_000),
            "duration": rng.uniform(0.5, 10, 60_000),
        }
    )
    rows = frame.to_dict("records")
    start = time.perf_counter()
    counted = pd.DataFrame(tally(rows, []))
    assert time.perf_counter() - start < 5
    for column in ("speaker", "gender", "session", "scenario", "split", "label"):
        blank = "no label" if column == "label" else "not known"
        expected = frame.groupby(frame[column].replace("", blank))["duration"].agg(["size", "sum"])
        got = counted[counted["what"] == column].set_index("value")[["got", "seconds"]].loc[expected.index]
        np.testing.assert_array_equal(got["got"], expected["size"])
        np.testing.assert_allclose(got["seconds"], expected["sum"], atol=6e-4)
    assert "language" not in set(counted["what"])
    table = counted[counted["what"] == "label by gender"].set_index("value")["got"]
    assert table["anger, female"] == ((frame["label"] == "anger") & (frame["gender"] == "female")).sum()
    assert table.sum() == len(frame)


@pytest.mark.parametrize(
    ("reason", "short"),
    [("tie A:D:F", "tie"), ("too long: 61.00 s, at most 60 s", "too long"), ("missing file", "missing file")],
)
def test_gist(reason, short):
    assert gist(reason) == short
