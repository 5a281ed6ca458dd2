"""All runs side by side: which attack stands for a run, which ε is told, and the published arrangement."""

import json

import numpy as np
import pandas as pd
import pytest

from candor.leakage import published
from candor.leakage.outcomes import without_figure
from candor.leakage.overview import Audited, summary, whom
from candor.leakage.show import inversion_text, leakage_text
from candor.leakage.tradeoff import published_figure, tradeoff_figure
from candor.tables.leakage import Inversions, LeakageSummary, PublishedDefences, PublishedLayers, PublishedRecognition

LAYERS = ("dense.0", "dense.1", "all")


def attacks(knowledge: str, uars: tuple[float, ...], devs: tuple[float, ...]) -> pd.DataFrame:
    rows = []
    for layer, uar, dev in zip(LAYERS, uars, devs, strict=True):
        for metric in ("uar", "auc"):
            for number in (1, 10):
                value = min(uar + (0.05 if number == 10 else 0), 1.0)
                rows.append(
                    {
                        "attribute": "gender", "knowledge": knowledge, "attacker": "logistic", "layer": layer,
                        "updates": number, "metric": metric, "value": value, "low": value - 0.1, "high": value + 0.1,
                        "chance": 0.5, "control": 0.5, "control_low": 0.45, "control_high": 0.55,
                        "difference": value - 0.5, "difference_low": value - 0.6, "difference_high": value - 0.4,
                        "fold_mean": value, "fold_sd": 0.02, "dev": dev if metric == "auc" else 1 - dev,
                        "seen": float(number), "tested": 100,
                        "people": 20, "folds": 5, "verdict": "beyond control", "note": "",
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def audited(run: str, defence: str = "", epsilon: float = np.nan, uar: float = 0.7, parts: object = None) -> Audited:
    numbers = {"epsilon": np.nan, "epsilon_updates": np.nan, "claimed_epsilon": np.nan, "delta": np.nan}
    if defence == "user_dp":
        numbers |= {"claimed_epsilon": epsilon, "delta": 0.5}
    elif defence:
        numbers |= {"epsilon": epsilon, "epsilon_updates": 20 * epsilon, "delta": 1e-5}
    recognition = pd.DataFrame(
        [
            {"metric": name, "value": value, "defence": defence, **numbers}
            for name, value in (("uar", uar), ("accuracy", 0.75))
        ]
    )
    names = {
        "dataset": "d",
        "run": f"apc_{run}",
        "backbone": "apc",
        "entry": run.split("_eps")[0],
        "model_type": "fed_avg",
    }
    facts = {"shadows": {"undefended": [{"datasets": ["emodb", "iemocap"]}]}}
    return Audited(
        names,
        facts,
        recognition,
        parts if parts is not None else attacks("undefended", (0.9, 0.7, 0.8), (0.6, 0.9, 0.7)),
    )


@pytest.fixture
def rows(tmp_path):
    private = [
        attacks("knows", (0.6, 0.5, 0.55), (0.7, 0.6, 0.5)),
        attacks("does not know", (0.5, 0.5, 0.5), (0.8, 0.9, 0.7)),
    ]
    runs = [
        audited("fed_avg"),
        audited("private_eps10", "client_dp", 10.0, 0.4, pd.concat(private, ignore_index=True)),
        audited("private_eps100", "client_dp", 100.0, 0.6, pd.concat(private, ignore_index=True)),
        audited("published", "user_dp", 25.0, 0.65, pd.concat(private, ignore_index=True)),
    ]
    LeakageSummary.write(summary(runs), tmp_path / "summary.tsv")
    return LeakageSummary.read(tmp_path / "summary.tsv")


def test_a_run_stands_by_the_attack_that_was_best_on_shadow_people_not_on_its_victims(rows):
    chosen = rows[(rows["headline"] == "yes") & (rows["run"] == "apc_fed_avg")]
    assert chosen[["layer", "updates", "metric", "value"]].to_dict("records") == [
        {"layer": "dense.1", "updates": 1, "metric": metric, "value": 0.7} for metric in ("uar", "auc")
    ]
    private = rows[(rows["headline"] == "yes") & (rows["run"] == "apc_private_eps10")]
    assert dict(zip(private["knowledge"], private["layer"], strict=True)) == {
        "knows": "dense.0",
        "does not know": "dense.1",
    }


def test_it_is_told_whom_the_attacker_learned_from(rows):
    assert set(rows["shadows"]) == {"emodb, iemocap"}
    assert whom({"knows": [{"datasets": []}]}, "demo") == "speakers who are no clients (demo)"


def test_a_control_never_stands_for_a_run(tmp_path):
    read = attacks("undefended", (0.6, 0.6, 0.6), (0.6, 0.5, 0.5))
    control = read.assign(attacker="norms", dev=0.99)
    LeakageSummary.write(
        summary([audited("fed_avg", parts=pd.concat([read, control], ignore_index=True))]), tmp_path / "t"
    )
    rows = LeakageSummary.read(tmp_path / "t")
    chosen = rows[rows["headline"] == "yes"]
    assert set(zip(chosen["attacker"], chosen["layer"], strict=True)) == {("logistic", "dense.0")}


def test_every_line_of_a_defence_has_its_epsilon(rows, tmp_path):
    text = leakage_text([tmp_path / "summary.tsv"])
    lines = [line for line in text.splitlines() if "apc_" in line]
    assert len(lines) == 1 + 2 + 2 + 2
    assert all("ε = 10 (of updates 200), δ = 1e-05" in line for line in lines if "eps10 " in line)
    assert all("claims ε = 25, which does not hold" in line for line in lines if "published" in line)
    assert "protect" not in text


def test_the_published_arrangement(rows, tmp_path):
    recognised = published.recognition(rows)
    assert recognised[["accuracy_fed_avg", "uar_private_eps10", "uar_published"]].iloc[0].tolist() == [0.75, 0.4, 0.65]
    by_layer = published.layers(rows).set_index(["entry", "knowledge"])
    assert by_layer.loc[("fed_avg", "undefended"), ["uar_dense.0", "uar_dense.1", "uar_all"]].tolist() == [
        0.9,
        0.7,
        0.8,
    ]
    by_number = published.defences(rows).set_index(["run", "knowledge"])
    assert by_number.loc[("apc_private_eps10", "knows"), ["epsilon", "uar_1", "uar_10"]].tolist() == [10.0, 0.6, 0.65]
    for table, contract in (
        (published.recognition, PublishedRecognition),
        (published.layers, PublishedLayers),
        (published.defences, PublishedDefences),
    ):
        contract.write(table(rows), tmp_path / "t.tsv")
        assert len(contract.read(tmp_path / "t.tsv")) == len(table(rows))
    texts = [sheet.latex("tab:x") + sheet.markdown() for _, sheet in published.sheets(rows)]
    assert "90.0" in texts[1]
    assert "does not hold" in texts[2]


def test_a_run_that_could_not_be_attacked_has_a_line_with_the_reason(tmp_path):
    reason = "the corpus tells nobody's gender"
    blank = pd.DataFrame([without_figure("gender", "undefended", "logistic", "dense.0", 1, reason)])
    LeakageSummary.write(summary([audited("fed_avg", parts=blank)]), tmp_path / "summary.tsv")
    text = leakage_text([tmp_path / "summary.tsv"])
    assert "not attacked: the corpus tells nobody's gender" in text
    read = LeakageSummary.read(tmp_path / "summary.tsv")
    drawn = tradeoff_figure(read)
    (only,) = drawn.axes  # no run has an ε to be drawn over
    assert [line for line in only.lines if line.get_marker() != "None"] == []


def test_the_figures_draw_every_budget(rows):
    drawn = tradeoff_figure(rows)
    words = " ".join(text.get_text() for axes in drawn.axes for text in axes.texts)
    assert {"ε=10", "ε=100", "ε=25"} <= set(words.split())
    cells = published_figure(rows).axes[0]
    assert len(cells.get_yticklabels()) == 7
    assert json.dumps(sorted({text.get_text() for text in cells.texts})).count("90.0") == 1


def test_inversions_are_shown_in_a_line_per_run(tmp_path):
    file = tmp_path / "apc_fed_sgd" / "inversion.tsv"
    given = {"fold": 1, "person": "p", "cosine_of_others": 0.5, "cosine_of_mean": 0.1, "read_off_truth": "female"}
    rows = [
        {**given, "round": 1, "client": "a", "examples": 20, "cosine": 1.0, "close": 1.0, "exact": 1.0, "labels": 1.0,
         "gender": "female", "read": "female"},
        {**given, "round": 51, "client": "a", "examples": 30, "cosine": 0.8, "close": 0.5, "exact": 0.5, "labels": 0.9,
         "gender": "female", "read": "male"},
    ]  # fmt: skip
    file.parent.mkdir()
    Inversions.write(rows, file)
    line = inversion_text([file]).splitlines()[1].split()
    assert line == ["apc_fed_sgd", "2", "25", "75.0", "90.0", "50.0", "95.0", *["1", "of", "2"], *["2", "of", "2"]]
    assert inversion_text([]) == ""
