"""Who belongs to which group."""

import numpy as np
import pytest

from candor.config.loading import ConfigError, load
from candor.fairness.groups import Asked, axes_of, utterances_tested
from fairness.people import manifest, predictions

ROWS = predictions({"female": 0.5, "male": 0.5}, speakers=8, each=30, seeds=2)
TESTED = utterances_tested(ROWS)


def axis(asked, **columns):
    return axes_of(TESTED, manifest(ROWS, **columns), Asked([asked]))[0]


def test_every_utterance_is_counted_once_whatever_the_seeds():
    assert len(TESTED) == ROWS["utterance"].nunique()
    made = axis("gender")
    assert made.groups == ["female", "male"]
    assert np.bincount(made.codes).tolist() == [120, 120]
    assert made.kind == "nested"


def test_pairs_of_columns_make_groups_of_both():
    made = axis(["gender", "session"])
    assert made.name == "gender+session"
    assert made.groups == ["female and a", "female and b", "male and a", "male and b"]


def test_texts_cross_speakers_and_speakers_are_themselves():
    made = axis("text", text=np.tile(["one", "two"], 120))
    assert made.kind == "crossed"
    assert axis("speaker").kind == "speaker"


def test_ages_are_binned_and_unknown_ones_are_nobodys_group():
    ages = ROWS.drop_duplicates("utterance")["speaker"].map({f"s{n:02}": age for n, age in enumerate(AGES)})
    made = axis("age", age=ages.to_numpy())
    assert made.groups == ["under 30", "30 to 44", "60 and over"]
    assert made.unknown == 30


AGES = [20, 29, 30, 44, 60, 75, 80, float("nan")]


def test_speakers_who_are_not_known_are_no_group():
    rows = ROWS.assign(speaker=ROWS["speaker"].replace("s00", ""))
    (made,) = axes_of(utterances_tested(rows), manifest(rows), Asked(["speaker"]))
    assert len(made.groups) == 7
    assert made.unknown == 30


@pytest.mark.parametrize(
    ("fairness", "line"),
    [
        ({"groups": ["gendr"]}, "fairness.groups.0 is 'gendr'; allowed: gender, speaker,"),
        ({"groups": ["gender", "gender"]}, "each group may occur once"),
        ({"groups": [["race", "race"]]}, "a pair needs two different columns"),
        ({"groups": []}, "fairness.groups is []"),
        ({"age_bins": [45, 30]}, "each age must be above the one before"),
        ({"parity": "trustser"}, "fairness.parity is 'trustser'; allowed: trust-ser"),
    ],
)
def test_mistakes_in_the_config_are_one_line(fairness, line):
    with pytest.raises(ConfigError, match=r"^config: .*$") as error:
        load({"fairness": fairness})
    assert line in str(error.value)
    assert "\n" not in str(error.value)
