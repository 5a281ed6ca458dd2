import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from candor.splits.folds import SplitError, speaker_folds, trust_ser_folds
from candor.splits.tabulate import fold_rows, make_folds, overview_rows, trust_ser_lists

populations = st.dictionaries(
    st.text("abcdef0123", min_size=1, max_size=6), st.sampled_from(["female", "male", ""]), min_size=3, max_size=60
)


@given(genders=populations, folds=st.integers(3, 12), seed=st.integers(0, 5))
def test_speakers_are_disjoint_and_each_is_tested_and_selected_on_once(genders, folds, seed):
    if len(genders) < folds:
        with pytest.raises(SplitError, match=f"{folds} folds need"):
            speaker_folds(genders, folds, seed)
        return
    made = speaker_folds(genders, folds, seed)
    assert [fold.number for fold in made] == list(range(1, folds + 1))
    for fold in made:
        assert set(fold.parts) == set(genders)
        assert {"train", "dev", "test"} == set(fold.parts.values())
    for part in ("test", "dev"):
        assert Counter(speaker for fold in made for speaker in fold.speakers(part)) == Counter(list(genders))
    sizes = [len(fold.speakers("test")) for fold in made]
    assert max(sizes) - min(sizes) <= 1
    for gender in set(genders.values()):
        own = [sum(genders[speaker] == gender for speaker in fold.speakers("test")) for fold in made]
        assert max(own) - min(own) <= 1


@given(genders=populations, seed=st.integers(0, 5))
def test_folds_do_not_depend_on_the_order_of_speakers(genders, seed):
    reordered = dict(reversed(genders.items()))
    assert speaker_folds(genders, 3, seed) == speaker_folds(reordered, 3, seed)


@given(count=st.integers(5, 120))
def test_trust_ser_folds_are_scikit_learns(count):
    """The seed's rule, written with the library that it uses."""
    speakers = [f"s{number:03}" for number in range(count)]
    for fold, (rest, test) in zip(trust_ser_folds(speakers), KFold(5).split(speakers), strict=True):
        dev = rest[-len(rest) // 5 :]
        assert fold.speakers("test") == [speakers[index] for index in test]
        assert fold.speakers("dev") == [speakers[index] for index in dev]
        assert fold.speakers("train") == [speakers[index] for index in rest if index not in set(dev)]


def test_trust_ser_folds_of_ravdess_have_the_published_sizes():
    folds = trust_ser_folds([f"ravdess_Actor_{actor:02}" for actor in range(1, 25)])
    sizes = [tuple(len(fold.speakers(part)) for part in ("train", "dev", "test")) for fold in folds]
    assert sizes == [(15, 4, 5)] * 4 + [(16, 4, 4)]
    assert folds[0].speakers("dev") == [f"ravdess_Actor_{actor}" for actor in range(21, 25)]


def manifest() -> pd.DataFrame:
    rows = [
        {
            "utterance": f"u{speaker}{label[0]}",
            "path": f"Actor/{speaker}{label[0]}.wav",
            "speaker": f"s{speaker}",
            "gender": ["female", "male"][speaker % 2],
            "raw_label": label[0].upper(),
            "label": label,
        }
        for speaker in range(6)
        for label in ("neutral", "anger")
        if not (speaker == 0 and label == "anger")
    ]
    return pd.DataFrame(rows)


def test_tables_name_what_a_part_lacks():
    utterances = manifest()
    folds = make_folds(utterances, folds=6, seed=0, parity=None)
    rows = overview_rows(folds, utterances)
    assert sum(row["utterances"] for row in rows if row["part"] == "test") == len(utterances)
    lacking = {row["warning"] for row in rows if row["part"] == "test"}
    assert "no anger, no male" in lacking
    assert all(row["warning"] == "" for row in rows if row["part"] == "train")
    assert set(fold_rows(folds[0], utterances)["part"]) == {"train", "dev", "test"}


def test_lists_have_the_seeds_format():
    utterances = manifest()
    fold = make_folds(utterances, folds=3, seed=0, parity=None)[0]
    lists = json.loads(json.dumps(trust_ser_lists(fold, utterances, Path("/data/corpus"))))
    assert set(lists) == {"train", "dev", "test"}
    assert sum(map(len, lists.values())) == len(utterances)
    key, speaker, gender, path, label = lists["test"][0]
    assert utterances.set_index("utterance").loc[key, "speaker"] == speaker
    assert gender in {"female", "male"}
    assert path.startswith("/data/corpus/Actor/")
    assert label in {"N", "A"}
