"""Paired differences against scipy and scikit-learn, and against what must come out where nothing differs."""

import runpy
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import recall_score

from candor.performance.metrics import METRICS, macro_f1
from candor.stats.confusions import accuracy, count_confusions, uar
from candor.stats.intervals import FloatArray
from candor.stats.paired import holm, least_p, paired_interval, swap_test

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "paired_coverage.py"


@pytest.fixture(scope="module")
def benchmark() -> dict[str, Any]:
    return runpy.run_path(str(BENCHMARK))


def right_and_wrong(right: list[int], utterances: int) -> FloatArray:
    """Return counts of two classes with as many right of the `utterances` of the first per speaker, one seed."""
    counts = np.zeros((len(right), 1, 2, 2))
    counts[:, 0, 0, 0], counts[:, 0, 0, 1] = right, utterances - np.array(right)
    return counts


def heard(speakers: int, skills: list[float], seeds: tuple[int, int] = (1, 1), seed: int = 0) -> list[FloatArray]:
    """Return the counts of systems of these skills that hear the same 30 utterances of each speaker, three classes."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, 30 * speakers)
    speaker = np.arange(len(label)) // 30
    systems = []
    for skill, number in zip(skills, seeds, strict=True):
        at = np.tile(np.arange(number)[:, None], len(label))
        said = np.where(rng.random(at.shape) < skill, label, rng.integers(0, 3, at.shape))
        codes = [np.broadcast_to(one, at.shape).ravel() for one in (speaker, at, label, said)]
        systems.append(count_confusions(codes, [speakers, number, 3, 3]))
    return systems


def test_interval_of_equal_speakers_is_that_of_students_paired_test() -> None:
    one, other = [7, 4, 9, 6, 5], [5, 5, 6, 3, 4]
    expected = stats.ttest_rel(np.array(one) / 10, np.array(other) / 10).confidence_interval(0.95)
    got = paired_interval(right_and_wrong(one, 10), right_and_wrong(other, 10), accuracy)
    assert got.value == pytest.approx(np.mean(one) / 10 - np.mean(other) / 10)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high))
    assert got.speakers == 5


def test_difference_is_that_of_the_recalls_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    label, one, other, speaker = (rng.integers(0, n, 200) for n in (4, 4, 4, 7))
    counts = [count_confusions([speaker, speaker * 0, label, said], [7, 1, 4, 4]) for said in (one, other)]
    expected = recall_score(label, one, average="macro") - recall_score(label, other, average="macro")
    assert paired_interval(counts[0], counts[1], uar).value == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
def test_exact_p_is_that_of_scipys_permutation_test(metric: str) -> None:
    first, second = heard(7, [0.7, 0.55], seed=2)
    both = np.concatenate([first, second])

    def difference(ones: Any, others: Any, axis: int = -1) -> Any:
        one, other = (both[np.asarray(who, dtype=int)].sum(axis=-4) for who in (ones, others))
        return (METRICS[metric](one) - METRICS[metric](other)).mean(axis=-1)

    expected = stats.permutation_test(
        (np.arange(7), np.arange(7, 14)), difference, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert swap_test(first, second, METRICS[metric]) == pytest.approx(expected.pvalue)


def test_exact_p_with_seeds_is_that_of_trying_every_swap_by_hand() -> None:
    first, second = heard(4, [0.8, 0.6], seeds=(2, 2), seed=1)
    observed, extreme = None, 0
    for swapped in product([False, True], repeat=4):
        chosen = np.array(swapped)[:, None, None, None]
        one, other = np.where(chosen, second, first), np.where(chosen, first, second)
        differences = [macro_f1(one[:, k].sum(axis=0)) - macro_f1(other[:, k].sum(axis=0)) for k in range(2)]
        far = abs(float(np.mean(differences)))
        observed = far if observed is None else observed
        extreme += far >= observed - 1e-12
    assert swap_test(first, second, macro_f1) == pytest.approx(extreme / 16)


def test_random_swaps_come_near_all_swaps() -> None:
    first, second = heard(15, [0.62, 0.55], seed=5)
    exact = stats.permutation_test(
        [np.einsum("sckk->s", one) / 30 for one in (first, second)],
        lambda one, other, axis: (one - other).mean(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    ).pvalue
    got = swap_test(first, second, accuracy)
    assert got == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 9999))
    assert got == swap_test(first, second, accuracy)
    assert 0.01 < exact < 0.99


def test_smallest_p_values_are_reached_when_every_speaker_agrees() -> None:
    for speakers in (2, 5, 10, 20):
        better, worse = right_and_wrong([9] * speakers, 10), right_and_wrong([1] * speakers, 10)
        assert swap_test(better, worse, accuracy, draws=199) == pytest.approx(least_p(speakers, 199))


def test_equal_systems_differ_by_nothing_with_p_1() -> None:
    counts = heard(10, [0.7, 0.6])[0]
    for statistic in METRICS.values():
        got = paired_interval(counts, counts, statistic)
        assert got.value == 0
        # As wide as if one utterance could have turned; by the rule of three, three of a class of a hundred: 0.01.
        assert -4 / 300 < got.low < 0 < got.high < 4 / 300
        assert swap_test(counts, counts, statistic) == 1
    large = heard(20, [0.7, 0.6])[0]
    assert swap_test(large, large, uar, draws=99) == 1


def test_exchange_of_the_systems_turns_the_sign() -> None:
    first, second = heard(9, [0.7, 0.6], seeds=(3, 2))
    for statistic in METRICS.values():
        one, other = paired_interval(first, second, statistic), paired_interval(second, first, statistic)
        assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
        assert swap_test(first, second, statistic) == swap_test(second, first, statistic)


def test_seeds_are_averaged_even_if_one_system_has_more() -> None:
    first, second = heard(6, [0.7, 0.6], seeds=(3, 2))
    for statistic in METRICS.values():
        values = [statistic(counts.sum(axis=0)).mean() for counts in (first, second)]
        assert paired_interval(first, second, statistic).value == pytest.approx(values[0] - values[1])
    averages = [counts.mean(axis=1, keepdims=True) for counts in (first, second)]
    for statistic in (uar, accuracy):
        got, expected = paired_interval(first, second, statistic), paired_interval(averages[0], averages[1], statistic)
        assert (got.low, got.high) == pytest.approx((expected.low, expected.high))
        assert swap_test(first, second, statistic) == swap_test(averages[0], averages[1], statistic)


def test_one_speaker_has_a_difference_and_nothing_else() -> None:
    first, second = heard(1, [0.9, 0.5])
    got = paired_interval(first, second, uar)
    assert got.value > 0
    assert np.isnan([got.low, got.high, swap_test(first, second, uar)]).all()


def test_speakers_alike_by_chance_still_leave_the_uncertainty_of_their_utterances() -> None:
    got = paired_interval(right_and_wrong([8] * 10, 10), right_and_wrong([6] * 10, 10), accuracy)
    error = np.sqrt((0.8 * 0.2 + 0.6 * 0.4) / 100)
    assert got.value == pytest.approx(0.2)
    assert got.high - got.low == pytest.approx(2 * stats.t.ppf(0.975, 9) * error, rel=0.05)


def test_an_interval_stays_within_what_a_difference_can_be() -> None:
    got = paired_interval(right_and_wrong([10, 9], 10), right_and_wrong([0, 5], 10), accuracy)
    assert (got.low, got.high) == (-1, 1)


def test_other_utterances_are_refused() -> None:
    first, second = heard(4, [0.7, 0.6])
    for foreign in (second[::-1], second[:3], heard(4, [0.7, 0.6], seed=8)[1]):
        with pytest.raises(ValueError, match="same utterances"):
            paired_interval(first, foreign, uar)
        with pytest.raises(ValueError, match="same utterances"):
            swap_test(first, foreign, uar)
    with pytest.raises(ValueError, match="at least one speaker"):
        paired_interval(first * 0, second * 0, uar)


def test_holm_of_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1, 1])
    assert holm([]).size == 0


def test_holm_is_the_closed_test_with_bonferronis() -> None:
    p = np.random.default_rng(0).random(6) ** 3
    families = [set(one) for size in range(1, 7) for one in combinations(range(6), size)]
    expected = [max(min(len(one) * p[list(one)].min(), 1) for one in families if this in one) for this in range(6)]
    assert holm(p) == pytest.approx(expected)


def test_holm_leaves_out_what_has_no_p_value() -> None:
    got = holm([np.nan, 0.02, 0.03, np.nan])
    assert got[1:3] == pytest.approx([0.04, 0.04])
    assert np.isnan(got[[0, 3]]).all()


@pytest.mark.parametrize("shape", ["even", "uneven", "groups", "crossed"])
def test_coverage_at_ten_speakers_is_within_92_and_98(benchmark: dict[str, Any], shape: str) -> None:
    contest = benchmark["Contest"](0.6, 0.05, 0.6, shape)
    (first, second), expected = benchmark["simulate"](contest, 600, 10, np.random.default_rng(7))
    for statistic in (uar, macro_f1):
        low, high = benchmark["shipped"](first, second, statistic)
        truth = statistic(expected[0]) - statistic(expected[1])
        assert 92 <= 100 * np.mean((low <= truth) & (truth <= high)) <= 98


@pytest.mark.parametrize(("speakers", "draws"), [(10, 0), (20, 199)])
def test_p_values_are_uniform_where_nothing_differs(benchmark: dict[str, Any], speakers: int, draws: int) -> None:
    contest = benchmark["Contest"](0.6, 0.0, 0.6)
    (first, second), _ = benchmark["simulate"](contest, 1000, speakers, np.random.default_rng(7))
    pairs = zip(first, second, strict=True)
    p = np.array([swap_test(one[:, None], other[:, None], uar, draws) for one, other in pairs])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 1000))
