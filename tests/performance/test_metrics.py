"""The metrics equal scikit-learn's with explicit labels."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)

from candor.performance.metrics import chance, f1, macro_f1, precision
from candor.stats.confusions import accuracy, count_confusions, recall, uar
from candor.stats.intervals import FloatArray

CLASSES = 4
pairs = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=40)


def counted(truth: list[int], predicted: list[int]) -> FloatArray:
    return count_confusions([np.array(truth), np.array(predicted)], [CLASSES, CLASSES])


@settings(deadline=None)
@given(pairs)
def test_metrics_equal_scikit_learn(drawn: list[tuple[int, int]]) -> None:
    truth, predicted = [list(side) for side in zip(*drawn, strict=True)]
    counts = counted(truth, predicted)
    every = list(range(CLASSES))
    assert counts == pytest.approx(confusion_matrix(truth, predicted, labels=every))
    assert accuracy(counts) == pytest.approx(accuracy_score(truth, predicted))
    for ours, theirs in ((recall, recall_score), (precision, precision_score), (f1, f1_score)):
        assert ours(counts) == pytest.approx(theirs(truth, predicted, labels=every, average=None, zero_division=0))
    occurring = sorted(set(truth))
    for ours, theirs in ((uar, recall_score), (macro_f1, f1_score)):
        expected = theirs(truth, predicted, labels=occurring, average="macro", zero_division=0)
        assert ours(counts) == pytest.approx(expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of predictions outside the truth's classes
        assert uar(counts) == pytest.approx(balanced_accuracy_score(truth, predicted))


@settings(deadline=None)
@given(pairs)
def test_macro_averages_equal_scikit_learn_over_all_classes_once_all_occur(drawn: list[tuple[int, int]]) -> None:
    truth, predicted = [list(side) for side in zip(*drawn, strict=True)]
    truth, predicted = [*truth, 0, 1, 2, 3], [*predicted, 3, 3, 3, 3]
    options = {"labels": [0, 1, 2, 3], "average": "macro", "zero_division": 0}
    assert uar(counted(truth, predicted)) == pytest.approx(recall_score(truth, predicted, **options))
    assert macro_f1(counted(truth, predicted)) == pytest.approx(f1_score(truth, predicted, **options))


def test_leading_axes_are_kept() -> None:
    counts = np.random.default_rng(0).integers(0, 9, (3, 2, CLASSES, CLASSES)).astype(float)
    for metric in (uar, accuracy, macro_f1):
        assert metric(counts).shape == (3, 2)
        assert metric(counts)[1, 1] == pytest.approx(metric(counts[1, 1]))


@pytest.mark.parametrize("truth", [[0] * 50 + [1] * 30 + [2] * 15 + [3] * 5, [0, 1, 2, 3] * 25])
def test_chance_is_that_of_scikit_learns_dummies(truth: list[int]) -> None:
    counts = counted(truth, truth)
    repeated = truth * 400
    said = {
        kind: DummyClassifier(strategy=kind, random_state=0).fit(truth, truth).predict(repeated)
        for kind in ("uniform", "most_frequent")
    }
    every = {"labels": [0, 1, 2, 3], "average": "macro", "zero_division": 0}
    best = {
        "accuracy": max(accuracy_score(repeated, one) for one in said.values()),
        "uar": max(recall_score(repeated, one, **every) for one in said.values()),
        "f1": max(f1_score(repeated, one, **every) for one in said.values()),
    }
    assert chance(counts, accuracy) == pytest.approx(best["accuracy"], abs=0.01)
    assert chance(counts, uar) == pytest.approx(0.25)
    assert best["uar"] == pytest.approx(0.25, abs=0.01)
    assert chance(counts, macro_f1) == pytest.approx(best["f1"], abs=0.01)
