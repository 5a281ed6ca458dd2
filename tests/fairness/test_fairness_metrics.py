"""Gaps against fairlearn, one class against the rest, and against closed forms."""

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference, equal_opportunity_difference, equalized_odds_difference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from sklearn.metrics import balanced_accuracy_score, mean_absolute_error, recall_score

from candor.fairness.inequality import below_the_mean, deviation, gini
from candor.fairness.measures import own_uar
from candor.fairness.metrics import (
    balanced,
    ccc_of_sums,
    demographic_parity,
    equalised_odds,
    equality_of_opportunity,
    mae_of_sums,
    over_sets,
    statistical_parity,
    uar_over,
)
from candor.fairness.samples import ClassSample, RatingSample
from candor.performance.ratings import ccc
from candor.stats.gaps import gap

FAIRLEARN = {
    demographic_parity: demographic_parity_difference,
    equality_of_opportunity: equal_opportunity_difference,
    equalised_odds: equalized_odds_difference,
}
COUNTS = arrays(np.int64, (3, 4, 4), elements=st.integers(1, 30)).map(lambda counts: counts.astype(float))
RATES = {
    demographic_parity: "max",
    statistical_parity: "half sum",
    equality_of_opportunity: "max",
    equalised_odds: "max",
    uar_over(np.ones(4, bool)): "max",
}


def drawn(groups: int, seed: int, classes: int = 4, number: int = 300):
    rng = np.random.default_rng(seed)
    label, group = rng.integers(classes, size=number), rng.integers(groups, size=number)
    said = np.where(rng.random(number) < 0.4 + 0.2 * group, label, rng.integers(classes, size=number))
    sample = ClassSample(label, said[None], np.arange(number), classes)
    return label, said, group, sample.sums(group, groups)


@pytest.mark.parametrize("rates", FAIRLEARN, ids=lambda rates: rates.__name__)
@pytest.mark.parametrize("groups", [2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_gaps_are_those_of_fairlearn_for_each_class_against_the_rest(rates, groups, seed):
    label, said, group, sums = drawn(groups, seed)
    theirs = [FAIRLEARN[rates](label == one, said == one, sensitive_features=group) for one in range(4)]
    assert gap(rates(sums), "max") == pytest.approx(max(theirs))
    if groups == 2:
        assert gap(rates(sums), "mean") == pytest.approx(np.mean(theirs))


@pytest.mark.parametrize("seed", range(3))
def test_statistical_parity_is_the_total_variation_between_what_is_said(seed):
    _, said, group, sums = drawn(4, seed)
    shares = np.array([np.bincount(said[group == one], minlength=4) / (group == one).sum() for one in range(4)])
    distances = cdist(shares, shares, "cityblock")[np.triu_indices(4, 1)] / 2
    assert gap(statistical_parity(sums), "max", "half sum") == pytest.approx(distances.max())
    assert gap(statistical_parity(sums), "mean", "half sum") == pytest.approx(distances.mean())
    assert gap(over_sets(statistical_parity(sums)), "max") == pytest.approx(distances.max()), "as intervals take it"


def test_the_uar_of_a_group_is_that_of_sklearn():
    label, said, group, sums = drawn(3, 0)
    expected = [balanced_accuracy_score(label[group == one], said[group == one]) for one in range(3)]
    np.testing.assert_allclose(uar_over(np.ones(4, bool))(sums)[:, 0, 0], expected)
    assert gap(uar_over(np.ones(4, bool))(sums), "max") == pytest.approx(max(expected) - min(expected))
    some = recall_score(label[group == 1], said[group == 1], labels=[0, 2], average="macro")
    assert uar_over(np.array([True, False, True, False]))(sums)[1, 0, 0] == pytest.approx(some)


def test_balanced_gaps_are_those_of_reweighted_utterances():
    """Utterances weighted such that each group speaks the classes in the same shares, as fairlearn takes weights."""
    label, said, group, sums = drawn(2, 1)
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    spoken = sums.sum(axis=-1)
    weight = shares[label] / spoken[group, label]
    theirs = [
        demographic_parity_difference(label == one, said == one, sensitive_features=group, sample_weight=weight)
        for one in range(4)
    ]
    assert gap(demographic_parity(balanced(sums, shares)), "max") == pytest.approx(max(theirs))


def test_groups_that_only_speak_unequally_have_no_balanced_gap():
    confusions = np.array([[0.7, 0.1, 0.1, 0.1], [0.2, 0.5, 0.2, 0.1], [0.0, 0.1, 0.9, 0.0], [0.3, 0.3, 0.1, 0.3]])
    spoken = np.array([[100, 20, 40, 40], [20, 100, 40, 40]])
    sums = spoken[:, :, None] * confusions
    assert gap(statistical_parity(sums), "max", "half sum") > 0.1
    assert gap(statistical_parity(balanced(sums, np.full(4, 0.25))), "max", "half sum") == pytest.approx(0)
    assert gap(equality_of_opportunity(sums), "max") == pytest.approx(0)


@settings(max_examples=40, deadline=None)
@given(COUNTS)
@pytest.mark.parametrize("how", ["max", "mean"])
def test_gaps_are_bounded_symmetric_and_zero_for_equal_groups(how, counts):
    for rates, norm in RATES.items():
        value = gap(rates(counts), how, norm)
        assert 0 <= value <= 1
        assert gap(rates(counts[::-1]), how, norm) == pytest.approx(value)
        assert gap(rates(np.stack([counts[0], counts[0], 3 * counts[0]])), how, norm) == pytest.approx(0)
        assert gap(rates(counts), "mean", norm) <= gap(rates(counts), "max", norm) + 1e-12


def test_a_class_that_a_group_lacks_has_no_recall_there():
    sums = np.array([[[5.0, 5.0], [2.0, 8.0]], [[4.0, 6.0], [0.0, 0.0]]])
    assert np.isnan(equality_of_opportunity(sums)[1, 1, 0])
    assert gap(equality_of_opportunity(sums), "max") == pytest.approx(0.1)
    assert own_uar(sums)[:, 0, 0].tolist() == [0.65, 0.4]


def test_ratings_have_the_concordance_and_the_error_of_their_group():
    rng = np.random.default_rng(0)
    true, group = rng.normal(3, 1, 200), rng.integers(2, size=200)
    said = np.stack([true + rng.normal(0, 0.5 + group), 0.5 * true + 1])
    sums = RatingSample(true, said, np.arange(200)).sums(group, 2)
    for one in range(2):
        own = group == one
        assert ccc_of_sums(sums)[one, 0, 0] == pytest.approx(np.mean([ccc(seed[own], true[own]) for seed in said]))
        errors = [mean_absolute_error(true[own], seed[own]) for seed in said]
        assert mae_of_sums(sums)[one, 0, 0] == pytest.approx(np.mean(errors))


def test_spreads_over_speakers_by_hand():
    values = np.array([0.2, 0.4, 0.6, 0.8])
    apart = np.abs(values[:, None] - values).sum() / (2 * 16 * values.mean())
    assert gini(values) == pytest.approx(apart)
    assert gini(np.full(5, 0.3)) == pytest.approx(0)
    assert deviation(values) == pytest.approx(values.std(ddof=1))
    assert below_the_mean(values) == pytest.approx(0.3)
    twenty = np.arange(1, 21) / 20
    assert below_the_mean(twenty) == pytest.approx(twenty.mean() - (twenty[0] + twenty[1]) / 2)
