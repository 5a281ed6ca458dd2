"""trust-ser's three figures, by its formulas written out utterance by utterance."""

import json

import numpy as np
import pytest

from candor.fairness.parity import ParityError, trust_ser_figures
from candor.tables.base import write_json
from fairness.people import CLASSES, predictions

ROWS = predictions({"female": 0.4, "male": 0.8}, seeds=2)


def joint(rows):
    """demographic_parity of trust-ser: the share of a gender's utterances that are of a class and recognised."""
    worst = 0.0
    for name in CLASSES:
        shares = []
        for gender in ("male", "female"):
            own = rows[rows["gender"] == gender]
            shares.append(sum((own["label"] == name) & (own["predicted"] == name)) / len(own))
        worst = max(worst, abs(shares[0] - shares[1]))
    return worst


def statistical(rows):
    """holisticai's multiclass_statistical_parity: half the sum of differences between success rates."""
    distance = 0.0
    for name in CLASSES:
        male, female = ((rows[rows["gender"] == g]["predicted"] == name).mean() for g in ("male", "female"))
        distance += abs(male - female)
    return distance / 2


def opportunity(rows):
    """holisticai's multiclass_equality_of_opp: confusion matrices normalised by true class, over twice the classes."""
    matrices = []
    for gender in ("male", "female"):
        own = rows[rows["gender"] == gender]
        matrix = (
            np.array([[sum((own["label"] == y) & (own["predicted"] == p)) for y in CLASSES] for p in CLASSES]) + 1e-32
        )
        matrices.append(matrix / matrix.sum(axis=0, keepdims=True))
    return np.abs(matrices[0] - matrices[1]).sum() / (2 * len(CLASSES))


def test_each_fold_has_the_figures_of_its_models(tmp_path):
    figures = trust_ser_figures(ROWS, CLASSES)
    for fold, rows in ROWS.groupby("fold"):
        for name, formula in {
            "demographic_parity": joint,
            "statistical_parity": statistical,
            "equality_of_opp": opportunity,
        }.items():
            expected = np.mean([formula(own) for _, own in rows.groupby("seed")])
            assert figures[str(fold)][name] == pytest.approx(expected)
    write_json(figures, tmp_path / "trust_ser.json")
    read = json.loads((tmp_path / "trust_ser.json").read_text())
    assert list(read) == ["1", "2", "3", "average", "std"]
    folds = [read[fold]["equality_of_opp"] for fold in "123"]
    assert read["average"]["equality_of_opp"] == pytest.approx(np.mean(folds))
    assert read["std"]["equality_of_opp"] == pytest.approx(np.std(folds))


def test_a_class_that_one_gender_lacks_counts_as_uniform_there():
    rows = ROWS[(ROWS["gender"] == "male") | (ROWS["label"] != "anger")]
    figures = trust_ser_figures(rows, CLASSES)
    assert figures["1"]["equality_of_opp"] == pytest.approx(
        np.mean([opportunity(own) for _, own in rows[rows["fold"] == 1].groupby("seed")])
    )


def test_a_fold_of_one_gender_is_told():
    rows = ROWS[(ROWS["fold"] != 2) | (ROWS["gender"] == "male")]
    with pytest.raises(ParityError, match="compares men and women; fold 2 tests male"):
        trust_ser_figures(rows, CLASSES)
