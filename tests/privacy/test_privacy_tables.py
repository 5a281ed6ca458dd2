"""One table of a system, one of all; what stands for a system; figures and text of rows whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from candor.figures import save_figure
from candor.performance.interpretable import interpretable
from candor.privacy.figures import leaks_figure, membership_figure, systems_figure
from candor.privacy.names import AUC, METRIC_OF
from candor.privacy.outcomes import What
from candor.privacy.overview import all_systems, of_one_system
from candor.privacy.show import privacy_text
from candor.tables.privacy import MembershipCurve, PrivacyEmbedding, PrivacyLayers, PrivacyResult, PrivacySummary

ATTRIBUTES, ATTACKERS = ["gender", "speaker", "membership"], ["linear", "cnn"]
CHANCE = {"gender": 0.5, "speaker": 0.05, "verification": 0.5}


def row(attribute, source, attacker, value, metric=None):
    what = What(attribute, source, attacker, metric or METRIC_OF[attribute], "frames")
    chance = CHANCE.get(attribute, 0.5)
    told = {"low": max(value - 0.1, 0), "high": min(value + 0.1, 1), "control": chance, "control_low": chance - 0.04}
    counts = {"control_high": chance + 0.05, "utterances": 240, "speakers": 20, "folds": 5, "left_out": 0}
    dev = value if attribute == "gender" else None
    return what.row(value=value, dev=dev, chance=chance, verdict="beyond control", **told, **counts)


def layers(number=3):
    sources = [*(f"layer {layer}" for layer in range(number)), "all layers"]
    return [
        row(attribute, source, attacker, value + 0.05 * (attacker == "cnn"))
        for source in sources
        for attacker in ATTACKERS
        for attribute, value in {"gender": 0.8, "speaker": 0.4, "verification": 0.2}.items()
    ]


EMBEDDING = [
    row("gender", "embedding", "linear", 0.9), row("gender", "embedding", "cnn", 0.7),
    row("verification", "embedding", "linear", 0.3), row("verification", "embedding", "cnn", 0.2),
]  # fmt: skip
MEMBERSHIP = [
    row("membership", "outputs", "threshold", 0.6, AUC),
    row("membership", "outputs", "threshold", 0.05, "tpr"),
]


def system(tmp_path, with_layers=True, verdict="yes", number=3):
    for table, rows in ((PrivacyLayers, layers(number)), (PrivacyEmbedding, EMBEDDING)):
        table.write(rows, tmp_path / table.name)
    told = PrivacyLayers.read(tmp_path / PrivacyLayers.name) if with_layers else None
    embedding = PrivacyEmbedding.read(tmp_path / PrivacyEmbedding.name)
    reason = "" if with_layers else "the recipe tunes the backbone"
    asked = (ATTRIBUTES, ATTACKERS, verdict)
    PrivacyResult.write(of_one_system(told, reason, embedding, MEMBERSHIP, *asked), tmp_path / "summary.tsv")
    return PrivacyResult.read(tmp_path / "summary.tsv")


def test_the_attacker_who_reads_most_stands_for_a_system(tmp_path):
    shown = system(tmp_path).query("headline == 'yes'").set_index(["attribute", "source"])
    assert len(shown) == 4
    assert shown.loc[("gender", "layer 0"), "attacker"] == "cnn", "the earlier of layers that tell as much"
    assert shown.loc[("gender", "embedding"), "attacker"] == "linear"
    assert shown.loc[("verification", "embedding"), "attacker"] == "cnn", "the lower error rate is the greater leak"
    assert shown.loc[("membership", "outputs"), "metric"] == "auc"


def test_models_at_chance_are_marked_and_the_layers_below_them_are_not(tmp_path):
    rows = system(tmp_path, verdict="at chance")
    of_models = rows["source"].isin(["embedding", "outputs"])
    assert set(rows[of_models]["verdict"]) == {"not interpretable: at chance"}
    assert set(rows[~of_models]["verdict"]) == {"beyond control"}


def test_where_the_backbone_is_tuned_rows_say_why_there_are_no_layers(tmp_path):
    rows = system(tmp_path, with_layers=False)
    none = rows[rows["source"] == "all layers"]
    assert set(none["attribute"]) == {"gender", "speaker", "verification"}
    assert none["value"].isna().all()
    assert set(none["verdict"]) == {"not attacked: the recipe tunes the backbone"}
    assert list(rows[rows["headline"] == "yes"]["source"]) == ["all layers", "embedding", "embedding", "outputs"]


def test_models_that_hear_nothing_are_not_interpretable():
    random = np.random.default_rng(0)
    labels = ["anger", "sadness"] * 60
    rows = pd.DataFrame({"utterance": map(str, range(120)), "speaker": [f"s{n // 12}" for n in range(120)]})
    rows = rows.assign(session="", seed=0, fold=1, label=labels)
    assert interpretable(rows.assign(predicted=labels)) == "yes"
    assert interpretable(rows.assign(predicted=random.permutation(labels))) == "at chance"
    assert interpretable(rows.assign(predicted="anger")) == "one class"


@pytest.fixture
def summary(tmp_path):
    tuned = system(tmp_path, with_layers=False)
    found = all_systems("corpus", [("apc", "cnn"), ("apc", "tuned")], [system(tmp_path), tuned])
    (tmp_path / "corpus").mkdir()
    PrivacySummary.write(found, tmp_path / "corpus" / "summary.tsv")
    return tmp_path / "corpus" / "summary.tsv"


def test_the_table_of_a_dataset_has_all_systems_and_is_printed(summary):
    rows = PrivacySummary.read(summary)
    assert list(dict.fromkeys(rows["recipe"])) == ["cnn", "tuned"]
    assert not rows.duplicated(list(PrivacySummary.key)).any()
    assert PrivacySummary.found_in(summary.parent) == PrivacySummary.found_in(summary.parent.parent) == [summary]
    text = privacy_text([summary])
    assert "UAR 90.0 [80.0, 100.0]" in text
    assert "equal error rate 20.0 [10.0, 30.0]" in text
    assert "not attacked: the recipe tunes the backbone" in text


@pytest.mark.parametrize(("with_layers", "number"), [(True, 1), (True, 13), (False, 0)])
def test_figures_are_drawn_the_same_each_time(tmp_path, with_layers, number):
    rows = system(tmp_path, with_layers=with_layers, number=number)
    curve = [
        {"false_alarms": x, "hits": x**0.5, "low": x, "high": min(1.0, x**0.5 + 0.1), "control": x}
        for x in (0.0, 0.01, 0.1, 0.5, 1.0)
    ]
    MembershipCurve.write(curve, tmp_path / "roc.tsv")
    drawn = {
        "leaks": lambda: leaks_figure(rows, "corpus: apc, cnn"),
        "membership": lambda: membership_figure(MembershipCurve.read(tmp_path / "roc.tsv"), rows, "corpus: apc, cnn"),
        "systems": lambda: systems_figure(all_systems("corpus", [("apc", "cnn")], [rows]), "corpus"),
    }
    for name, draw in drawn.items():
        for take in range(2):
            save_figure(draw(), tmp_path / f"{name}{take}.svg")
        assert (tmp_path / f"{name}0.svg").read_bytes() == (tmp_path / f"{name}1.svg").read_bytes()
