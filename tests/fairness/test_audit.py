"""What the audit finds where something is planted, and what it does not find where nothing is."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, recall_score

from candor.fairness.audit import (
    BEYOND,
    CONFOUNDED,
    NOT_INTERPRETABLE,
    NOTHING,
    TOO_FEW,
    WITHIN,
    audit_classes,
    audit_ratings,
)
from candor.fairness.groups import Asked
from candor.tables.fairness import FoldGaps, Gaps, GroupConfusions, GroupRecalls, Groups
from fairness.people import CLASSES, manifest, predictions

ASKED = Asked(["gender", "speaker", "session"])
FAIR = {"female": 0.6, "male": 0.6}
UNFAIR = {"female": 0.4, "male": 0.8}


def audit(rows, asked=ASKED, draws=199, **columns):
    return audit_classes(rows, CLASSES, manifest(rows, **columns), asked, draws)


def gaps_of(made) -> pd.DataFrame:
    return pd.DataFrame(made.gaps).set_index(["axis", "variant", "metric", "aggregate"])


@pytest.fixture(scope="module")
def unfair():
    return audit(predictions(UNFAIR))


def test_a_planted_gap_is_found_and_nothing_beside_it(unfair):
    gaps = gaps_of(unfair)
    uar = gaps.loc["gender", "as spoken", "uar", "max"]
    assert uar["verdict"] == BEYOND
    assert uar["value"] > 0.2
    assert uar["low"] > uar["random_high"]
    assert uar["p"] <= 0.01
    assert (uar["higher"], uar["lower"]) == ("male", "female")
    session = gaps.loc["session", "as spoken", "uar", "max"]
    assert session["verdict"] == WITHIN
    assert session["low"] == 0
    worst = pd.DataFrame(unfair.groups).query("axis == 'gender' and worst == 'yes'")
    assert worst["group"].tolist() == ["female"]


def test_a_fair_model_shows_no_gap_more_often_than_chance():
    """Speakers are drawn anew each time; p is one number in (0, 1], small in one of twenty cases."""
    small = 0
    for seed in range(20):
        rows = predictions(FAIR, seed=seed, seeds=1, each=24)
        made = audit(rows, Asked(["gender"]))
        gap = gaps_of(made).loc["gender", "as spoken", "uar", "max"]
        small += gap["verdict"] == BEYOND
    assert small <= 4


def test_shuffled_labels_are_chance_everywhere():
    rows = predictions(UNFAIR)
    labels = rows.drop_duplicates("utterance").set_index("utterance")["label"]
    shuffled = pd.Series(np.random.default_rng(1).permutation(labels), index=labels.index)
    gaps = gaps_of(audit(rows.assign(label=rows["utterance"].map(shuffled))))
    assert set(gaps["verdict"]) == {NOT_INTERPRETABLE}
    assert gaps.loc["gender", "as spoken", "uar", "max"]["p"] > 0.05


def test_a_model_that_says_one_class_is_not_called_fair():
    rows = predictions(FAIR).assign(predicted="anger")
    gaps = gaps_of(audit(rows))
    assert (gaps["value"] == 0).all()
    assert set(gaps["verdict"]) == {NOT_INTERPRETABLE}


def test_a_class_of_one_gender_cannot_be_told_apart_from_it():
    rows = predictions(FAIR, shares={"female": [0.4, 0.3, 0.3, 0.0], "male": [0.25] * 4})
    gaps = gaps_of(audit(rows, Asked(["gender"])))
    parity = gaps.loc["gender", "as spoken", "demographic_parity", "max"]
    assert parity["verdict"] == CONFOUNDED
    assert parity["note"] == "sadness is spoken only by male"
    assert parity["truth"] > 0.15, "a perfect model would show it too"
    even = gaps.loc["gender", "balanced", "demographic_parity", "max"]
    assert even["truth"] == pytest.approx(0, abs=1e-12)
    assert even["verdict"] == WITHIN
    uar = gaps.loc["gender", "as spoken", "uar", "max"]
    assert uar["verdict"] == WITHIN
    own = rows[rows["label"] != "sadness"]
    per_group = [
        np.mean(
            [
                recall_score(s["label"], s["predicted"], labels=CLASSES[:3], average="macro")
                for _, s in g.groupby("seed")
            ]
        )
        for _, g in own.groupby("gender")
    ]
    assert uar["value"] == pytest.approx(abs(per_group[0] - per_group[1])), "over the emotions that both speak"


def test_groups_without_a_common_class_cannot_be_told_apart():
    rows = predictions(FAIR, shares={"female": [0.5, 0.5, 0.0, 0.0], "male": [0.0, 0.0, 0.5, 0.5]})
    gaps = gaps_of(audit(rows, Asked(["gender"])))
    assert set(gaps["verdict"]) == {CONFOUNDED}
    assert np.isnan(gaps.loc["gender", "as spoken", "uar", "max"]["value"])
    assert np.isnan(gaps.loc["gender", "as spoken", "equality_of_opportunity", "max"]["value"])
    one = predictions(FAIR, shares={"female": [0.4, 0.6, 0.0, 0.0], "male": [0.4, 0.0, 0.6, 0.0]})
    gaps = gaps_of(audit(one, Asked(["gender"])))
    uar, opportunity = (gaps.loc["gender", "as spoken", name, "max"] for name in ("uar", "equality_of_opportunity"))
    assert uar["value"] == pytest.approx(opportunity["value"]), "the recall of the one that both speak"


def test_a_class_that_one_group_hardly_speaks_is_no_gap():
    """Its recall is wide by chance there; shuffled groups of more such utterances must not make it seem certain."""
    small = 0
    for seed in range(24):
        spoken = {"female": [0.02, 0.32, 0.33, 0.33], "male": [0.25] * 4}
        rows = predictions(FAIR, seeds=1, each=40, seed=seed, shares=spoken)
        gap = gaps_of(audit(rows, Asked(["gender"]))).loc["gender", "as spoken", "equality_of_opportunity", "max"]
        small += gap["p"] <= 0.05
    assert small <= 4


def test_unequal_shares_widen_the_gap_as_spoken_and_not_the_balanced_one():
    rows = predictions(FAIR, each=80, shares={"female": [0.55, 0.15, 0.15, 0.15], "male": [0.15, 0.15, 0.15, 0.55]})
    gaps = gaps_of(audit(rows, Asked(["gender"])))
    spoken, even = (gaps.loc["gender", variant, "statistical_parity", "max"] for variant in ("as spoken", "balanced"))
    assert spoken["verdict"] == BEYOND
    assert spoken["truth"] == pytest.approx(0.4, abs=0.08)
    assert even["verdict"] == WITHIN
    assert even["value"] < spoken["value"] / 2


def test_small_groups_are_left_out_and_named():
    rows = predictions(FAIR)
    race = rows.drop_duplicates("utterance")["speaker"].map(
        {"s00": "B", "s01": "B", "s02": "C", "s03": "", **{f"s{n:02}": "A" for n in range(4, 12)}}
    )
    made = audit(rows, Asked(["race"], min_utterances=50), race=race.to_numpy())
    groups = pd.DataFrame(made.groups).set_index("group")
    assert groups.loc["A", "compared"] == "yes"
    assert groups.loc["B", "utterances"] == 80
    assert groups.loc["C", "compared"] == "left out: fewer than 50 test utterances"
    assert groups.loc["not known", ["utterances", "speakers"]].tolist() == [40, 1]
    assert gaps_of(made).loc["race", "as spoken", "uar", "max"]["groups"] == 2
    alone = audit(rows, Asked(["race"], min_utterances=20), race=race.to_numpy())
    assert pd.DataFrame(alone.groups).set_index("group").loc["C", "compared"] == "left out: fewer than 2 speakers"


def test_what_a_corpus_does_not_say_is_told():
    gaps = pd.DataFrame(audit(predictions(FAIR), Asked(["race", "language"]), language="en").gaps)
    assert set(gaps["verdict"]) == {NOTHING}
    assert gaps["note"].tolist() == [
        "the corpus does not say by race",
        "all are of one group by language: en",
    ]


def test_three_speakers_a_side_are_too_few():
    gaps = gaps_of(audit(predictions(UNFAIR, speakers=6), Asked(["gender"])))
    assert gaps.loc["gender", "as spoken", "uar", "max"]["verdict"] == TOO_FEW


def test_groups_have_the_figures_of_sklearn(unfair):
    rows = predictions(UNFAIR)
    groups = pd.DataFrame(unfair.groups).set_index(["axis", "group"])
    recalls = pd.DataFrame(unfair.recalls).set_index(["axis", "group", "class"]).sort_index()
    confusions = pd.DataFrame(unfair.confusions).set_index(["axis", "group"])
    for gender, own in rows.groupby("gender"):
        each = [seed for _, seed in own.groupby("seed")]
        expected = np.mean([balanced_accuracy_score(seed["label"], seed["predicted"]) for seed in each])
        assert groups.loc["gender", gender]["value"] == pytest.approx(expected)
        assert groups.loc["gender", gender]["low"] < expected < groups.loc["gender", gender]["high"]
        assert groups.loc["gender", gender]["speakers"] == 6
        of_class = np.mean(
            [recall_score(s["label"], s["predicted"], labels=CLASSES, average=None) for s in each], axis=0
        )
        np.testing.assert_allclose(recalls.loc["gender", gender]["recall"], of_class)
        counts = np.mean([confusion_matrix(s["label"], s["predicted"], labels=CLASSES) for s in each], axis=0)
        np.testing.assert_allclose(confusions.loc["gender", gender]["count"].to_numpy().reshape(4, 4), counts)


def test_folds_have_gaps_of_their_own(unfair):
    rows, folds = predictions(UNFAIR), pd.DataFrame(unfair.folds)
    own = folds.query("axis == 'gender' and metric == 'uar' and aggregate == 'max'").set_index("fold")["value"]
    for fold, tested in rows.groupby("fold"):
        uars = [
            np.mean([balanced_accuracy_score(s["label"], s["predicted"]) for _, s in group.groupby("seed")])
            for _, group in tested.groupby("gender")
        ]
        assert own[fold] == pytest.approx(abs(uars[0] - uars[1]))
    pooled = gaps_of(unfair).loc["gender", "as spoken", "uar", "max"]
    assert (pooled["fold_mean"], pooled["fold_sd"]) == pytest.approx((own.mean(), own.std()))
    assert pooled["folds"] == 3


def test_p_is_adjusted_for_the_number_of_axes(unfair):
    uar = gaps_of(unfair).xs(("as spoken", "uar", "max"), level=("variant", "metric", "aggregate"))
    assert uar.loc["gender", "p_holm"] == pytest.approx(2 * uar.loc["gender", "p"]), "gender and session"
    assert uar.loc["session", "p_holm"] == uar.loc["session", "p"]
    assert uar.loc["speaker", "p_holm"] == uar.loc["speaker", "p"], "a question of its own"


def test_speakers_who_differ_are_told_from_speakers_who_do_not():
    planted = gaps_of(audit(predictions(UNFAIR), Asked(["speaker"])))
    fair = gaps_of(audit(predictions(FAIR, seed=3), Asked(["speaker"])))
    for metric in ("uar_sd", "uar_gini", "uar_worst_decile"):
        row = planted.loc["speaker", "as spoken", metric, "max"]
        assert row["verdict"] == BEYOND
        assert row["low"] < row["value"] < row["high"]
        assert fair.loc["speaker", "as spoken", metric, "max"]["verdict"] == WITHIN


def test_the_same_predictions_give_the_same_tables_whatever_else_is_asked(unfair):
    again = audit(predictions(UNFAIR).sample(frac=1, random_state=0), Asked(["gender"]))
    alone = [row for row in unfair.gaps if row["axis"] == "gender"]
    for row, other in zip(alone, again.gaps, strict=True):
        assert {key: row[key] for key in row if key != "p_holm"} == {
            key: other[key] for key in other if key != "p_holm"
        }


def test_tables_hold_what_the_audit_found(unfair, tmp_path):
    tables = {Gaps: "gaps", Groups: "groups", GroupRecalls: "recalls", GroupConfusions: "confusions", FoldGaps: "folds"}
    for table, name in tables.items():
        rows = getattr(unfair, name)
        table.write(rows, tmp_path / f"{name}.tsv")
        assert len(table.read(tmp_path / f"{name}.tsv")) == len(rows)


def ratings(skill):
    rng = np.random.default_rng(0)
    rows = predictions(FAIR, seeds=1).drop(columns=["label", "predicted", *(f"p_{name}" for name in CLASSES)])
    value = rng.normal(3, 1, len(rows))
    noise = rng.normal(0, 1, len(rows)) * rows["gender"].map({g: 1 - s for g, s in skill.items()})
    return rows.assign(value=value, predicted=value + 2 * noise)


def test_ratings_are_audited_by_concordance_and_error():
    rows = ratings({"female": 0.3, "male": 0.9})
    gaps = gaps_of(audit_ratings(rows, manifest(rows), Asked(["gender", "session"]), 199))
    for metric in ("ccc", "mae"):
        assert gaps.loc["gender", "as spoken", metric, "max"]["verdict"] == BEYOND
        assert gaps.loc["session", "as spoken", metric, "max"]["verdict"] == WITHIN
    assert gaps.loc["gender", "as spoken", "ccc", "max"]["lower"] == "female"
    slight = ratings({"female": 0.7, "male": 0.8})
    gaps = gaps_of(audit_ratings(slight, manifest(slight), Asked(["gender"]), 199))
    mae = gaps.loc["gender", "as spoken", "mae", "max"]
    assert mae["verdict"] == BEYOND
    assert mae["value"] < mae["random_high"], "models that foretell nothing are no measure of ratings"
    fair = ratings({"female": 0.7, "male": 0.7})
    again = gaps_of(audit_ratings(fair, manifest(fair), Asked(["gender"]), 199))
    assert again.loc["gender", "as spoken", "ccc", "max"]["verdict"] == WITHIN
