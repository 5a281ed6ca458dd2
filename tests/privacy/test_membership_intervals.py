"""The interval of an area holds what it is of, a closed form, as often as it says, and is not wider than it must be."""

import numpy as np
import pytest
from scipy.stats import norm, t

from candor.privacy.contests import Contest, Contests
from candor.privacy.membership import AUC, FIGURES
from candor.privacy.outcomes import What, contest_row

BETWEEN, WITHIN, APART, EACH = 0.5, 1.0, 0.7, 12


def measured(random: np.random.Generator, speakers: int, folds: int) -> dict:
    """Return the row of models that lose less on what they heard; some speakers are harder, in all folds."""
    hard = random.normal(0, BETWEEN, speakers)
    contests = Contests()
    for fold in range(folds):
        tested = np.arange(speakers) % folds == fold
        trained = ~tested & (np.arange(speakers) % folds != (fold + 1) % folds)
        codes = np.repeat(np.flatnonzero(tested | trained), EACH)
        member = trained[codes]
        loss = hard[codes] + random.normal(0, WITHIN, len(codes)) - APART * member
        contests.each.append(Contest.of(-loss, member, [random.permutation(member)], codes, codes, ~member, fold))
    what = What("membership", "outputs", "threshold", AUC, "loss")
    return contest_row(what, contests, FIGURES[AUC], 0.5, np.full(speakers, float(EACH)), 0)


@pytest.mark.parametrize(("speakers", "folds"), [(10, 5), (20, 4)])
def test_the_interval_of_an_area_over_several_folds_is_as_wide_as_it_must_be(speakers, folds):
    """A member's loss and another's differ by a normal variable, whatever speakers they are of."""
    truth = norm.cdf(APART / np.sqrt(2 * (BETWEEN**2 + WITHIN**2)))
    rows = [measured(np.random.default_rng([7, run]), speakers, folds) for run in range(200)]
    value, low, high = (np.array([row[name] for row in rows]) for name in ("value", "low", "high"))
    assert value.mean() == pytest.approx(truth, abs=4 * value.std() / np.sqrt(len(rows)))
    assert ((low <= truth) & (truth <= high)).mean() >= 0.9
    needed = value.std() * t.ppf(0.975, speakers - 1)
    assert ((high - low) / 2).mean() < 1.4 * needed


def test_a_fold_counts_by_those_who_remain_of_it():
    """Two others of two utterances in fold 1, two of one and three in fold 2; the members are one speaker in both."""
    contests = Contests()
    for fold, others, scores in ((1, [1, 1, 2, 2], [2.0, 2.0, 0.0, 0.0]), (2, [3, 4, 4, 4], [0.0, 2.0, 2.0, 2.0])):
        codes, member = np.array([0, *others]), np.array([True, *[False] * 4])
        contests.each.append(Contest.of(np.array([1.0, *scores]), member, [member], codes, codes, ~member, fold))
    value, without = contests.figure(FIGURES[AUC])
    assert value == pytest.approx((4 * 0.5 + 4 * 0.25) / 8)
    assert np.isnan(without[0])
    expected = [(2 * 1.0 + 4 * 0.25) / 6, (2 * 0.0 + 4 * 0.25) / 6, (4 * 0.5 + 3 * 0.0) / 7, (4 * 0.5 + 1 * 1.0) / 5]
    assert without[1:] == pytest.approx(expected)
