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


UNDEFENDED = {"kind": "none", **dict.fromkeys(("epsilon", "epsilon_updates", "claimed_epsilon", "delta"))}


def summary(name, kind, right, seed=0, defences=(UNDEFENDED, UNDEFENDED)):
    names = {"dataset": "here", "run": name, "backbone": name.split("_")[0], "model_type": kind}
    folds = [rounds(4), rounds(7)], [clients(10), clients(13)]
    return summary_of_run(names, predictions(right, seed), CLASSES, *folds, defences)


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


def defended(kind, **numbers):
    """What the facts of two folds say of a defence."""
    return [{**UNDEFENDED, "kind": kind, **{name: own[fold] for name, own in numbers.items()}} for fold in (0, 1)]


DEFENDED = {
    "apc_dp_eps10": defended("client_dp", epsilon=(9.8, 9.999), epsilon_updates=(214.0, 190.0), delta=(1e-5, 1e-5)),
    "apc_local": defended("local_dp", epsilon=(3.0, 2.0), epsilon_updates=(3.0, 2.0), delta=(1e-6, 1e-6)),
    "apc_published": defended("user_dp", claimed_epsilon=(25.0, 25.0), delta=(0.5, 0.5)),
    "apc_sign": defended("sign"),
    "apc_fed_avg": defended("none"),
}


def test_of_what_is_guaranteed_that_of_the_worst_fold_is_told(tmp_path):
    rows = pd.concat(summary(name, "fed_avg", 0.5, defences=own) for name, own in DEFENDED.items())
    FederatedSummary.write(rows, tmp_path / "summary.tsv")
    read = FederatedSummary.read(tmp_path / "summary.tsv")
    uars = read[read["metric"] == "uar"].set_index("run")
    names = ["epsilon", "epsilon_updates", "claimed_epsilon", "delta"]
    assert uars.loc["apc_dp_eps10", names].fillna(0).tolist() == [9.999, 214, 0, 1e-5]
    assert uars.loc["apc_published", names].fillna(0).tolist() == [0, 0, 25, 0.5]
    for bare in ("apc_sign", "apc_fed_avg"):
        assert uars.loc[bare, names].isna().all()
    assert uars["defence"].to_dict() == {
        name: "" if own[0]["kind"] == "none" else own[0]["kind"] for name, own in DEFENDED.items()
    }


def test_a_terminal_tells_epsilon_wherever_there_is_one(tmp_path):
    rows = pd.concat(summary(name, "fed_avg", 0.5, defences=own) for name, own in DEFENDED.items())
    FederatedSummary.write(rows, tmp_path / "summary.tsv")
    text = federated_text([tmp_path / "summary.tsv"])
    lines = {line.split()[1]: line for line in text.splitlines()[1:6]}
    assert "client_dp ε = 9.999 (of updates 214), δ = 1e-05" in lines["apc_dp_eps10"]
    assert "local_dp ε = 3, δ = 1e-06" in lines["apc_local"]
    assert "user_dp claims ε = 25, which does not hold" in lines["apc_published"]
    assert "sign, no guarantee" in lines["apc_sign"]
    assert "towards who sees single updates" in text
    assert "protected" not in text
    FederatedSummary.write(summary("apc_fed_avg", "fed_avg", 0.5), tmp_path / "summary.tsv")
    assert "defence" not in federated_text([tmp_path / "summary.tsv"])


def test_runs_of_one_entry_under_two_budgets_are_a_pair(tmp_path):
    own = {("apc", f"dp_eps{epsilon}"): predictions(right, epsilon) for epsilon, right in ((5, 0.4), (10, 0.9))}
    rows = compare_runs("here", own, {key: "_".join(key) for key in own}, CLASSES)
    FederatedComparison.write(rows, tmp_path / "comparison.tsv")
    pairs = FederatedComparison.read(tmp_path / "comparison.tsv")
    (uar,) = pairs[pairs["metric"] == "uar"].to_dict("records")
    assert (uar["differ_in"], uar["run_a"], uar["run_b"]) == ("entry", "apc_dp_eps5", "apc_dp_eps10")
    assert uar["better"] == "apc_dp_eps10"


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


def test_figures_tell_epsilon_wherever_there_is_one():
    told = pd.concat(summary(name, "fed_avg", 0.5, defences=own) for name, own in DEFENDED.items())
    ranking, _ = runs_figure(told, dict.fromkeys(DEFENDED, rounds(4).assign(fold=1))).axes
    assert {label.get_text() for label in ranking.get_yticklabels()} == {
        "apc_dp_eps10, ε = 9.999",
        "apc_local, ε = 3",
        "apc_published, claims ε = 25",
        "apc_sign",
        "apc_fed_avg",
    }


def test_tables_of_the_tests_are_as_their_contracts_say(tmp_path):
    ClientsHeld.write(clients(3), tmp_path / "clients.tsv")
    Rounds.write(rounds(3), tmp_path / "rounds.tsv")
    FederatedPredictions.write(predictions(0.5), tmp_path / "predictions.tsv")
