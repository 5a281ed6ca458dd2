"""By whose gradient which models are attacked, and which attacks the config refuses."""

import pytest

from candor.backbones.interface import Backbone, load_family
from candor.config import backbones as entries
from candor.config.loading import ConfigError, load
from candor.plan.attacks import (
    Access,
    attack_on,
    attacked_systems,
    called,
    check_attack,
    rows_of_table,
    settings_of,
)


def config(backbones=("egemaps", "fbank", "wavlm"), recipes=None, **attack):
    return load({"backbones": dict.fromkeys(backbones), "recipes": recipes or {"cnn": None}, "attack": attack})


def test_what_has_a_gradient_is_attacked_by_it_and_the_rest_by_the_first_that_has():
    made = config()
    assert attack_on(made, "demo", "wavlm", "cnn") == Access(own_gradient=True, surrogate="")
    assert attack_on(made, "demo", "egemaps", "cnn") == Access(own_gradient=False, surrogate="fbank")
    assert called(made, "egemaps", attack_on(made, "demo", "egemaps", "cnn")) == [("transfer_fgsm", "fbank")]


def test_a_surrogate_that_is_named_attacks_all_others():
    made = config(surrogate="wavlm", attack_method=["fgsm", "pgd"])
    assert attack_on(made, "demo", "wavlm", "cnn").surrogate == ""
    assert called(made, "fbank", attack_on(made, "demo", "fbank", "cnn")) == [
        ("fgsm", "fbank"), ("pgd", "fbank"), ("transfer_fgsm", "wavlm"), ("transfer_pgd", "wavlm"),
    ]  # fmt: skip
    assert attack_on(made, "demo", "egemaps", "cnn").surrogate == "wavlm"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"backbones": ["egemaps"]}, "no gradient passes through egemaps, and no backbone with cnn has one to lend"),
        (
            {"recipes": {"cnn": {"pretrain_model": ["egemaps", "fbank"]}}, "surrogate": "wavlm"},
            r"no gradient passes through egemaps, and attack.surrogate, wavlm, has no models of cnn",
        ),
    ],
)
def test_where_nobody_lends_a_gradient_the_reason_is_told(options, reason):
    made = config(**options)
    assert attack_on(made, "demo", "egemaps", "cnn").reason == reason
    assert ("egemaps", "cnn") not in list(attacked_systems(made, "demo"))


@pytest.mark.parametrize("name", [name for name in entries.KNOWN if "s3prl" not in entries.KNOWN[name]["family"]])
def test_the_config_knows_which_families_have_a_gradient(name):
    entry = load({"backbones": {name: None}}).backbones[name]
    module = load_family(entry.family)
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Backbone)]
    assert all(kind.differentiable == entry.differentiable for kind in kinds if kind is not Backbone)


def test_trust_sers_way_has_a_name_of_its_own():
    made = config(parity="trust-ser", snr=45)
    assert settings_of(made)["methods"] == ["fgsm_trust_ser"]
    assert settings_of(made)["snrs"] == [45]


@pytest.mark.parametrize(
    ("attack", "line"),
    [
        ({"attack_method": "guassian_noise"}, "attack_method is 'guassian_noise'; allowed: fgsm, pgd, pgd_momentum"),
        ({"snr": [45, 45]}, "each may occur once"),
        ({"attack_method": ["pgd", "pgd"]}, "each may occur once"),
        ({"steps": 20}, "steps does nothing without pgd or pgd_momentum in attack_method"),
        ({"momentum": 0.5, "attack_method": "pgd"}, "momentum does nothing without pgd_momentum"),
        ({"parity": "trust-ser", "attack_method": ["fgsm", "pgd"]}, "is for attack_method 'fgsm'"),
        ({"parity": "trust-ser", "target": "anger"}, "has no target"),
        ({"target": "angr"}, r"attack\.target is 'angr'.* Did you mean 'anger'\?"),
        ({"surrogate": "wavlmm"}, r"attack\.surrogate is 'wavlmm'; allowed: fbank, wavlm. Did you mean 'wavlm'\?"),
        (
            {"surrogate": "egemaps"},
            "attack.surrogate is 'egemaps', through which no gradient passes; allowed: fbank, wavlm",
        ),
    ],
)
def test_attacks_that_cannot_be_are_refused(attack, line):
    with pytest.raises(ConfigError, match=line):
        check_attack(config(**attack))


def test_a_surrogate_without_models_of_the_recipe_is_told_in_the_table():
    """It would be left out in silence otherwise, beside the attack by a model's own gradient."""
    made = load(
        {
            "backbones": {"fbank": None, "apc": None, "egemaps": None, "apc_demo": False},
            "recipes": {"cnn": {"pretrain_model": ["apc", "egemaps"]}},
            "attack": {"surrogate": "fbank"},
        }
    )
    reason = "attack.surrogate, fbank, has no models of cnn that could lend their gradient"
    none = "no gradient passes through egemaps, and attack.surrogate, fbank, has no models of cnn"
    assert list(rows_of_table(made, "demo")) == [
        ("apc", "cnn", ""),
        ("apc", "cnn", reason),
        ("egemaps", "cnn", none),
    ]
