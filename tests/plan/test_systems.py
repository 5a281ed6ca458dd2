"""Which recipe is trained on which backbone and dataset, and what that asks of the stage before."""

import pytest

from candor.config.loading import ConfigError, load
from candor.plan.systems import check_systems, reads_frames, spans, systems

BACKBONES = {"fbank": None, "egemaps": None, "apc": None, "wavlm": None, "apc_demo": False}
DATASETS = ["demo", "emodb"]


def config(**recipes):
    return load({"backbones": BACKBONES, "recipes": recipes})


def test_every_recipe_is_trained_on_every_backbone_unless_it_says_otherwise():
    made = config(cnn=None, wav={"pretrain_model": ["wavlm"]}, here={"dataset": ["emodb"], "pretrain_model": ["apc"]})
    assert list(systems(made, "demo")) == [
        ("fbank", "cnn"),
        ("egemaps", "cnn"),
        ("apc", "cnn"),
        ("wavlm", "cnn"),
        ("wavlm", "wav"),
    ]
    assert ("apc", "here") in list(systems(made, "emodb"))


def test_what_cannot_be_tuned_is_left_out_of_recipes_that_tune():
    assert [backbone for backbone, _ in systems(config(full={"mode": "full"}), "demo")] == ["apc", "wavlm"]


def test_features_are_made_for_every_length_that_a_recipe_uses():
    made = config(cnn=None, whole={"audio_duration": None}, short={"audio_duration": 2.5, "pretrain_model": ["apc"]})
    assert spans(made, "demo", "apc") == {"first6s": 6.0, "whole": None, "first2.5s": 2.5}
    assert list(spans(made, "demo", "fbank")) == ["first6s", "whole"]


@pytest.mark.parametrize(
    ("recipe", "wanted"),
    [
        ({"downstream_model": "cnn"}, True),
        ({"downstream_model": "gru"}, True),
        ({"downstream_model": "linear"}, False),
        ({"downstream_model": "linear", "norm": "znorm"}, False),
        ({"downstream_model": "linear", "pooling": "att"}, True),
        ({"downstream_model": "linear", "norm": "minmax"}, True),
        ({"downstream_model": "cnn", "mode": "full"}, False),
    ],
)
def test_frames_are_kept_only_where_a_recipe_reads_them(recipe, wanted):
    assert reads_frames(config(one=recipe), "demo", "wavlm", "first6s") is wanted


@pytest.mark.parametrize(
    ("recipe", "line"),
    [
        ({"pretrain_model": ["wavml"]}, r"recipes\.one\.pretrain_model is 'wavml'; allowed: .* Did you mean 'wavlm'\?"),
        ({"dataset": ["emobd"]}, r"recipes\.one\.dataset is 'emobd'; allowed: demo, emodb\. Did you mean 'emodb'\?"),
        (
            {"mode": "lora", "pretrain_model": ["fbank"]},
            r"recipes\.one\.mode is 'lora', but fbank \(fbank\) has nothing that could be trained",
        ),
    ],
)
def test_a_recipe_for_what_there_is_not_is_refused(recipe, line):
    with pytest.raises(ConfigError, match=line):
        check_systems(config(one=recipe), DATASETS)


def test_a_pretraining_on_what_there_is_not_is_refused():
    made = load({"backbones": {"ours": {"family": "s3prl", "upstream": "apc", "pretrain": {"dataset": ["dmo"]}}}})
    line = r"backbones\.ours\.pretrain\.dataset is 'dmo'; allowed: demo, emodb\. Did you mean 'demo'\?"
    with pytest.raises(ConfigError, match=line):
        check_systems(made, DATASETS)
