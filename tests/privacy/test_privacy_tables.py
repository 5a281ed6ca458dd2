"""One table of a system, one of all; what stands for a system; figures and text of rows whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from candor.figures import BLUE, GREY, VERMILION, save_figure
from candor.performance.interpretable import interpretable
from candor.privacy.figures import leaks_figure, membership_figure, systems_figure
from candor.privacy.names import AUC, METRIC_OF
from candor.privacy.outcomes import What
from candor.privacy.overview import of_one_system
from candor.privacy.show import privacy_text
from candor.tables.privacy import MembershipCurve, PrivacyEmbedding, PrivacyLayers, PrivacyResult, PrivacySummary
from candor.tables.side_by_side import side_by_side

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
    found = side_by_side("corpus", [("apc", "cnn"), ("apc", "tuned")], [system(tmp_path), tuned])
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


@pytest.fixture
def curve(tmp_path):
    rows = [
        {"false_alarms": x, "hits": x**0.5, "low": x, "high": min(1.0, x**0.5 + 0.1), "control": 0.9 * x}
        for x in (0.0, 0.01, 0.1, 0.5, 1.0)
    ]
    MembershipCurve.write(rows, tmp_path / "roc.tsv")
    return MembershipCurve.read(tmp_path / "roc.tsv")


def words(figure) -> str:
    """Return all that stands in a figure, with every line break as a blank."""
    figure.draw_without_rendering()
    return "\n".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))


def points(axes, marker, colour) -> list[tuple[float, float]]:
    """Return the points that are drawn with a marker in a colour; those of the legend have no place."""
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in axes.lines
        if line.get_marker() == marker and line.get_color() == colour and len(line.get_xdata()) == 1
    ]


def filled(axes, marker) -> set[bool]:
    drawn = [line for line in axes.lines if line.get_marker() == marker and len(line.get_xdata()) == 1]
    return {line.get_markerfacecolor() == line.get_color() for line in drawn}


def test_leaks_lie_where_the_table_says_layer_by_layer(tmp_path):
    figure = leaks_figure(system(tmp_path), "corpus: apc, cnn")
    said = words(figure)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Gender: UAR", "Which speaker: accuracy", "Same speaker?: equal error rate",
    ]  # fmt: skip
    assert "corpus: apc, cnn" in said
    assert "all layers, the head's embedding; up to 240 utterances of 20 speakers" in said
    assert "hollow" not in said, "all are beyond the control"
    gender, speaker, _ = figure.axes
    places = [*range(3), 3.3, 4.3]
    linear, cnn = points(gender, "s", BLUE), points(gender, "o", VERMILION)
    assert [y for _, y in linear] == pytest.approx([80, 80, 80, 80, 90])
    assert [x for x, _ in linear] == pytest.approx([place - 0.12 for place in places])
    assert [y for _, y in cnn] == pytest.approx([85, 85, 85, 85, 70])
    assert [x for x, _ in cnn] == pytest.approx([place + 0.12 for place in places])
    assert {y for _, y in points(gender, "X", GREY)} == {50}
    assert {y for _, y in points(speaker, "X", GREY)} == {5}
    assert [text.get_text() for text in gender.get_xticklabels()] == ["0", "1", "2", "all", "emb."]
    assert filled(gender, "s") == filled(gender, "o") == {True}


def test_of_many_layers_some_have_a_number_and_what_is_not_beyond_the_control_is_hollow(tmp_path):
    rows = system(tmp_path, verdict="at chance", number=13)
    figure = leaks_figure(rows, "corpus: apc, cnn")
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == [*map(str, range(0, 13, 2)), "all", "emb."]
    assert filled(figure.axes[0], "o") == {True, False}
    assert "hollow: not beyond the control, or not interpretable" in words(figure)


def test_where_no_layer_is_attacked_the_figure_says_why(tmp_path):
    figure = leaks_figure(system(tmp_path, with_layers=False), "corpus: apc, tuned")
    assert points(figure.axes[0], "s", BLUE)[0][1] == pytest.approx(90), "the embedding is drawn all the same"
    assert points(figure.axes[1], "s", BLUE) == points(figure.axes[1], "X", GREY) == []
    assert "the recipe tunes the backbone" in words(figure)


def test_the_curve_of_membership_is_that_of_the_table(tmp_path, curve):
    rows = system(tmp_path)
    figure = membership_figure(curve, rows, "corpus: apc, cnn")
    for axes in figure.axes:
        hits, control, chance = axes.lines[:3]
        assert hits.get_xdata() == pytest.approx(100 * curve["false_alarms"])
        assert hits.get_ydata() == pytest.approx(100 * curve["hits"])
        assert control.get_ydata() == pytest.approx(100 * curve["control"])
        assert chance.get_ydata() == pytest.approx(100 * curve["false_alarms"])
    said = words(figure)
    assert "AUC 60.0 [50.0, 70.0], chance 50" in said
    assert "Hits at 1 % false alarms 5.0 [0.0, 15.0], chance 50.0" in said
    assert "corpus: apc, cnn: 240 utterances of 20 unheard speakers" in said
    assert "not interpretable" not in said
    assert "not interpretable: at chance" in words(membership_figure(curve, system(tmp_path, verdict="at chance"), ""))


def test_each_system_has_its_headlines_in_its_line(tmp_path):
    found = [system(tmp_path), system(tmp_path, with_layers=False, verdict="at chance")]
    figure = systems_figure(side_by_side("corpus", [("apc", "cnn"), ("fbank", "tuned")], found), "corpus")
    said = words(figure)
    for title in (
        "Gender, backbone UAR, n = 240", "Gender, embedding UAR, n = 240",
        "Speaker, embedding equal error rate, n = 240", "Trained on?, loss AUC, n = 240",
    ):  # fmt: skip
        assert title in said
    assert "apc cnn" in said
    assert "fbank tuned" in said
    values = [points(axes, "o", VERMILION) for axes in figure.axes]
    assert [[x for x, _ in panel] for panel in values] == [
        pytest.approx(own) for own in ([85], [90, 90], [20, 20], [60, 60])
    ]
    assert [y for _, y in values[1]] == pytest.approx([-0.16, 0.84])
    assert said.count("not attacked") == 1, "of the layers of a tuned backbone"
    assert [filled(axes, "o") for axes in figure.axes] == [{True}, *[{True, False}] * 3]


@pytest.mark.parametrize(("with_layers", "number"), [(True, 1), (True, 13), (False, 0)])
def test_figures_are_drawn_the_same_each_time(tmp_path, curve, with_layers, number):
    rows = system(tmp_path, with_layers=with_layers, number=number)
    drawn = {
        "leaks": lambda: leaks_figure(rows, "corpus: apc, cnn"),
        "membership": lambda: membership_figure(curve, rows, "corpus: apc, cnn"),
        "systems": lambda: systems_figure(side_by_side("corpus", [("apc", "cnn")], [rows]), "corpus"),
    }
    for name, draw in drawn.items():
        for take in range(2):
            save_figure(draw(), tmp_path / f"{name}{take}.svg")
        assert (tmp_path / f"{name}0.svg").read_bytes() == (tmp_path / f"{name}1.svg").read_bytes()
