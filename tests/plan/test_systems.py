"""Which recipe is trained on which backbone and dataset, and what that asks of the stage before."""

import pytest

from candor.backbones.families.s3prl import UPSTREAMS
from candor.config.backbones import S3prl
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
    assert [backbone for backbone, _ in systems(config(lora={"mode": "lora"}), "demo")] == ["wavlm"]


def test_a_recipe_that_no_backbone_can_take_part_in_is_refused():
    made = load({"backbones": {"fbank": None}, "recipes": {"tuned": {"mode": "full"}}})
    line = r"recipes\.tuned\.mode is 'full', but of the backbones \(fbank\) each has nothing that could be trained"
    with pytest.raises(ConfigError, match=line):
        check_systems(made, DATASETS)


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_lora_is_for_upstreams_with_attention(upstream):
    entry = S3prl(upstream=upstream, checkpoint="c.ckpt")
    assert ("lora" in entry.modes) == bool(UPSTREAMS[upstream].lora_targets)


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
        ({"downstream_model": "linear", "norm": "znorm", "norm_scope": "speaker"}, False),
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
            r"recipes\.one\.mode is 'lora', but fbank has no attention that LoRA could adapt; .* set mode to frozen",
        ),
        (
            {"mode": "full", "pretrain_model": ["egemaps"]},
            r"recipes\.one\.mode is 'full', but egemaps has nothing that could be trained; .* set mode to frozen",
        ),
        (
            {"mode": "lora", "pretrain_model": ["apc"]},
            r"recipes\.one\.mode is 'lora', but apc has no attention .* set mode to frozen or last_layer or full",
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
