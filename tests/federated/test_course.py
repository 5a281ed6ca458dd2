"""Whole runs on a small world: who learns, who is rejected, which model is kept, and that a kill changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from candor.federated.clients import Client
from candor.federated.engines.loop import LoopEngine
from candor.federated.errors import FederatedError
from candor.federated.federation import SILENT_ROUNDS
from candor.federated.mishaps import Mishaps
from candor.federated.sampling import chosen
from candor.federated.settings import Faults, Server
from small_federation import BASE, CLASSES, Speech, run, small_world, told


@pytest.fixture(scope="module")
def world():
    return small_world()


ALGORITHMS = {
    "fed_avg": {},
    "fed_sgd": {"optimizer": "none", "batch_size": None, "learning_rate": 0.3},
    "fed_prox": {"proximal": 0.1},
    "fed_avgm": {"server": Server(momentum=0.5)},
    "fed_adam": {"server": Server(learning_rate=0.05)},
    "fed_yogi": {"server": Server(learning_rate=0.05)},
    "fed_adagrad": {"server": Server(learning_rate=0.1)},
    "scaffold": {"optimizer": "sgd", "learning_rate": 0.1},
    "median": {},
    "trimmed_mean": {"trimmed": 0.2},
    "krum": {"malicious": 1},
    "multi_krum": {"malicious": 1, "selected": 3},
    "central": {},
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_learns_and_is_the_same_whether_killed_or_not(world, tmp_path, name, monkeypatch):
    monkeypatch.setattr("candor.models.resume.PATIENCE", -1.0)  # a state after every round
    settings = replace(BASE, model_type=name, **ALGORITHMS[name])
    whole = run(world, settings, tmp_path / "whole")
    for stop in (1, 7):
        with pytest.raises(KeyboardInterrupt):
            run(world, settings, tmp_path / "killed", stop_after=stop)
    # What was written behind the last state that was saved is dropped.
    with (tmp_path / "killed" / "updates.pack").open("ab") as pack:
        pack.write(b"cut off in the middle of a block")
    again = run(world, settings, tmp_path / "killed")
    assert told(*again, tmp_path / "killed") == told(*whole, tmp_path / "whole")
    course = whole[0]
    assert course.done == 12
    assert [row["round"] for row in course.rounds if row["selected"] == "yes"] == [course.best_round]
    assert max(row["dev_uar"] for row in course.rounds) == course.rounds[course.best_round - 1]["dev_uar"]
    assert course.rounds[course.best_round - 1]["dev_uar"] > 0.6


UNEVEN = {
    "batches that go on": {"federate_after_n_batches": 2, "on_exhausted": "wrap"},
    "batches that end": {"federate_after_n_batches": 2, "on_exhausted": "stop", "clients_per_round": 1},
    "the centre, batches that go on": {"federate_after_n_batches": 3, "model_type": "central"},
    "faults": {"faults": Faults(drop_out=0.2, straggle=0.3, broken=0.1, poisoned=0.2, poison="noise", label_noise=0.1)},
}


@pytest.mark.parametrize("how", UNEVEN)
def test_passes_that_go_on_and_faults_are_the_same_after_a_kill(world, tmp_path, how, monkeypatch):
    monkeypatch.setattr("candor.models.resume.PATIENCE", -1.0)
    settings = replace(BASE, **UNEVEN[how])
    whole = run(world, settings, tmp_path / "whole")
    for stop in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run(world, settings, tmp_path / "killed", stop_after=stop)
    again = run(world, settings, tmp_path / "killed")
    assert told(*again, tmp_path / "killed") == told(*whole, tmp_path / "whole")


def test_rounds_in_which_nobody_answers_are_counted_across_a_kill(world, tmp_path, monkeypatch):
    monkeypatch.setattr("candor.models.resume.PATIENCE", -1.0)
    silent = replace(BASE, faults=Faults(drop_out=1.0))
    with pytest.raises(KeyboardInterrupt):
        run(world, silent, tmp_path, stop_after=SILENT_ROUNDS - 1)
    with pytest.raises(FederatedError, match=f"nobody has answered in rounds 1 to {SILENT_ROUNDS} "):
        run(world, silent, tmp_path)


def test_a_short_run_in_which_nobody_answers_has_no_result(world, tmp_path):
    with pytest.raises(FederatedError, match=r"nobody has answered in any of 4 rounds \(20 dropped out\)"):
        run(world, replace(BASE, num_epochs=4, faults=Faults(drop_out=1.0)), tmp_path)


def test_the_first_model_is_never_chosen(world, tmp_path):
    faults = Faults(drop_out=0.5)
    silent_at_first = (
        seed
        for seed in range(50)
        if set(Mishaps(faults, 10, seed).fates(chosen(10, 0.1, seed, 1), 1).values()) == {"drops out"}
    )
    settings = replace(BASE, clients_per_round=0.1, faults=faults, seed=next(silent_at_first), num_epochs=9)
    course, _ = run(world, settings, tmp_path)
    first = next(row["round"] for row in course.rounds if row["answered"])
    assert first > 1
    assert course.best_round >= first


def test_seconds_are_kept_across_a_kill(world, tmp_path, monkeypatch):
    monkeypatch.setattr("candor.models.resume.PATIENCE", -1.0)
    with pytest.raises(KeyboardInterrupt):
        run(world, BASE, tmp_path, stop_after=5)
    course, _ = run(world, BASE, tmp_path)
    assert [row["round"] for row in course.timing] == list(range(1, 13))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_bytes_are_those_of_the_model_and_of_what_travels_beside_it(world, tmp_path, name):
    settings = replace(BASE, num_epochs=1, model_type=name, **ALGORITHMS[name])
    course, _ = run(world, settings, tmp_path)
    numbers = sum(parameter.numel() for parameter in world[0].make().parameters())
    # SCAFFOLD's controls are as long as the model, and travel both ways (Karimireddy et al., section 3).
    models = {"scaffold": 2, "central": 0}.get(name, 1)
    assert course.rounds[0]["bytes_down"] == course.rounds[0]["bytes_up"] == 5 * models * 4 * numbers


class Normed(Speech):
    """The same with batch normalisation, whose running statistics are buffers."""

    def make(self):
        return nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def test_running_statistics_that_are_no_numbers_are_rejected(world, tmp_path, monkeypatch):
    workload, clients = world
    normed = Normed(CLASSES, workload.targets, workload.inputs)
    settings = replace(BASE, batch_size=40)  # no batch of a single example, which has no deviation
    sound, _ = run((normed, clients), settings, tmp_path / "sound")
    assert sound.rounds[-1]["dev_uar"] > 0.6
    engine_run = LoopEngine.run

    def broken_in_one(self, start, work):
        for returned in engine_run(self, start, work):
            returned.buffers[0, 0] = float("nan")
            yield returned

    monkeypatch.setattr(LoopEngine, "run", broken_in_one)
    course, _ = run((normed, clients), settings, tmp_path / "broken")
    assert outcomes(course) == {"answered", "not finite"}
    assert torch.isfinite(course.best_weights.buffers).all()


def test_a_state_of_other_settings_is_not_taken_up(world, tmp_path, monkeypatch):
    monkeypatch.setattr("candor.models.resume.PATIENCE", -1.0)
    with pytest.raises(KeyboardInterrupt):
        run(world, BASE, tmp_path / "one", stop_after=3)
    other = replace(BASE, seed=9)
    course = run(world, other, tmp_path / "one")
    assert told(*course, tmp_path / "one") == told(*run(world, other, tmp_path / "two"), tmp_path / "two")


def test_a_round_notes_who_was_chosen_and_what_was_sent(world, tmp_path):
    workload, clients = world
    course, recording = run(world, replace(BASE, num_epochs=3), tmp_path)
    size = sum(parameter.numel() for parameter in workload.make().parameters())
    for row in course.rounds:
        chosen = [own for own in course.participants if own["round"] == row["round"]]
        held = {client.name: len(client.train) for client in clients}
        assert row["chosen"] == row["answered"] == len(chosen) == 5
        assert {own["outcome"] for own in chosen} == {"answered"}
        assert row["examples"] == sum(held[own["client"]] for own in chosen)
        assert sum(own["share"] for own in chosen) == pytest.approx(1)
        losses, weights = zip(*((own["train_loss"], own["examples"]) for own in chosen), strict=True)
        assert row["train_loss"] == pytest.approx(np.average(losses, weights=weights))
        assert row["bytes_down"] == row["bytes_up"] == 5 * 4 * size
    kept = {(row["round"], row["client"]) for row in recording.updates}
    assert kept == {(row["round"], row["client"]) for row in course.participants}
    assert {row["round"] for row in recording.models} == {0, 3}


def outcomes(course):
    return {row["outcome"] for row in course.participants}


def test_who_drops_out_or_is_late_is_left_out_and_the_run_goes_on(world, tmp_path):
    faults = Faults(drop_out=0.3, straggle=0.5, straggler_work=0.0)
    course, recording = run(world, replace(BASE, faults=faults), tmp_path)
    assert outcomes(course) == {"answered", "dropped out", "late"}
    silent = {(own["round"], own["client"]) for own in course.participants if own["outcome"] != "answered"}
    assert silent.isdisjoint((row["round"], row["client"]) for row in recording.updates)
    assert all(
        own["steps"] == 0 and own["train_loss"] is None for own in course.participants if own["outcome"] == "late"
    )
    assert course.done == 12


def test_a_slow_client_sends_what_it_got_done(world, tmp_path):
    course, _ = run(world, replace(BASE, faults=Faults(straggle=1.0, straggler_work=0.5)), tmp_path)
    batches = {client.name: -(-len(client.train) // 8) for client in world[1]}
    assert min(batches.values()) == 1  # whose half is nothing at all
    for own in course.participants:
        assert own["steps"] == batches[own["client"]] // 2
        assert own["outcome"] == ("in part" if own["steps"] else "late")


def test_what_is_no_number_is_rejected_and_harms_nobody(world, tmp_path):
    course, _ = run(world, replace(BASE, faults=Faults(broken=0.4)), tmp_path)
    assert outcomes(course) == {"answered", "not finite"}
    assert sum(row["rejected"] for row in course.rounds) == sum(
        own["outcome"] == "not finite" for own in course.participants
    )
    assert torch.isfinite(course.best_weights.parameters).all()
    assert course.rounds[-1]["dev_uar"] > 0.6


@pytest.mark.parametrize("faults", [Faults(drop_out=1.0), Faults(broken=1.0), Faults(straggle=1.0, straggler_work=0.0)])
def test_a_run_in_which_nobody_answers_ends_with_a_sentence(world, tmp_path, faults):
    with pytest.raises(
        FederatedError, match=f"nobody has answered in rounds 1 to {SILENT_ROUNDS} .in the last one: 5 "
    ):
        run(world, replace(BASE, faults=faults), tmp_path)


def test_a_round_in_which_nobody_answers_leaves_the_model_as_it_is(world, tmp_path):
    settings = replace(BASE, clients_per_round=1 / 10, faults=Faults(drop_out=0.5))
    course, _ = run(world, settings, tmp_path)
    silent = [row["round"] for row in course.rounds if not row["answered"]]
    assert silent
    assert all(course.rounds[number - 1]["update_norm"] == 0 for number in silent)
    assert all(course.rounds[number - 1]["train_loss"] is None for number in silent)


def test_poison_moves_the_mean_but_not_the_median(world, tmp_path):
    poisoned = replace(BASE, clients_per_round=1, faults=Faults(poisoned=0.3, poison="scale"), num_epochs=8)
    uar = {}
    for name in ("fed_avg", "median"):
        flipped = replace(poisoned, model_type=name, faults=Faults(poisoned=0.3, poison="sign_flip"))
        uar[name] = run(world, flipped, tmp_path / name)[0].rounds[-1]["dev_uar"]
    clean = run(world, replace(poisoned, faults=Faults()), tmp_path / "clean")[0].rounds[-1]["dev_uar"]
    assert clean - uar["median"] < 0.05
    assert clean - uar["fed_avg"] > 0.05
    norms = {
        name: run(world, replace(poisoned, model_type=name), tmp_path / f"{name} scaled")[0].rounds[0]["update_norm"]
        for name in ("fed_avg", "median")
    }
    assert norms["fed_avg"] > 2 * norms["median"]


def test_batches_per_round_go_on_until_all_passes_are_over_and_the_last_round_counts(world, tmp_path):
    settings = replace(
        BASE, federate_after_n_batches=2, on_exhausted="stop", clients_per_round=1, num_epochs=50, local_epochs=2
    )
    course, _ = run(world, settings, tmp_path)
    per_client = {client.name: -(-len(client.train) // 8) * 2 for client in world[1]}
    steps = {name: sum(row["steps"] for row in course.participants if row["client"] == name) for name in per_client}
    assert steps == per_client
    assert sum(row["examples"] for row in course.rounds) == 2 * sum(len(client.train) for client in world[1])
    assert course.done == max(per_client.values()) / 2 < 50
    assert course.rounds[-1]["answered"] < course.rounds[0]["answered"] == 10
    assert course.rounds[-1]["dev_uar"] is not None


def test_a_model_is_chosen_from_the_rounds_that_may_be_chosen(world, tmp_path):
    course, _ = run(world, replace(BASE, select_after=8, evaluate_every=3), tmp_path)
    judged = [row["round"] for row in course.rounds if row["dev_uar"] is not None]
    assert judged == [3, 6, 9, 12]
    assert course.best_round in (9, 12)
    with pytest.raises(FederatedError, match="no model was judged after round 12: the run has 12 rounds"):
        run(world, replace(BASE, select_after=12), tmp_path / "late")


def test_where_no_client_has_a_whole_batch_the_run_says_so(world, tmp_path):
    with pytest.raises(FederatedError, match="no client has a whole batch to learn from; lower batch_size"):
        run(world, replace(BASE, batch_size=64, drop_last=True), tmp_path)


def test_as_published_the_model_with_the_best_mean_of_the_clients_is_chosen(world, tmp_path):
    course, _ = run(world, replace(BASE, parity="fed-ser-leakage"), tmp_path)
    best = course.rounds[course.best_round - 1]["clients_uar"]
    assert best == max(row["clients_uar"] for row in course.rounds)


def test_a_model_that_leaves_the_numbers_ends_the_run_with_a_sentence(world, tmp_path):
    wild = replace(BASE, model_type="fed_avgm", optimizer="sgd", learning_rate=1e3, server=Server(learning_rate=1e30))
    with pytest.raises(FederatedError, match=r"left the numbers; lower learning_rate|answers are not finite"):
        run(world, wild, tmp_path)


def test_one_client_who_has_everything_learns_as_the_centre_does_in_its_first_round(world, tmp_path):
    workload, clients = world
    train = tuple(number for client in clients for number in client.train)
    everyone = [Client("everyone", "", train, clients[0].dev)]
    settings = replace(BASE, num_epochs=1, clients_per_round=1, engine="loop")
    federated, _ = run((workload, everyone), settings, tmp_path / "one")
    central, _ = run((workload, everyone), replace(settings, model_type="central"), tmp_path / "centre")
    difference = federated.best_weights.parameters - central.best_weights.parameters
    assert float(difference.abs().max()) < 1e-6
    assert federated.rounds[0]["train_loss"] == pytest.approx(central.rounds[0]["train_loss"], abs=1e-6)
    assert central.rounds[0]["bytes_up"] == 0


def test_the_loop_and_the_stacked_engine_run_the_same_course(world, tmp_path):
    fast, _ = run(world, BASE, tmp_path / "fast")
    loop, _ = run(world, replace(BASE, engine="loop"), tmp_path / "loop")
    assert np.allclose([row["dev_loss"] for row in fast.rounds], [row["dev_loss"] for row in loop.rounds], atol=1e-3)
    assert fast.best_round == loop.best_round
