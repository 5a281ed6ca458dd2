"""The interval against closed forms, against its promises at the edges, and against simulated populations."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from candor.performance.metrics import METRICS, macro_f1
from candor.stats.confusions import accuracy, recall, uar
from candor.stats.intervals import FloatArray, effective_speakers, jackknife_error, speaker_interval

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "interval_coverage.py"


def right_and_wrong(right: list[int], wrong: list[int]) -> FloatArray:
    """Return counts of two classes with as many right and wrong utterances of the first per speaker, one seed."""
    counts = np.zeros((len(right), 1, 2, 2))
    counts[:, 0, 0, 0], counts[:, 0, 0, 1] = right, wrong
    return counts


@pytest.fixture(scope="module")
def benchmark() -> dict[str, Any]:
    return runpy.run_path(str(BENCHMARK))


def test_error_of_equal_speakers_is_that_of_the_mean() -> None:
    right = [7, 4, 9, 6, 5]
    counts = right_and_wrong(right, [10 - number for number in right])
    expected = stats.sem(np.array(right) / 10)
    assert jackknife_error(counts, accuracy) == pytest.approx(expected)


def test_interval_of_equal_speakers_is_students_on_the_logit_scale() -> None:
    right = [7, 4, 9, 6, 5]
    shares = np.array(right) / 10
    value = shares.mean()
    reach = stats.t.ppf(0.975, 4) * stats.sem(shares) / (value * (1 - value))
    odds = np.log(value / (1 - value))
    got = speaker_interval(right_and_wrong(right, [10 - number for number in right]), accuracy)
    assert got.value == pytest.approx(value)
    assert (got.low, got.high) == pytest.approx((1 / (1 + np.exp(reach - odds)), 1 / (1 + np.exp(-reach - odds))))
    assert got.speakers == 5


def test_speakers_who_dominate_count_for_fewer() -> None:
    assert effective_speakers(np.array([10] * 8)) == pytest.approx(8)
    assert effective_speakers(np.array([1000] + [2] * 8)) < 1.1


def test_seeds_are_averaged() -> None:
    one, other = right_and_wrong([7, 4, 9], [3, 6, 1]), right_and_wrong([6, 5, 9], [4, 5, 1])
    both = speaker_interval(np.concatenate([one, other], axis=1), accuracy)
    assert both.value == pytest.approx((20 / 30 + 20 / 30) / 2)
    same = speaker_interval(np.concatenate([one, one], axis=1), accuracy)
    assert same == speaker_interval(one, accuracy)


def test_one_speaker_has_a_value_and_no_interval() -> None:
    got = speaker_interval(right_and_wrong([7, 0], [3, 0]), accuracy)
    assert got.value == pytest.approx(0.7)
    assert np.isnan([got.low, got.high]).all()
    assert got.speakers == 1


def test_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one speaker"):
        speaker_interval(np.zeros((3, 1, 2, 2)), accuracy)


@pytest.mark.parametrize(("speakers", "utterances"), [(10, 12), (10, 100), (24, 60)])
def test_all_right_is_bounded_below_no_higher_than_by_the_rule_of_three(speakers: int, utterances: int) -> None:
    got = speaker_interval(right_and_wrong([utterances] * speakers, [0] * speakers), accuracy)
    assert (got.value, got.high) == (1, 1)
    assert 0.5 < got.low < 1 - 3 / (speakers * utterances)


def test_all_wrong_mirrors_all_right() -> None:
    right = speaker_interval(right_and_wrong([12] * 10, [0] * 10), accuracy)
    wrong = speaker_interval(right_and_wrong([0] * 10, [12] * 10), accuracy)
    assert (wrong.value, wrong.low) == (0, 0)
    assert wrong.high == pytest.approx(1 - right.low)


def test_all_right_is_as_uncertain_as_its_rarest_class() -> None:
    counts = np.zeros((6, 1, 2, 2))
    counts[:, 0, 0, 0] = 100
    counts[0, 0, 1, 1] = 2
    counts[1, 0, 1, 1] = 2
    assert speaker_interval(counts, uar).low < 0.8
    assert speaker_interval(counts, accuracy).low > 0.95


def test_speakers_alike_by_chance_still_leave_binomial_uncertainty() -> None:
    got = speaker_interval(right_and_wrong([4] * 10, [1] * 10), accuracy)
    error = np.sqrt(0.8 * 0.2 / 50)
    assert got.high - got.low == pytest.approx(2 * stats.t.ppf(0.975, 9) * error, rel=0.1)


def test_uar_of_a_model_of_one_class_is_certain() -> None:
    counts = np.random.default_rng(0).integers(3, 30, (10, 1, 4, 1)) * np.array([1, 0, 0, 0])
    got = speaker_interval(counts.astype(float), uar)
    assert (got.low, got.value, got.high) == pytest.approx((0.25, 0.25, 0.25))


def test_classes_and_genders_that_some_speakers_lack_are_no_obstacle() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 9, (10, 2, 4, 4)).astype(float)
    counts[:7, :, 3] = 0
    for statistic in METRICS.values():
        got = speaker_interval(counts, statistic)
        assert 0 < got.low < got.value < got.high < 1


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (5, 1, 3, 3), elements=st.integers(0, 6).map(float)), st.randoms())
def test_interval_holds_the_value_and_does_not_depend_on_the_order_of_speakers(counts: FloatArray, random: Any) -> None:
    if not counts.any():
        return
    order = list(range(5))
    random.shuffle(order)
    for statistic in (uar, accuracy, macro_f1):
        got, turned = speaker_interval(counts, statistic), speaker_interval(counts[order], statistic)
        if got.speakers > 1:
            assert 0 <= got.low <= got.value + 1e-9
            assert got.value - 1e-9 <= got.high <= 1
            if 1e-9 < got.value < 1 - 1e-9:
                assert (got.low, got.high) == pytest.approx((turned.low, turned.high), abs=1e-6)


def covered(method: Callable[..., Any], counts: FloatArray, expected: FloatArray, name: str, *more: Any) -> float:
    low, high = method(counts, METRICS[name], *more)
    truth = METRICS[name](expected)
    return float(100 * np.mean((low <= truth) & (truth <= high)))


@pytest.mark.parametrize(
    ("level", "sd", "shape"),
    [(0.4, 0.6, "even"), (0.6, 0.3, "even"), (0.8, 1.0, "even"), (0.95, 0.6, "even"), (0.6, 0.6, "uneven")],
)
def test_coverage_at_ten_speakers_is_within_92_and_98(
    benchmark: dict[str, Any], level: float, sd: float, shape: str
) -> None:
    rng = np.random.default_rng(7)
    counts, expected = benchmark["simulate"](benchmark["Population"](level, sd, shape), 1000, 10, rng)
    for name in METRICS:
        assert 92 <= covered(benchmark["shipped"], counts, expected, name) <= 98, name


def test_percentile_bootstrap_covers_too_rarely_at_ten_speakers(benchmark: dict[str, Any]) -> None:
    rng = np.random.default_rng(7)
    counts, expected = benchmark["simulate"](benchmark["Population"](0.6, 0.6), 1000, 10, rng)
    for name in METRICS:
        percentile = covered(benchmark["percentile"], counts, expected, name, 200, rng)
        assert percentile < 92 <= covered(benchmark["shipped"], counts, expected, name), name


def test_recall_of_one_class_is_covered_too(benchmark: dict[str, Any]) -> None:
    counts, expected = benchmark["simulate"](benchmark["Population"](0.6, 0.6), 1000, 10, np.random.default_rng(7))
    counts[:, :, 1:] = 0

    def first(total: FloatArray) -> FloatArray:
        return recall(total)[..., 0]

    low, high = benchmark["shipped"](counts, first)
    assert 92 <= 100 * np.mean((low <= first(expected)) & (first(expected) <= high)) <= 98
