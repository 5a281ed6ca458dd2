import pandas as pd
import pytest

from candor.splits.folds import SplitError
from candor.splits.tabulate import overview_rows
from splits.manifests import manifest, part, split


def podcasts(*splits: str) -> pd.DataFrame:
    return manifest(
        {"split": name, "speaker": "" if clip % 3 == 0 else f"s{clip % 5}", "label": "neutral"}
        for name in splits
        for clip in range(10)
    )


@pytest.mark.parametrize("parity", [None, "trust-ser"])
@pytest.mark.parametrize(
    ("splits", "test"),
    [
        (("dev", "test", "train"), "test"),
        (("train", "dev", "test2", "test1", "test3"), "test1"),
        (("train", "dev", "test10", "test2", ""), "test2"),
    ],
)
def test_the_first_test_set_is_tested_and_the_others_are_set_aside(splits, test, parity):
    utterances = podcasts(*splits)
    (fold,) = split(utterances, "official", 1, parity=parity)
    assert part(fold, utterances, "test", "split") == {test}
    assert part(fold, utterances, "dev", "split") == {"dev"}
    assert part(fold, utterances, "train", "split") == {"train"}
    assert len(fold.parts) == 30


def test_clips_of_unknown_speakers_take_part_and_are_counted():
    utterances = podcasts("train", "dev", "test1")
    rows = overview_rows(split(utterances, "official", 1), utterances)
    assert [row["utterances"] for row in rows] == [10, 10, 10]
    assert [row["speakers"] for row in rows] == [5, 5, 5]
    assert rows[0]["warning"] == "4 clips of unknown speakers"
    assert rows[2]["warning"] == "5 of 5 speakers are also in train; 4 clips of unknown speakers"


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        (("train", "test"), r"has no dev here, but test \(10 clips\), train \(10 clips\). Set"),
        (("train", "dev"), "has no test here"),
        (("dev", "test2"), "has no train here"),
        (("train", ""), r"has no dev and no test here, but blank \(10 clips\), train \(10 clips\)"),
        (("",), "no clip has a part in an official partition. Set splits.scheme to speakers"),
    ],
)
def test_a_part_that_is_missing_is_named_beside_those_that_are_there(splits, said):
    with pytest.raises(SplitError, match=said):
        split(podcasts(*splits), "official", 1)


def test_the_official_partition_is_one_fold():
    with pytest.raises(SplitError, match=r"is one fold\. Set splits\.folds to 1 or leave it out, not 5"):
        split(podcasts("train", "dev", "test"), "official", 5)


def test_meld_s_test_speakers_are_mostly_in_train(corpora):
    """Counted from the label files: 100 people speak in test, 69 of them in train too, as do 33 of dev's 47."""
    read = {name: pd.read_csv(corpora / "meld" / f"{name}_sent_emo.csv") for name in ("train", "dev", "test")}
    utterances = manifest(
        {"utterance": f"{name}_{number}", "split": name, "speaker": f"meld_{speaker}", "label": "neutral"}
        for name, lines in read.items()
        for number, speaker in enumerate(lines["Speaker"])
    )
    train, dev, test = overview_rows(split(utterances, "official", 1), utterances)
    assert [row["utterances"] for row in (train, dev, test)] == [9989, 1109, 2610]
    assert [row["speakers"] for row in (train, dev, test)] == [260, 47, 100]
    assert test["speakers_in_train"] == 69
    assert test["warning"] == "69 of 100 speakers are also in train"
    assert dev["warning"] == "33 of 47 speakers are also in train"
    assert train["speakers_in_train"] == 0
