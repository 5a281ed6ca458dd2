"""Whole runs whose updates are defended: when they end, which model is tested, and that a kill changes nothing."""

import math
from collections import Counter
from dataclasses import replace

import dp_accounting
import numpy as np
import pytest
import torch
from dp_accounting import pld
from torch import nn

from candor.federated.errors import FederatedError
from candor.federated.mishaps import Mishaps
from candor.federated.sampling import each_by_chance
from candor.federated.settings import PUBLISHED, Defence, Faults, Server
from small_federation import BASE, CLASSES, Speech, run, small_world, told

CLIENT_DP = Defence("client_dp", epsilon=30.0, delta=1e-5, clip=0.5, noise=0.7)
LOCAL_DP = Defence("local_dp", epsilon=30.0, delta=1e-5, clip=0.5, noise=1.0)
USER_DP = Defence("user_dp", epsilon=10.0, delta=0.5, clip=0.25)
DEFENCES = {
    "client_dp": {"defence": CLIENT_DP},
    "client_dp, budget spent": {"defence": replace(CLIENT_DP, epsilon=12.0)},
    "client_dp, calibrated": {"defence": replace(CLIENT_DP, noise=None)},
    "client_dp with faults": {"defence": CLIENT_DP, "faults": Faults(drop_out=0.4, straggle=0.2, broken=0.2)},
    "client_dp with gradients": {
        **{"defence": CLIENT_DP, "model_type": "fed_sgd", "optimizer": "none", "batch_size": None},
    },
    "client_dp with momentum": {"defence": CLIENT_DP, "model_type": "fed_avgm", "server": Server(momentum=0.5)},
    "local_dp": {"defence": LOCAL_DP},
    "local_dp, budget spent": {"defence": replace(LOCAL_DP, epsilon=17.0)},
    "local_dp with poison and Krum": {
        **{"defence": LOCAL_DP, "model_type": "krum", "malicious": 1, "faults": Faults(poisoned=0.1)},
    },
    "user_dp": {"defence": USER_DP, "parity": PUBLISHED},
    "sign": {"defence": Defence("sign")},
    "top_k": {"defence": Defence("top_k", share=0.05)},
}


@pytest.fixture(scope="module")
def world():
    return small_world()


@pytest.mark.parametrize("how", DEFENCES)
def test_a_defended_run_is_the_same_whether_killed_or_not(world, tmp_path, how, monkeypatch):
    monkeypatch.setattr("candor.models.resume.PATIENCE", -1.0)
    settings = replace(BASE, **DEFENCES[how])
    whole = run(world, settings, tmp_path / "whole")
    for stop in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            run(world, settings, tmp_path / "killed", stop_after=stop)
    again = run(world, settings, tmp_path / "killed")
    assert told(*again, tmp_path / "killed") == told(*whole, tmp_path / "whole")


def spent_by(defence, rate, rounds):
    accountant = pld.PLDAccountant(dp_accounting.NeighboringRelation.ADD_OR_REMOVE_ONE)
    event = dp_accounting.PoissonSampledDpEvent(rate, dp_accounting.GaussianDpEvent(defence.noise))
    return accountant.compose(event, rounds).get_epsilon(defence.delta)


def test_a_run_ends_before_the_round_that_would_exceed_its_budget(world, tmp_path):
    defence = replace(CLIENT_DP, epsilon=12.0)
    course, _ = run(world, replace(BASE, defence=defence), tmp_path)
    assert 1 < course.done < 12
    assert spent_by(defence, 0.5, course.done) <= 12 < spent_by(defence, 0.5, course.done + 1)
    assert course.rounds[-1]["dev_uar"] is not None, "the last model is judged"
    assert course.best_round == course.done


def test_a_client_takes_no_further_part_when_its_budget_is_spent(world, tmp_path):
    defence = replace(LOCAL_DP, epsilon=17.0)
    # Noise on an update is worth half, as another update could be 2 C away; sent twice, less by the square root of 2.
    once, twice, thrice = (
        dp_accounting.get_epsilon_gaussian(defence.noise / 2 / math.sqrt(times), 1e-5) for times in (1, 2, 3)
    )
    assert once < twice < 17 < thrice
    course, _ = run(world, replace(BASE, defence=defence), tmp_path)
    assert course.done < 12
    assert set(Counter(row["client"] for row in course.participants).values()) == {2}


def test_who_does_not_answer_spends_nothing(world, tmp_path):
    defence = replace(LOCAL_DP, epsilon=17.0)
    course, _ = run(world, replace(BASE, defence=defence, faults=Faults(drop_out=0.5)), tmp_path)
    sent = Counter(row["client"] for row in course.participants if row["outcome"] == "answered")
    asked = Counter(row["client"] for row in course.participants)
    assert max(sent.values()) == 2 < max(asked.values())


@pytest.mark.parametrize("defence", [CLIENT_DP, LOCAL_DP], ids=lambda own: own.kind)
def test_the_last_model_is_tested_as_to_select_one_would_cost_too(world, tmp_path, defence):
    settings = replace(BASE, defence=defence, seed=3)
    course, _ = run(world, settings, tmp_path)
    judged = [row["dev_uar"] for row in course.rounds]
    assert course.best_round == course.done
    assert max(judged) > judged[-1], "an earlier one was better"
    undefended, _ = run(world, replace(settings, defence=Defence()), tmp_path / "without")
    assert undefended.rounds[undefended.best_round - 1]["dev_uar"] == max(row["dev_uar"] for row in undefended.rounds)


def test_a_round_without_an_answer_is_a_step_of_noise(world, tmp_path):
    """Rounds without an answer do not end a run either: that would tell that nobody was there."""
    mostly = replace(BASE, clients_per_round=1 / 10, num_epochs=40, faults=Faults(drop_out=0.7))
    course, _ = run(world, replace(mostly, defence=replace(CLIENT_DP, epsilon=60.0)), tmp_path)
    assert course.done == 40
    silent = [row for row in course.rounds if not row["answered"]]
    assert len(silent) > 20
    numbers = sum(parameter.numel() for parameter in world[0].make().parameters())
    # One client is expected, so that the noise on the step is z C in each number.
    for row in silent:
        assert row["update_norm"] == pytest.approx(0.7 * 0.5 * math.sqrt(numbers), rel=0.2)


def test_who_takes_part_is_drawn_by_chance_of_all_clients(world, tmp_path):
    course, _ = run(world, replace(BASE, defence=CLIENT_DP), tmp_path)
    for row in course.rounds:
        there = [int(own["client"][1:]) for own in course.participants if own["round"] == row["round"]]
        assert there == each_by_chance(10, 0.5, BASE.seed, row["round"])
    assert len({row["chosen"] for row in course.rounds}) > 2


def test_of_what_is_sent_no_update_is_longer_than_the_clip_and_its_noise(world, tmp_path):
    quiet = replace(LOCAL_DP, epsilon=1e5, noise=0.1, clip=0.01)
    course, _ = run(world, replace(BASE, defence=quiet), tmp_path)
    numbers = sum(parameter.numel() for parameter in world[0].make().parameters())
    expected = 0.01 * math.sqrt(1 + 0.1**2 * numbers)
    norms = [row["update_norm"] for row in course.participants]
    assert norms == pytest.approx([expected] * len(norms), rel=0.1)


def test_what_is_broken_on_its_way_is_turned_away_and_its_noise_is_replaced(world, tmp_path):
    settings = replace(BASE, defence=CLIENT_DP, faults=Faults(broken=1.0))
    fates = Mishaps(settings.faults, 10, settings.seed).fates(range(10), 1)
    assert set(fates.values()) == {"broken"}
    with pytest.raises(FederatedError, match="nobody has answered in any of 12 rounds"):
        run(world, settings, tmp_path)
    some, _ = run(world, replace(settings, faults=Faults(broken=0.5)), tmp_path / "some")
    assert {row["outcome"] for row in some.participants} == {"answered", "not finite"}
    assert torch.isfinite(some.best_weights.parameters).all()


@pytest.mark.parametrize("kind", ["none", "sign", "top_k"])
def test_clients_send_fewer_bytes_than_they_get(world, tmp_path, kind):
    course, _ = run(world, replace(BASE, num_epochs=2, defence=Defence(kind, share=0.05)), tmp_path)
    shapes = [parameter.shape for parameter in world[0].make().parameters()]
    numbers = sum(shape.numel() for shape in shapes)
    each = {"none": 4 * numbers, "sign": -(-numbers // 8) + 4 * len(shapes), "top_k": 8 * round(0.05 * numbers)}[kind]
    assert [row["bytes_up"] for row in course.rounds] == [5 * each] * 2
    assert [row["bytes_down"] for row in course.rounds] == [5 * 4 * numbers] * 2


@pytest.mark.parametrize("how", ["user_dp", "client_dp", "local_dp", "sign"])
def test_both_engines_run_the_same_defended_course(world, tmp_path, how):
    settings = replace(BASE, num_epochs=4, **DEFENCES[how])
    fast, _ = run(world, settings, tmp_path / "fast")
    loop, _ = run(world, replace(settings, engine="loop"), tmp_path / "loop")
    assert [row["client"] for row in fast.participants] == [row["client"] for row in loop.participants]
    assert float((fast.best_weights.parameters - loop.best_weights.parameters).abs().max()) < 1e-3
    assert np.allclose(
        [row["update_norm"] for row in fast.participants], [row["update_norm"] for row in loop.participants], rtol=1e-4
    )


def test_some_noise_is_learned_through_and_much_is_not(world, tmp_path):
    everybody = replace(BASE, clients_per_round=1, num_epochs=20)
    uar = {}
    for noise, epsilon in ((0.1, 1e4), (30.0, 10.0)):
        defence = Defence("client_dp", epsilon, 1e-5, 1.0, noise)
        course, _ = run(world, replace(everybody, defence=defence), tmp_path / str(noise))
        uar[noise] = course.rounds[-1]["dev_uar"]
    assert uar[0.1] > 0.7
    assert uar[30.0] < 0.5


def test_batch_normalisation_is_refused_where_a_guarantee_would_not_reach_it(world, tmp_path):
    class Normed(Speech):
        def make(self):
            return nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))

    workload, clients = world
    normed = Normed(CLASSES, workload.targets, workload.inputs)
    with pytest.raises(FederatedError, match=r"does not reach 1\.running_mean"):
        run((normed, clients), replace(BASE, defence=CLIENT_DP), tmp_path)
    course, _ = run((normed, clients), replace(BASE, batch_size=40, num_epochs=2, defence=Defence("sign")), tmp_path)
    assert course.done == 2
