"""A fold from its sources to its files, as the rule runs it: what is kept, what is told, what a kill leaves."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from candor.config.federated import FederatedRun
from candor.federated.job import FederatedJob
from candor.federated.workloads.digits import FOLDS
from candor.federated.workloads.prepared import Sources
from candor.plan.federated import FOLDS_OF_DIGITS
from candor.tables.federated import FederatedPredictions, Judged, Participants, Rounds
from candor.tables.federated_history import FederatedHistory

FILES = {
    **{"clients": "clients.tsv", "rounds": "rounds.tsv", "participants": "participants.tsv", "judged": "judged.tsv"},
    **{"timing": "rounds.timing.tsv", "predictions": "predictions.tsv", "run": "run.json"},
}
KEPT = {
    "model": "model.safetensors",
    "updates": "updates.pack",
    "updates_index": "updates.tsv",
    "models": "models.pack",
    "models_index": "models.tsv",
    "standalone": "standalone.safetensors",
    "standalone_table": "standalone.tsv",
}
SMALL = {"workload": "digits", "clients": 4, "num_epochs": 3, "federate_after_n_batches": 2, "batch_size": 32}


def federate(folder, more=None, kept=("model", "updates", "updates_index", "models", "models_index"), code=""):
    """Run a fold of digits, as the rule's script does, and return its files' folder."""
    options = FederatedRun(**{**SMALL, **(more or {})}).options()
    files = {**FILES, **{role: KEPT[role] for role in kept}}
    output = SimpleNamespace(**{role: str(folder / "out" / name) for role, name in files.items()})
    run = {"dataset": "digits", "run": "small", "fold": "1"}
    FederatedJob(run, options, Sources(fold=1), {}, {}, folder / "aside", code=code).run_and_write(output)
    return folder / "out"


def test_a_fold_leaves_what_is_asked_for_and_nothing_aside(tmp_path):
    out = federate(tmp_path)
    shared = {name for role, name in KEPT.items() if "standalone" not in role}
    assert {file.name for file in out.iterdir()} == {*FILES.values(), *shared}
    assert not (tmp_path / "aside").exists()
    history = FederatedHistory(out)
    assert history.facts["engine"]["name"] == "loop"
    assert (
        "slower than the loop" in history.facts["engine"]["why"] or "not 'torch.func'" in history.facts["engine"]["why"]
    )
    assert list(history.model_rounds) == [0, 3]
    rounds = Rounds.read(out / "rounds.tsv")
    selected = int(rounds.loc[rounds["selected"] == "yes", "round"].iloc[0])
    assert history.facts["selected_round"] == selected
    if selected == 3:
        final, last = history.final(), history.model(3)
        assert all(np.array_equal(final[name], last[name]) for name in final)
    predictions = FederatedPredictions.read(out / "predictions.tsv")
    assert 350 < len(predictions) < 370
    assert Judged.read(out / "judged.tsv").groupby("round").size().tolist() == [4, 4, 4]


def test_updates_that_are_kept_lead_from_model_to_model(tmp_path):
    everything = {"keep": {"updates_every": 1, "models_every": 1, "precision": "float32"}, "clients_per_round": 1}
    history = FederatedHistory(federate(tmp_path, everything))
    for number in (1, 2, 3):
        before, after = history.model(number - 1), history.model(number)
        sent = {client: history.entry(number, client) for at, client in history.updates() if at == number}
        whole = sum(entry.examples for entry in sent.values())
        assert len(sent) == 4
        for name in before:
            mean = sum(entry.examples / whole * history.update(number, client)[name] for client, entry in sent.items())
            assert np.allclose(after[name] - before[name], mean, atol=1e-6)


def test_updates_of_some_rounds_come_with_the_model_that_clients_were_given(tmp_path):
    some = {"num_epochs": 6, "keep": {"updates_every": 4, "models_every": 2}}
    history = FederatedHistory(federate(tmp_path, some))
    assert sorted({number for number, _ in history.updates()}) == [1, 5]
    assert list(history.model_rounds) == [0, 2, 4, 6]


def test_faults_are_told(tmp_path):
    faults = {"poisoned": 0.25, "label_noise": 0.2, "drop_out": 0.3}
    rough = {"faults": faults, "model_type": "median", "save_model": False, "num_epochs": 5}
    out = federate(tmp_path, rough, kept=("updates", "updates_index", "models", "models_index"))
    facts = json.loads((out / "run.json").read_text())
    history = FederatedHistory(out)
    assert len(facts["poisoned"]) == 1
    assert facts["poisoned"][0] in set(history.clients["client"])
    assert facts["wrong_labels"] == sum(np.floor(0.2 * history.clients["train"] + 0.5))
    assert set(Participants.read(out / "participants.tsv")["outcome"]) == {"answered", "dropped out"}
    assert not (out / "model.safetensors").exists()


def test_a_kill_while_standalone_models_train_loses_no_round(tmp_path, monkeypatch):
    alone = {"keep": {"standalone": True}, "num_epochs": 2}
    whole = federate(tmp_path / "whole", alone, kept=KEPT)
    with monkeypatch.context() as broken:
        broken.setattr("candor.federated.standalone.best_round", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            federate(tmp_path / "killed", alone, kept=KEPT)
    # Nothing stands in its place yet that Snakemake could take for unfinished and delete.
    assert not (tmp_path / "killed" / "out").exists()
    monkeypatch.setattr("candor.federated.federation.Federation.round", lambda *_: pytest.fail("a round was run again"))
    again = federate(tmp_path / "killed", alone, kept=KEPT)
    for name in {*FILES.values(), *KEPT.values()} - {"rounds.timing.tsv"}:
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name
    history = FederatedHistory(again)
    client = history.clients["client"].iloc[0]
    assert history.standalone(client).keys() == history.final().keys()


def test_what_other_code_has_left_is_not_gone_on_with(tmp_path, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("candor.federated.job.FederatedJob._write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            federate(tmp_path, code="one")
    ran = []
    from candor.federated.federation import Federation

    whole = Federation.round
    monkeypatch.setattr(Federation, "round", lambda self, number: ran.append(number) or whole(self, number))
    federate(tmp_path, code="another")
    assert ran == [1, 2, 3]


DEFENDED = {
    "client_dp": {"kind": "client_dp", "epsilon": 50, "noise": 1.0},
    "local_dp": {"kind": "local_dp", "epsilon": 10},
    "sign": {"kind": "sign"},
    "top_k": {"kind": "top_k"},
}
TOLD = {"epsilon", "epsilon_updates", "claimed_epsilon", "delta", "clip", "noise", "sampling_rate", "rounds", "note"}


@pytest.mark.parametrize("kind", DEFENDED)
def test_a_defended_fold_says_what_is_guaranteed(tmp_path, kind, caplog):
    caplog.set_level("INFO")
    out = federate(tmp_path, {"defence": DEFENDED[kind], "clients_per_round": 2})
    facts = FederatedHistory(out).facts["defence"]
    assert facts.keys() == {"kind", "unit", *TOLD}
    assert (facts["kind"], facts["rounds"]) == (kind, 3)
    assert f"defence {kind}: " in caplog.text
    if kind in ("sign", "top_k"):
        assert (facts["epsilon"], facts["unit"], facts["note"]) == (None, None, "no guarantee")
        return
    assert 0 < facts["epsilon"] <= facts["epsilon_updates"]
    assert f"of epsilon {DEFENDED[kind]['epsilon']} at delta 1e-05" in caplog.text
    assert facts["unit"] == "a client, which is one of 4 parts of all images: the guarantee is not per person"
    assert f"what epsilon is of: {facts['unit']}" in caplog.text
    assert facts["sampling_rate"] == 0.5
    assert FederatedHistory(out).facts["selected_round"] == 3


def test_without_a_defence_nothing_is_told_of_one(tmp_path):
    facts = FederatedHistory(federate(tmp_path)).facts["defence"]
    assert facts == {"kind": "none", "unit": None, **dict.fromkeys(TOLD)}


def test_a_run_that_ends_with_its_budget_says_so(tmp_path, caplog):
    caplog.set_level("INFO")
    spent = {"defence": {"kind": "client_dp", "epsilon": 8, "noise": 1.0}, "clients_per_round": 2}
    out = federate(tmp_path, {**spent, "num_epochs": 9})
    facts = FederatedHistory(out).facts["defence"]
    assert facts["rounds"] < 9
    assert facts["epsilon"] <= 8
    assert (
        f"ended after {facts['rounds']} of 9 rounds: another round would exceed the budget of epsilon 8" in caplog.text
    )


def test_training_at_one_place_keeps_no_updates(tmp_path):
    out = federate(tmp_path, {"model_type": "central"}, kept=("model", "models", "models_index"))
    assert not (out / "updates.pack").exists()
    assert Rounds.read(out / "rounds.tsv")["bytes_up"].tolist() == [0, 0, 0]
    assert FederatedHistory(out).facts["engine"]["name"] == "central"


def test_plan_and_workload_have_the_same_number_of_folds_of_digits():
    assert FOLDS == FOLDS_OF_DIGITS
