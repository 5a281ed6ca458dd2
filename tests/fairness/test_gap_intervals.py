"""Intervals of gaps and what chance shows, against tests and intervals of scipy."""

import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test, ttest_ind

from candor.fairness.chance import DRAWS, draws_for, least_p, p_value, shuffled_sums
from candor.fairness.groups import Axis
from candor.fairness.metrics import demographic_parity, uar_over
from candor.fairness.samples import ClassSample
from candor.fairness.spread import uncertainty, utterance_variance
from candor.stats.gaps import gap, gap_interval, widest

ALL = np.ones(2, bool)


def sample_of(accuracies, each=50):
    """Speakers of one class (the other never occurs), each right as often as said: their recall is their mean."""
    right = [round(each * accuracy) for accuracy in accuracies]
    said = np.concatenate([np.repeat([0, 1], [number, each - number]) for number in right])
    return ClassSample(np.zeros(len(said), int), said[None], np.repeat(np.arange(len(right)), each), 2)


def nested(sample, groups):
    codes = np.array(groups)[sample.speaker]
    return Axis("group", [str(one) for one in sorted(set(groups))], codes, "nested")


MEN, WOMEN = [0.62, 0.7, 0.66, 0.9, 0.82, 0.58], [0.4, 0.52, 0.36, 0.62, 0.5, 0.44]


def first_recall(counts):
    return (counts[..., 0, 0] / counts[..., 0, :].sum(axis=-1))[..., None, None]


def test_between_two_groups_it_is_the_interval_of_welch():
    sample = sample_of(MEN + WOMEN)
    axis = nested(sample, [0] * 6 + [1] * 6)
    sure = uncertainty(sample, axis, first_recall)
    found = gap_interval(first_recall(sample.sums(axis.codes, 2)), sure.variance, sure.freedom, "max")
    expected = ttest_ind(MEN, WOMEN, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.value == pytest.approx(np.mean(MEN) - np.mean(WOMEN))
    assert found.widest == (0, 1, 0)


def test_p_is_that_of_the_permutation_test_over_speakers():
    sample = sample_of(MEN + WOMEN)
    axis = nested(sample, [0] * 6 + [1] * 6)
    drawn = shuffled_sums(sample, axis, 4000, np.random.default_rng(0))
    gaps = np.concatenate([gap(first_recall(sums), "max") for sums in drawn])
    value = float(gap(first_recall(sample.sums(axis.codes, 2)), "max"))
    exact = permutation_test(
        (MEN, WOMEN), lambda a, b: abs(np.mean(a) - np.mean(b)), n_resamples=np.inf, alternative="greater"
    )
    assert len(gaps) == 4000
    assert p_value(value, gaps) == pytest.approx(exact.pvalue, abs=0.008)


def test_more_comparisons_at_once_widen_the_interval():
    sample = sample_of(MEN + WOMEN)
    axis = nested(sample, [0] * 6 + [1] * 6)
    widths = []
    for rates in (first_recall, demographic_parity):
        sure = uncertainty(sample, axis, rates)
        found = gap_interval(rates(sample.sums(axis.codes, 2)), sure.variance, sure.freedom, "max")
        assert 0 <= found.low <= found.value <= found.high <= 1
        widths.append(found.high - found.low)
    assert widths[1] > widths[0]


def test_no_interval_reaches_beyond_what_can_be():
    rates = np.array([1.0, 0.1])[:, None, None]
    found = gap_interval(rates, lambda *_: np.full((1, 1, 1), 0.04), lambda *_: np.full((1, 1, 1), 9.0), "max", most=1)
    assert found.high == 1


def test_a_rate_that_one_group_alone_has_is_no_gap():
    rates = np.array([[0.9], [np.nan]])[..., None]
    assert np.isnan(gap(rates, "max"))
    assert np.isnan(gap(rates, "mean"))
    assert widest(rates) is None


def test_in_standard_errors_few_utterances_do_not_outweigh_many():
    rates, noise = np.array([[0.5, 0.6], [0.9, 0.4]])[..., None], np.array([[0.08, 0.001], [0.08, 0.001]])[..., None]
    assert gap(rates, "max") == pytest.approx(0.4)
    assert gap(rates, "max", "max", noise) == pytest.approx(0.2 / np.sqrt(0.002))
    assert gap(rates, "mean", "max", noise) == pytest.approx(np.mean([0.4 / 0.4, 0.2 / np.sqrt(0.002)]))


def test_the_interval_of_a_mean_holds_that_of_each_pair():
    sample = sample_of(MEN + WOMEN)
    axis = nested(sample, [0, 1, 2] * 4)
    sure = uncertainty(sample, axis, first_recall)
    most, mean = (
        gap_interval(first_recall(sample.sums(axis.codes, 3)), sure.variance, sure.freedom, how)
        for how in ("max", "mean")
    )
    assert mean.low <= mean.value <= mean.high
    assert mean.value <= most.value
    assert mean.high <= most.high


def test_one_speaker_in_a_group_gives_no_interval():
    sample = sample_of(MEN[1:4])
    axis = nested(sample, [0, 0, 1])
    sure = uncertainty(sample, axis, first_recall)
    found = gap_interval(first_recall(sample.sums(axis.codes, 2)), sure.variance, sure.freedom, "max")
    assert np.isnan([found.low, found.high]).all()
    assert found.value > 0


def test_speakers_who_are_alike_by_chance_leave_the_error_of_their_utterances():
    sample = sample_of([0.6] * 8)
    axis = nested(sample, [0, 1] * 4)
    sure = uncertainty(sample, axis, first_recall)
    found = gap_interval(first_recall(sample.sums(axis.codes, 2)), sure.variance, sure.freedom, "max")
    binomial = np.sqrt(2 * 0.6 * 0.4 / 200)
    assert found.low == 0
    assert found.high == pytest.approx(2.45 * binomial, rel=0.05), "t with 6 degrees of freedom"


def test_the_variance_over_utterances_is_binomial():
    sample = sample_of([0.3, 0.8], each=200)
    variance = utterance_variance(sample, sample.speaker, 2, first_recall)[:, 0, 0]
    np.testing.assert_allclose(variance, [0.3 * 0.7 / 200, 0.8 * 0.2 / 200], rtol=0.05)
    for accuracies in ([0.0, 0.5], [0.0, 0.0], [1.0, 1.0]):
        alike = sample_of(accuracies, each=20)
        assert utterance_variance(alike, alike.speaker, 2, first_recall)[0, 0, 0] > 0


def test_speakers_in_several_groups_are_compared_with_themselves():
    """Each speaker reads two texts; what makes a speaker hard cancels out of the difference between texts."""
    rng = np.random.default_rng(0)
    skill = rng.uniform(0.2, 0.9, 12)
    rows = [
        (speaker, text, rng.random() < skill[speaker]) for speaker in range(12) for text in (0, 1) for _ in range(60)
    ]
    speaker, text, right = (np.array(column) for column in zip(*rows, strict=True))
    sample = ClassSample(np.zeros(len(right), int), 1 - right[None].astype(int), speaker, 2)
    axis = Axis("text", ["a", "b"], text, "crossed")
    sure = uncertainty(sample, axis, first_recall)
    found = gap_interval(first_recall(sample.sums(text, 2)), sure.variance, sure.freedom, "max")
    apart = [
        right[(speaker == one) & (text == 0)].mean() - right[(speaker == one) & (text == 1)].mean() for one in range(12)
    ]
    limits = bootstrap((apart,), np.mean, rng=np.random.default_rng(0)).confidence_interval
    assert found.high - found.value < 1.6 * (limits.high - limits.low) / 2, "as narrow as of paired differences"
    same = [np.bincount(speaker[codes == 0]) for codes in _codes(sample, axis)]
    assert all((counts == 60).all() for counts in same), "shuffled within each speaker"


def _codes(sample, axis):
    from candor.fairness.chance import shuffled_within

    rng = np.random.default_rng(0)
    return [shuffled_within(axis.codes, sample.speaker, rng) for _ in range(3)]


def test_few_speakers_cannot_be_told_apart_from_chance():
    sample = sample_of(MEN[:3] + WOMEN[:3])
    assert least_p(sample, nested(sample, [0] * 3 + [1] * 3)) == pytest.approx(2 / 20)
    sample = sample_of(MEN[:4] + WOMEN[:4])
    assert least_p(sample, nested(sample, [0] * 4 + [1] * 4)) == pytest.approx(2 / 70)
    assert least_p(sample, nested(sample, [0] * 3 + [1] * 5)) == pytest.approx(1 / 56)


def test_so_many_groups_that_draws_are_fewer():
    assert draws_for(2, 8) == DRAWS
    assert 199 <= draws_for(2000, 1000) < DRAWS


def test_uar_over_no_class_is_nothing():
    assert np.isnan(uar_over(~ALL)(np.ones((2, 2, 2)))).all()
