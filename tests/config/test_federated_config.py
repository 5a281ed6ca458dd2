"""The key `federated`: what a name stands for, what is filled in, and what would do nothing."""

from dataclasses import asdict, fields, is_dataclass

import pytest

from candor.config.federated import FederatedRun
from candor.config.loading import ConfigError, load
from candor.federated.settings import Settings


def made(name="run", **keys) -> FederatedRun:
    alone = {"model_type": "fed_avg"} if name == "run" else None
    return load({"federated": {name: keys or alone}}).federated[name]


def keys_of(section) -> dict:
    return {key: keys_of(own) if isinstance(own, dict) else None for key, own in section.items()}


def fields_of(kind) -> dict:
    empty = kind()
    parts = {field.name: getattr(empty, field.name) for field in fields(kind)}
    return {name: fields_of(type(own)) if is_dataclass(own) else None for name, own in parts.items()}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(own) for key, own in value.items()}
    return list(value) if isinstance(value, tuple | list) else value


def test_the_settings_of_a_job_are_the_keys_of_the_config_and_have_their_defaults():
    options = FederatedRun().options()
    fields_of_settings = fields_of(Settings)
    del fields_of_settings["defence"]["imitated"]  # which an attacker sets, and no user
    assert keys_of(options) == fields_of_settings
    assert plain(asdict(Settings.of(options))) == plain(asdict(Settings()))


@pytest.mark.parametrize("name", ["fed_sgd", "scaffold", "krum", "central"])
def test_an_entry_is_of_the_algorithm_that_it_is_called_after(name):
    assert made(name).model_type == name
    assert made(name, model_type="fed_prox").model_type == "fed_prox"
    assert made(f"{name}_slow", num_epochs=500).model_type == "fed_avg"


@pytest.mark.parametrize(
    ("name", "keys", "meant"),
    [
        ("fedprox", {}, "fed_prox"),
        ("FedAdam", {}, "fed_adam"),
        ("scafold", {"num_epochs": 9}, "scaffold"),
        ("mine", {}, ""),
    ],
)
def test_a_slip_in_the_name_of_an_algorithm_is_no_fed_avg(name, keys, meant):
    with pytest.raises(ConfigError, match=rf"^config: federated\.{name} is '{name}'; allowed: fed_sgd, .*{meant}"):
        made(name, **keys)


def test_one_of_something_is_taken_for_a_list_of_one():
    run = made(feature_type="apc", hidden_size=64, keep={"layers": "first"}, faults={"microphone_noise": 20})
    assert (run.feature_type, run.hidden_size, run.keep.layers) == (["apc"], [64], ["first"])
    assert run.faults.microphone_noise == [20]


def test_digits_are_learned_as_the_websocket_example_has_it():
    digits = made("digits")
    assert (digits.workload, digits.model_type, digits.partition, digits.clients) == ("digits", "fed_avg", "iid", 3)
    assert (digits.clients_per_round, digits.optimizer, digits.learning_rate, digits.batch_size) == (1, "sgd", 0.01, 64)
    assert made("digits", num_epochs=3).num_epochs == 3
    for other in ("fed_sgd", "central", "scaffold", "median"):
        assert made("digits", model_type=other).workload == "digits"


def test_the_shipped_federations_are_fed_avg_fed_sgd_what_they_are_compared_with_and_digits():
    assert {name: run.model_type for name, run in load({}).federated.items()} == {
        **{name: name for name in ("fed_avg", "fed_sgd", "central")},
        "digits": "fed_avg",
    }
    assert load({"federated": {"fed_avg": False}}).federated == {}


@pytest.mark.parametrize(
    ("keys", "filled"),
    [
        ({}, {"batch_size": 20, "learning_rate": 0.0005, "optimizer": "adam", "hidden_size": [256, 128]}),
        ({"model_type": "fed_sgd"}, {"batch_size": None, "learning_rate": 0.1, "optimizer": "none"}),
        ({"model_type": "fed_sgd", "optimizer": "adam"}, {"optimizer": "none"}),
        ({"model_type": "fed_sgd", "parity": "fed-ser-leakage"}, {"batch_size": 20}),
        ({"model_type": "fed_sgd", "batch_size": 7}, {"batch_size": 7}),
        ({"model_type": "scaffold"}, {"optimizer": "sgd", "learning_rate": 0.05}),
        ({"model_type": "fed_prox"}, {"proximal": 0.01, "trimmed": None}),
        ({"model_type": "trimmed_mean"}, {"proximal": None, "trimmed": 0.2}),
        ({"model_type": "krum"}, {"malicious": 1, "selected": None}),
        ({"model_type": "multi_krum", "selected": 5}, {"malicious": 1, "selected": 5}),
        ({"downstream_model": "cnn"}, {"hidden_size": [128]}),
        ({"downstream_model": "cnn", "hidden_size": [64]}, {"hidden_size": [64]}),
    ],
)
def test_what_is_left_empty_is_filled_in_by_what_it_is_for(keys, filled):
    options = made(**keys).options()
    assert {key: options[key] for key in filled} == filled


def test_adaptive_servers_have_a_learning_rate_of_their_own():
    rates = {name: made(name).server.learning_rate for name in ("fed_avgm", "fed_adam", "fed_yogi", "fed_adagrad")}
    assert rates == {"fed_avgm": 1.0, "fed_adam": 0.1, "fed_yogi": 0.1, "fed_adagrad": 0.1}
    assert made("fed_adam", server={"learning_rate": 0.3}).server.learning_rate == 0.3


def test_for_whom_it_is_changes_nothing_that_a_run_depends_on():
    assert made(dataset=["demo"], feature_type=["fbank"]).options() == made().options()


@pytest.mark.parametrize(
    ("name", "keys", "line"),
    [
        ("run", {"model_type": "fedavg"}, "model_type is 'fedavg'; allowed: fed_sgd, fed_avg, .* mean 'fed_avg'\\?"),
        ("run", {"seed": 2**32}, "seed is 4294967296; input should be less than 4294967296"),
        ("run", {"evaluate_every": 201}, "evaluate_every is 201; there are no more than 200 rounds"),
        ("run", {"clients_per_round": 0}, "clients_per_round is 0; input should be greater than 0"),
        ("run", {"clients_per_round": 2.5}, "clients_per_round is 2.5; it is a share up to 1, or a whole number"),
        ("run", {"clients_per_round": float("nan")}, "clients_per_round is nan; input should be a finite number"),
        ("run", {"layer": "lst"}, "layer is 'lst'; it is 'last', 'mean', or the number of a layer, from 0"),
        ("run", {"layer": -1}, "layer is -1; it is 'last', 'mean', or the number of a layer"),
        ("run", {"select_after": 200}, "select_after is 200; there are no more than 200 rounds"),
        ("run", {"downstream_model": "cnn", "hidden_size": [9, 8]}, r"hidden_size is \[9, 8\]; the cnn has one width"),
        ("run", {"server": {"lr": 1}}, "server.lr is not a known key; .* Did you mean 'learning_rate'"),
        ("scaffold", {"optimizer": "adam"}, "optimizer is 'adam'; scaffold corrects gradient descent"),
        ("digits", {"partition": "speaker"}, "partition is 'speaker'; digits have neither .* allowed: auto, dirichlet"),
        ("digits", {"clients": 2, "clients_per_round": 3}, "clients_per_round is 3; there are no more than 2"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(name, keys, line):
    with pytest.raises(ConfigError, match=rf"^config: federated\.{name}\.{line}") as error:
        made(name, **keys)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "keys", "line"),
    [
        ("digits", {"norm": "minmax"}, "norm is 'minmax'; it does nothing without workload 'emotion'"),
        ("digits", {"parity": "fed-ser-leakage"}, "parity is 'fed-ser-leakage'; it does nothing without workload"),
        ("digits", {"shards": 5}, "shards is 5; it does nothing without partition 'speaker_shards'"),
        ("run", {"norm": "nonorm", "norm_scope": "train"}, "norm_scope is 'train'; it does nothing with norm 'nonorm'"),
        ("run", {"layer": 1, "downstream_model": "cnn"}, "layer is 1; it does nothing with downstream_model 'cnn'"),
        ("run", {"clients": 5}, "clients is 5; it does nothing without partition 'dirichlet' or 'quantity' or 'iid'"),
        ("run", {"partition": "iid", "concentration": 1}, "concentration is 1; it does nothing without partition"),
        ("central", {"clients_per_round": 1}, "clients_per_round is 1; it does nothing with model_type 'central'"),
        ("central", {"faults": {"broken": 0.1}}, "faults.broken is 0.1; it does nothing with model_type 'central'"),
        ("central", {"keep": {"standalone": True}}, "keep.standalone is True; it does nothing with model_type"),
        ("central", {"keep": {"updates_every": 1}}, "keep.updates_every is 1; it does nothing with model_type"),
        ("central", {"keep": {"precision": "int8"}}, "keep.precision is 'int8'; it does nothing with model_type"),
        ("central", {"engine": "loop"}, "engine is 'loop'; it does nothing with model_type 'central'"),
        (
            "fed_sgd",
            {"faults": {"straggle": 0.1, "straggler_work": 0.9}},
            "faults.straggler_work is 0.9; it does nothing with model_type 'fed_sgd', as a gradient has no parts",
        ),
        ("run", {"momentum": 0.9}, "momentum is 0.9; it does nothing without optimizer 'sgd'"),
        (
            "fed_sgd",
            {"optimizer": "sgd", "momentum": 0.9},
            "momentum is 0.9; it does nothing with model_type",
        ),
        ("fed_sgd", {"weight_decay": 1}, "weight_decay is 1; it does nothing with model_type 'fed_sgd'"),
        (
            "fed_sgd",
            {"shuffle": False},
            "shuffle is False; it does nothing with .* no batch_size",
        ),
        ("run", {"on_exhausted": "stop"}, "on_exhausted is 'stop'; it does nothing without federate_after_n_batches"),
        ("run", {"federate_after_n_batches": 3, "local_epochs": 2}, "local_epochs is 2; it does nothing with federate"),
        ("run", {"proximal": 1}, "proximal is 1; it does nothing without model_type 'fed_prox'"),
        ("krum", {"selected": 3}, "selected is 3; it does nothing without model_type 'multi_krum'"),
        ("run", {"server": {"momentum": 0.5}}, "server.momentum is 0.5; it does nothing without model_type 'fed_avgm'"),
        ("fed_adagrad", {"server": {"beta_1": 0.5}}, "server.beta_1 is 0.5; it does nothing without model_type"),
        ("run", {"faults": {"poison": "scale"}}, "faults.poison is 'scale'; it does nothing without poisoned"),
        ("run", {"keep": {"updates_every": 0, "precision": "int8"}}, "keep.precision is 'int8'; it does nothing with"),
        (
            "run",
            {"downstream_model": "cnn", "faults": {"microphone_noise": [20]}},
            r"faults.microphone_noise is \[20\]; it does nothing without workload 'emotion' and downstream_model 'mlp'",
        ),
    ],
)
def test_what_would_do_nothing_is_refused(name, keys, line):
    with pytest.raises(ConfigError, match=rf"^config: federated\.{name}\.{line}") as error:
        made(name, **keys)
    assert "\n" not in str(error.value)


def test_what_the_published_commands_say_without_effect_is_accepted():
    assert made("fed_sgd", local_epochs=5, optimizer="adam").local_epochs == 5
    assert made(federate_after_n_batches=50, on_exhausted="stop", local_epochs=2).local_epochs == 2
