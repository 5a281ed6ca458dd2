"""ROC curves, areas and error rates against scikit-learn and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_auc_score, roc_curve

from candor.privacy.ranking import Ranked


def made(seed, ties):
    random = np.random.default_rng(seed)
    positive = random.random(60) < 0.3
    positive[:2] = True, False
    scores = random.normal(positive * random.uniform(0, 3))
    return (np.round(scores) if ties else scores), positive


@given(seed=st.integers(0, 10_000), ties=st.booleans())
@settings(max_examples=60, deadline=None)
def test_area_and_equal_error_rate_are_those_of_scikit_learn_and_a_root(seed, ties):
    scores, positive = made(seed, ties)
    curve = Ranked(scores, positive).curve()
    alarms, hits, _ = roc_curve(positive, scores, drop_intermediate=False)
    assert curve.false_alarms == pytest.approx(alarms)
    assert curve.hits == pytest.approx(hits)
    assert curve.area() == pytest.approx(roc_auc_score(positive, scores))
    # A vertical step has no inverse for scipy: there the rate is where the step crosses the diagonal.
    if len(set(alarms)) == len(alarms):
        expected = brentq(lambda rate: 1 - rate - interp1d(alarms, hits)(rate), 0.0, 1.0)
        assert curve.equal_error() == pytest.approx(expected, abs=1e-9)
    at = curve.equal_error()
    apart = alarms - (1 - hits)
    after = int(np.argmax(apart >= 0))
    assert alarms[max(after - 1, 0)] - 1e-12 <= at <= alarms[after] + 1e-12
    assert 1 - hits[after] - 1e-12 <= at <= 1 - hits[max(after - 1, 0)] + 1e-12


@given(seed=st.integers(0, 10_000), ties=st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_curve_without_some_scores_is_that_of_the_others(seed, ties):
    scores, positive = made(seed, ties)
    kept = np.random.default_rng(seed + 1).random(60) < 0.7
    kept[:2] = True
    curve = Ranked(scores, positive).curve(kept)
    assert curve.area() == pytest.approx(roc_auc_score(positive[kept], scores[kept]))


def test_what_is_told_apart_has_no_error_and_what_is_turned_round_nothing_else():
    positive = np.array([True, True, False, False])
    sure = Ranked(np.array([4.0, 3.0, 2.0, 1.0]), positive).curve()
    assert (sure.area(), sure.equal_error(), sure.hits_at(0.01)[0]) == (1.0, 0.0, 1.0)
    wrong = Ranked(np.array([1.0, 2.0, 3.0, 4.0]), positive).curve()
    assert (wrong.area(), wrong.equal_error()) == (0.0, 1.0)
    silent = Ranked(np.zeros(4), positive).curve()
    assert (silent.area(), silent.equal_error(), silent.hits_at(0.01)[0]) == (0.5, 0.5, pytest.approx(0.01))


def test_hits_at_few_false_alarms_lie_on_a_line_between_the_points():
    random = np.random.default_rng(3)
    positive = np.repeat([True, False], 200)
    scores = random.normal(positive * 1.5)
    curve = Ranked(scores, positive).curve()
    others = np.sort(scores[~positive])[::-1]
    # Two of 200 others are 1 %: all members above the third-best other are found at no more than that.
    assert curve.hits_at(0.01)[0] == pytest.approx((scores[positive] > others[2]).mean())
    assert curve.hits_at(1.0)[0] == 1.0
    assert Ranked(scores[:200], positive[:200]).curve() is None
