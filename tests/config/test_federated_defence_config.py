"""The key `defence` of a federation: what is filled in, what cannot be, and that each budget is a run."""

import pytest

from candor.config.federated import FederatedRun
from candor.config.loading import ConfigError, load

CLIENT_DP, LOCAL_DP, USER_DP = ({"kind": kind, "epsilon": 10} for kind in ("client_dp", "local_dp", "user_dp"))
PARITY = "fed-ser-leakage"
GIVEN = {"delta": 1e-6, "clip": 2, "noise": 1}
NOTHING = dict.fromkeys(["epsilon", "delta", "clip", "noise", "share"])


def made(model_type="fed_avg", **keys) -> FederatedRun:
    return load({"federated": {"run": {"model_type": model_type, **keys}}}).federated["run"]


def line_of(model_type, keys) -> str:
    with pytest.raises(ConfigError) as error:
        made(model_type, **keys)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("keys", "filled"),
    [
        ({}, {"kind": "none"}),
        ({"defence": {"kind": "sign"}}, {"kind": "sign"}),
        ({"defence": {"kind": "top_k"}}, {"kind": "top_k", "share": 0.05}),
        ({"defence": CLIENT_DP}, {**CLIENT_DP, "delta": 1e-5, "clip": 0.5}),
        ({"defence": LOCAL_DP}, {**LOCAL_DP, "delta": 1e-5, "clip": 0.5}),
        ({"defence": LOCAL_DP | GIVEN}, LOCAL_DP | GIVEN),
        ({"defence": USER_DP, "parity": PARITY}, {**USER_DP, "delta": 0.5, "clip": 0.25}),
    ],
)
def test_what_is_left_empty_is_filled_in_by_the_kind(keys, filled):
    assert made(**keys).options()["defence"] == {**NOTHING, **filled}


@pytest.mark.parametrize(
    ("defence", "line"),
    [
        ("client_dp", "defence is 'client_dp', but takes keys of its own: clip, delta, epsilon, kind, noise, share"),
        ({"kind": "dp"}, "defence.kind is 'dp'; allowed: none, client_dp, local_dp, user_dp, sign, top_k."),
        (CLIENT_DP | {"epsilon": None}, "defence.epsilon is None; kind 'client_dp' needs epsilon, its budget"),
        ({"kind": "local_dp"}, "defence is {'kind': 'local_dp'}; kind 'local_dp' needs epsilon, its budget"),
        (LOCAL_DP | {"epsilon": []}, "defence.epsilon is []; it is a number above 0, or a list of such"),
        (LOCAL_DP | {"epsilon": [0]}, "defence.epsilon is [0]; it is a number above 0, or a list of such"),
        (LOCAL_DP | {"epsilon": "10"}, "defence.epsilon is '10'; it is a number above 0, or a list of such"),
        (LOCAL_DP | {"epsilon": [1, 1.0]}, "defence.epsilon is [1, 1.0]; it names a number twice"),
        (CLIENT_DP | {"noise": 0.05}, "defence.noise is 0.05; input should be greater than or equal to 0.1"),
        (CLIENT_DP | {"delta": 1}, "defence.delta is 1; input should be less than 1"),
        (CLIENT_DP | {"sigma": 1}, "defence.sigma is not a known key; allowed: clip, delta, epsilon, kind, noise"),
        (CLIENT_DP | {"share": 0.1}, "defence.share is 0.1; it does nothing without kind 'top_k'"),
        ({"epsilon": 3}, "defence.epsilon is 3; it does nothing without kind 'client_dp' or 'local_dp' or 'user_dp'"),
        ({"kind": "sign", "clip": 1}, "defence.clip is 1; it does nothing without kind 'client_dp' or 'local_dp'"),
        (USER_DP | {"noise": 1}, "defence.noise is 1; it does nothing without kind 'client_dp' or 'local_dp'"),
        (USER_DP, "defence.kind is 'user_dp'; it is fed-ser-leakage's: set parity to that and model_type to 'fed_avg'"),
    ],
)
def test_a_defence_that_cannot_be_is_refused_in_a_line(defence, line):
    assert line_of("fed_avg", {"defence": defence}).startswith(f"config: federated.run.{line}")


@pytest.mark.parametrize(
    ("algorithm", "keys", "line"),
    [
        ("central", {"defence": {"kind": "sign"}}, "defence.kind is 'sign'; with model_type 'central' no client sends"),
        ("scaffold", {"defence": {"kind": "top_k"}}, "defence.kind is 'top_k'; scaffold's controls travel beside the"),
        ("scaffold", {"defence": CLIENT_DP}, "defence.kind is 'client_dp'; scaffold's controls travel beside the"),
        ("fed_sgd", {"defence": USER_DP, "parity": PARITY}, "defence.kind is 'user_dp'; it is fed-ser-leakage's"),
        *(
            (name, {"defence": CLIENT_DP}, f"defence.kind is 'client_dp'; it guards the sum of the updates, and {name}")
            for name in ("median", "trimmed_mean", "krum", "multi_krum")
        ),
        *(
            ("fed_avg", {"defence": own, "norm_scope": "train"}, "norm_scope is 'train'; with defence.kind")
            for own in (CLIENT_DP, LOCAL_DP)
        ),
        *(
            ("fed_avg", {"defence": own, "select_after": 5}, "select_after is 5; it does nothing with defence.kind")
            for own in (CLIENT_DP, LOCAL_DP)
        ),
        ("fed_avg", {"defence": CLIENT_DP, "faults": {"poisoned": 0.1}}, "faults.poisoned is 0.1; with defence.kind"),
        (
            "fed_avg",
            {"defence": CLIENT_DP, "federate_after_n_batches": 5, "on_exhausted": "stop"},
            "on_exhausted is 'stop'; with defence.kind 'client_dp' the end of a run must not tell",
        ),
    ],
)
def test_what_cannot_be_beside_a_defence_is_refused(algorithm, keys, line):
    assert line_of(algorithm, keys).startswith(f"config: federated.run.{line}")


def test_a_defence_may_stand_beside_what_only_works_on_its_result():
    for algorithm in ("fed_sgd", "fed_avg", "fed_prox", "fed_avgm", "fed_adam", "fed_yogi", "fed_adagrad"):
        assert made(algorithm, defence=CLIENT_DP).defence.kind == "client_dp"
    for algorithm in ("median", "trimmed_mean", "krum", "multi_krum"):
        assert made(algorithm, defence=LOCAL_DP, faults={"poisoned": 0.1}).defence.kind == "local_dp"
    assert made(defence=USER_DP, parity=PARITY, select_after=100, norm_scope="train").defence.kind == "user_dp"
    assert made(defence={"kind": "sign"}, norm_scope="train", select_after=9).defence.kind == "sign"


def test_a_list_of_budgets_is_a_run_of_each_and_one_budget_is_the_entry_itself():
    several = made(defence={"kind": "client_dp", "epsilon": [10, 0.5, 1e6], "clip": 1})
    endings = [(ending, own.options()["defence"]["epsilon"]) for ending, own in several.variants()]
    assert endings == [("_eps10", 10), ("_eps0.5", 0.5), ("_eps1000000", 1e6)]
    assert {own.defence.clip for _, own in several.variants()} == {1}
    assert [ending for ending, _ in made(defence=CLIENT_DP).variants()] == [""]
    assert [ending for ending, _ in made(defence=CLIENT_DP | {"epsilon": [10]}).variants()] == ["_eps10"]
    assert [ending for ending, _ in made().variants()] == [""]
