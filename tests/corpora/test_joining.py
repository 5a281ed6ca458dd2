"""Several manifests become one, over what they share."""

import itertools
from typing import Any

import pandas as pd
import pytest

from candor.corpora.joining import Joined, Part, join
from candor.corpora.reader import CorpusError
from candor.tables.corpora import Counts, Rejected, Utterances

BLANK: dict[str, Any] = {column.name: "" for column in Utterances.columns} | {
    **dict.fromkeys(("age", "arousal", "valence", "dominance")),
    "duration": 2.0,
    "rate": 16000,
    "channels": 1,
}
SOUNDS = itertools.count()


def part(name: str, side: Any, *clips: dict[str, Any], key: str = "") -> Part:
    rows = [
        {**BLANK, "utterance": f"u{n}", "path": f"wav/u{n}.wav", "speaker": f"{name}_1", "audio": f"new{next(SOUNDS)}"}
        | {"raw_label": clip["label"][0]}
        | clip
        for n, clip in enumerate(clips)
    ]
    return Part(name, key or name, side, pd.DataFrame(rows))


def labelled(*labels: str) -> list[dict[str, Any]]:
    return [{"label": label} for label in labels]


def labels(joined: Joined) -> set[str]:
    return set(joined.utterances["label"])


def reasons(joined: Joined) -> dict[str, tuple[str, str]]:
    return {row["utterance"]: (row["kind"], row["reason"]) for row in joined.rejected}


def test_what_both_have_takes_part_and_the_rest_is_listed():
    emodb = part("emodb", "train", *labelled("anger", "boredom", "neutral", "neutral"))
    ravdess = part("ravdess", "test", *labelled("neutral", "anger", "surprise"))
    joined = join([emodb, ravdess], dataset="x")
    rows = joined.utterances.set_index("utterance")
    assert list(rows.index) == ["emodb__u0", "emodb__u2", "emodb__u3", "ravdess__u0", "ravdess__u1"]
    assert list(rows["split"]) == ["train", "train", "train", "test", "test"]
    assert list(rows["label"]) == ["anger", "neutral", "neutral", "neutral", "anger"]
    assert rows.loc["ravdess__u1", "path"] == "ravdess/wav/u1.wav"
    assert rows.loc["emodb__u0", "speaker"] == "emodb_1"
    assert reasons(joined) == {
        "emodb__u1": ("filter", "class not shared: boredom"),
        "ravdess__u2": ("filter", "class not shared: surprise"),
    }


def test_the_tables_are_as_their_contracts_say(tmp_path):
    joined = join(
        [part("a", "train", *labelled("anger", "fear")), part("b", "test", *labelled("anger", "fear"))], dataset="x"
    )
    for table, rows in ((Utterances, joined.utterances), (Rejected, joined.rejected), (Counts, joined.counts)):
        table.write(rows, tmp_path / "table.tsv")
        assert len(table.read(tmp_path / "table.tsv")) == len(rows)
    counts = {(row["what"], row["value"]): row["got"] for row in joined.counts}
    assert (counts["files", ""], counts["speakers", ""], counts["utterances", ""]) == (4, 2, 4)
    assert (counts["split", "train"], counts["split", "test"], counts["label", "fear"]) == (2, 2, 2)


def test_classes_of_several_corpora():
    parts = [
        part("a", "train", *labelled("anger", "fear", "boredom")),
        part("b", "train", *labelled("anger", "fear", "neutral", "disgust")),
        part("c", "test", *labelled("anger", "fear", "neutral", "surprise")),
    ]
    assert labels(join(parts, dataset="x")) == {"anger", "fear"}
    assert labels(join(parts, dataset="x", classes="all")) == {"anger", "fear", "neutral"}
    joined = join(parts, dataset="x", classes=["neutral", "anger"])
    assert labels(joined) == {"neutral", "anger"}
    assert reasons(joined)["a__u1"] == ("filter", "class not kept: fear")
    assert reasons(joined)["b__u3"] == ("filter", "class not shared: disgust")
    with pytest.raises(
        CorpusError, match=r"datasets\.x\.classes: 'disgust' has no clip in test_on, which has neutral, a"
    ):
        join(parts, dataset="x", classes=["anger", "disgust"])


def test_less_than_two_classes_are_an_error_that_says_what_there_is():
    parts = [part("a", "train", *labelled("anger", "fear")), part("b", "test", *labelled("anger", "sadness"))]
    said = r"two shared classes are needed, but there is only anger: a has anger, fear; b has anger, sadness$"
    with pytest.raises(CorpusError, match=said):
        join(parts, dataset="x")
    parts = [part("a", "train", *labelled("fear")), part("b", "test", *labelled("sadness"))]
    with pytest.raises(CorpusError, match=r"but there is none: a has fear; b has sadness$"):
        join(parts, dataset="x", classes="all")
    parts = [
        part("a", "train", *labelled("anger")),
        part("b", "train", *labelled("fear")),
        part("c", "test", *labelled("anger", "fear")),
    ]
    with pytest.raises(CorpusError, match=r"none: .*\. Set datasets\.x\.classes to all for those on both sides"):
        join(parts, dataset="x")
    assert labels(join(parts, dataset="x", classes="all")) == {"anger", "fear"}


def test_what_is_tested_is_not_trained_on():
    both = {"label": "anger", "audio": "same"}
    parts = [
        part("mine", "train", *labelled("anger", "fear", "fear"), both),
        part("ravdess", "test", both, *labelled("fear")),
    ]
    joined = join(parts, dataset="x")
    assert reasons(joined) == {"mine__u3": ("audio", "duplicate: same samples as ravdess__u0, which is tested")}
    assert "ravdess__u0" in set(joined.utterances["utterance"])
    with pytest.raises(CorpusError, match=r"datasets\.x: of the 1 clips in train_on 1 are in test_on too; name"):
        join([part("crema_voice", "train", both), part("crema", "test", both, *labelled("fear"))], dataset="x")


def test_equal_recordings_of_one_side_count_once_or_not_at_all():
    agreed, argued = {"label": "anger", "audio": "agreed"}, {"label": "fear", "audio": "argued"}
    parts = [
        part("a", "train", *labelled("anger", "fear"), agreed, argued),
        part("b", "train", *labelled("anger", "fear"), agreed, argued | {"label": "anger"}),
        part("c", "test", *labelled("anger", "fear")),
    ]
    assert reasons(join(parts, dataset="x")) == {
        "b__u2": ("audio", "duplicate: same samples as a__u2"),
        "a__u3": ("audio", "contradiction: same samples as b__u3, which is anger"),
        "b__u3": ("audio", "contradiction: same samples as a__u3, which is fear"),
    }


def test_sessions_and_texts_of_two_corpora_are_never_the_same_but_those_of_one_are():
    where = {"session": "1", "text": "01"}
    rows = [clip | where for clip in labelled("anger", "fear")]
    parts = [
        part("impro", "train", *rows, key="iemocap"),
        part("script", "train", *rows, key="iemocap"),
        part("improv", "test", *rows, *labelled("fear"), key="msp_improv"),
    ]
    joined = join(parts, dataset="x").utterances
    assert set(joined["session"]) == {"iemocap_1", "msp_improv_1", ""}
    assert set(joined["text"]) == {"iemocap_01", "msp_improv_01", ""}


def test_the_order_of_the_parts_makes_no_difference():
    parts = [
        part("b", "train", *labelled("anger", "fear", "other")),
        part("a", "train", *labelled("fear", "anger")),
        part("c", "test", *labelled("anger", "fear")),
    ]
    first, second = join(parts, dataset="x"), join(parts[::-1], dataset="x")
    pd.testing.assert_frame_equal(first.utterances, second.utterances)
    assert (first.rejected, first.counts) == (second.rejected, second.counts)
