"""From folds to figures of a run, from runs to their comparison, and how they are told."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from candor.federated.run_figures import curves_figure, runs_figure
from candor.federated.show import federated_text
from candor.federated.summary import compare_runs, on_their_own, summary_of_run
from candor.tables.federated import (
    ClientsHeld,
    FederatedComparison,
    FederatedPredictions,
    FederatedRunSummary,
    FederatedSummary,
    Rounds,
)

CLASSES = ["anger", "happiness", "sadness"]


def predictions(right, seed=0, speakers=8, each=30):
    """Test predictions of two folds, of which a share is right."""
    random = np.random.default_rng(seed)
    truth = np.random.default_rng(99).integers(0, 3, (speakers, each))
    rows = []
    for speaker in range(speakers):
        for place in range(each):
            label = truth[speaker, place]
            said = label if random.random() < right else random.integers(0, 3)
            chances = np.full(3, 0.1)
            chances[said] = 0.8
            rows.append(
                {
                    **{"utterance": f"u{speaker}_{place}", "speaker": f"s{speaker}", "gender": "female", "session": ""},
                    **{"fold": 1 + speaker % 2, "seed": 8, "label": CLASSES[label], "predicted": CLASSES[said]},
                    **{f"p_{name}": chance for name, chance in zip(CLASSES, chances, strict=True)},
                }
            )
    return pd.DataFrame(rows)


def rounds(selected, sent=1000):
    row = {"chosen": 5, "answered": 5, "rejected": 0, "examples": 100, "train_loss": 1.0, "update_norm": 0.1}
    row |= {"dev_loss": 1.0, "dev_accuracy": 0.5, "clients_uar": 0.5, "bytes_down": sent, "bytes_up": sent}
    return pd.DataFrame(
        {"round": number, **row, "dev_uar": 0.3 + 0.05 * number, "selected": "yes" if number == selected else "no"}
        for number in range(1, 11)
    )


def clients(count):
    row = {
        "person": "",
        "gender": "",
        "session": "",
        "poisoned": "no",
        "train": 8,
        "dev": 2,
        **{f"n_{name}": 3 for name in CLASSES},
    }
    return pd.DataFrame({"client": f"c{number}", **row} for number in range(count))


def summary(name, kind, right, seed=0):
    names = {"dataset": "here", "run": name, "backbone": name.split("_")[0], "model_type": kind}
    return summary_of_run(names, predictions(right, seed), CLASSES, [rounds(4), rounds(7)], [clients(10), clients(13)])


def test_figures_are_those_of_scikit_learn_and_numbers_are_means_over_folds(tmp_path):
    FederatedRunSummary.write(summary("apc_fed_avg", "fed_avg", 0.6), tmp_path / "performance.tsv")
    rows = FederatedRunSummary.read(tmp_path / "performance.tsv").set_index("metric")
    told = predictions(0.6)
    truth, said = told["label"], told["predicted"]
    assert rows.loc["uar", "value"] == pytest.approx(recall_score(truth, said, average="macro"))
    assert rows.loc["accuracy", "value"] == pytest.approx(accuracy_score(truth, said))
    assert rows.loc["macro_f1", "value"] == pytest.approx(f1_score(truth, said, average="macro"))
    assert rows.loc["uar", "low"] < rows.loc["uar", "value"] < rows.loc["uar", "high"]
    assert rows.loc["uar", ["clients", "rounds", "selected_round", "bytes"]].tolist() == [11.5, 10, 5.5, 20000]
    assert (rows["folds"] == 2).all()
    assert (rows["speakers"] == 8).all()


def test_examples_of_nobody_stand_for_themselves_in_intervals():
    told = predictions(0.6).assign(speaker="")
    assert on_their_own(told)["speaker"].nunique() == len(told)
    in_sessions = told.assign(session="one")
    assert (on_their_own(in_sessions)["speaker"] == "").all()


def compared():
    own = {
        ("apc", "fed_avg"): predictions(0.5, 1),
        ("apc", "central"): predictions(0.9, 2),
        ("tera", "fed_avg"): predictions(0.5, 3),
    }
    names = {key: "_".join(key) for key in own}
    return compare_runs("here", own, names, CLASSES), own


def test_runs_are_compared_that_differ_in_one_thing(tmp_path):
    rows, own = compared()
    FederatedComparison.write(rows, tmp_path / "comparison.tsv")
    pairs = FederatedComparison.read(tmp_path / "comparison.tsv")
    uars = pairs[pairs["metric"] == "uar"].set_index(["run_a", "run_b"])
    assert set(uars.index) == {("apc_fed_avg", "apc_central"), ("apc_fed_avg", "tera_fed_avg")}
    first = uars.loc[("apc_fed_avg", "apc_central")]
    recalls = [recall_score(told["label"], told["predicted"], average="macro") for told in own.values()]
    assert first["difference"] == pytest.approx(recalls[0] - recalls[1])
    assert (first["differ_in"], first["better"]) == ("entry", "apc_central")
    second = uars.loc[("apc_fed_avg", "tera_fed_avg")]
    assert (second["differ_in"], second["better"]) == ("backbone", "not told apart")


def test_a_terminal_tells_of_each_run_best_first_beside_the_centre(tmp_path):
    kinds = {
        "apc_fed_avg": ("fed_avg", 0.5, 1),
        "apc_central": ("central", 0.9, 2),
        "tera_fed_avg": ("fed_avg", 0.5, 3),
    }
    told = pd.concat(summary(name, *how) for name, how in kinds.items())
    FederatedSummary.write(told, tmp_path / "summary.tsv")
    FederatedComparison.write(compared()[0], tmp_path / "comparison.tsv")
    lines = federated_text([tmp_path / "summary.tsv"]).splitlines()
    assert lines[1].split()[1] == "apc_central"
    pair = compared()[0]
    uar = pair[(pair["metric"] == "uar") & (pair["differ_in"] == "entry")].iloc[0]
    avg = next(line for line in lines if "apc_fed_avg" in line)
    assert f"{100 * uar['difference']:+.1f} [{100 * uar['low']:+.1f}, {100 * uar['high']:+.1f}]" in avg
    assert "20 kB" in avg
    tera = next(line for line in lines if "tera_fed_avg" in line)
    assert "p =" not in tera, "there is no centre with the same features"
    assert federated_text([]) == ""


def test_figures_draw_every_run_and_round():
    folds = pd.concat(rounds(selected).assign(fold=fold) for fold, selected in ((1, 4), (2, 7)))
    judged = pd.DataFrame(
        {
            "round": number,
            "client": f"c{client}",
            "fold": fold,
            "examples": 5,
            "loss": 1.0,
            "accuracy": client / 10,
            "uar": 0.5,
        }
        for number in range(1, 11)
        for client in range(10)
        for fold in (1, 2)
    )
    figure = curves_figure(folds, judged, "here: apc_fed_avg")
    losses, uars, spread = figure.axes
    (chosen,) = [line for line in uars.lines if line.get_label() == "selected"]
    assert chosen.get_xdata().tolist() == [4, 7]
    assert {line.get_label() for line in losses.lines} >= {"chosen clients, training", "all clients, validation"}
    (median,) = [line for line in spread.lines if line.get_label() == "median client, of 5 examples"]
    assert np.allclose(median.get_ydata(), 0.45)
    told = pd.concat([summary("apc_fed_avg", "fed_avg", 0.5), summary("apc_central", "central", 0.9)])
    ranking, curves = runs_figure(told, {"apc_fed_avg": folds, "apc_central": folds}).axes
    assert [label.get_text() for label in ranking.get_yticklabels()] == ["apc_central", "apc_fed_avg"]
    assert len(curves.lines) == 2


def test_tables_of_the_tests_are_as_their_contracts_say(tmp_path):
    ClientsHeld.write(clients(3), tmp_path / "clients.tsv")
    Rounds.write(rounds(3), tmp_path / "rounds.tsv")
    FederatedPredictions.write(predictions(0.5), tmp_path / "predictions.tsv")
