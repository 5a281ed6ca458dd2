"""Differences in CCC and MAE between systems: against direct computation, brute force and the t test."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from candor.performance.compare_ratings import RatingSystem, ccc_of, compare_ratings, mae_of
from candor.performance.comparison_figures import comparison_figure
from candor.performance.pairs import ComparisonError
from candor.performance.ratings import ccc, evaluate_ratings, mae
from candor.performance.typeset import comparison_sheet, summary_sheet
from candor.stats.paired import paired_interval_of_sums
from candor.tables.comparison import Comparison


def predictions(skill: float, seed: int, speakers: int = 6, seeds: int = 2) -> pd.DataFrame:
    truth, generator = np.random.default_rng(0), np.random.default_rng(seed)
    rows = []
    for speaker, utterance in product(range(speakers), range(20)):
        value = truth.uniform(1, 5)
        for trained in range(seeds):
            said = 3 + skill * (value - 3) + generator.normal(0, 0.5)
            who = {"utterance": f"s{speaker}_u{utterance}", "speaker": f"s{speaker}", "gender": "", "session": ""}
            rows.append({**who, "fold": 1 + speaker // 2, "seed": trained, "value": value, "predicted": said})
    return pd.DataFrame(rows)


def systems(*skills: float, **options) -> list[RatingSystem]:
    return [
        RatingSystem.of(f"b{number}", "cnn", predictions(skill, 10 + number, **options))
        for number, skill in enumerate(skills)
    ]


def test_figures_from_sums_are_those_from_utterances():
    rows = predictions(0.6, 1)
    sums = RatingSystem.of("b", "cnn", rows).sums.sum(axis=0)
    for place, (_, own) in enumerate(rows.groupby("seed")):
        said, true = own["predicted"].to_numpy(), own["value"].to_numpy()
        assert ccc_of(sums)[place] == pytest.approx(ccc(said, true))
        assert mae_of(sums)[place] == pytest.approx(mae(said, true))


def test_the_better_system_is_named_for_both_metrics(tmp_path):
    rows = compare_ratings("d", systems(0.9, 0.1, speakers=12))
    Comparison.write(rows, tmp_path / "comparison.tsv")
    for row in Comparison.read(tmp_path / "comparison.tsv").to_dict("records"):
        assert row["better"] == "b0"
        assert row["difference"] == pytest.approx(row["value_a"] - row["value_b"])
        assert (row["difference"] > 0) == (row["metric"] == "ccc")
        assert row["low"] < row["difference"] < row["high"]
        assert row["p"] == pytest.approx(2 / 2**12), "nothing is as far from zero but swapping everybody or nobody"


def test_p_is_that_of_trying_every_swap():
    one, other = systems(0.6, 0.5, speakers=5)
    (row,) = compare_ratings("d", [one, other]).query("metric == 'ccc'").to_dict("records")
    differences = []
    for swapped in product((False, True), repeat=5):
        mask = np.array(swapped)[:, None, None]
        first, second = np.where(mask, other.sums, one.sums), np.where(mask, one.sums, other.sums)
        differences.append((ccc_of(first.sum(axis=0)) - ccc_of(second.sum(axis=0))).mean())
    expected = np.mean(np.abs(differences) >= abs(row["difference"]) - 1e-12)
    assert row["p"] == pytest.approx(expected)


def test_the_interval_of_an_error_is_that_of_the_paired_t_test():
    """With equally many utterances of each speaker, the MAE is the mean of the speakers' errors."""
    one, other = systems(0.6, 0.4, seeds=1)
    interval = paired_interval_of_sums(one.sums, other.sums, mae_of, one.sums[:, 0, 0])
    errors = [mae_of(own.sums)[:, 0] for own in (one, other)]
    expected = ttest_rel(*errors).confidence_interval()
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_the_same_system_twice_is_not_told_apart():
    (one,) = systems(0.6)
    twin = RatingSystem("twin", one.recipe, one.tested, one.sums)
    rows = compare_ratings("d", [one, twin])
    assert set(rows["difference"]) == {0.0}
    assert set(rows["p"]) == {1.0}


def test_systems_of_other_utterances_are_refused():
    one, other = systems(0.6, 0.5)
    fewer = RatingSystem("b1", "cnn", other.tested.iloc[1:], other.sums)
    with pytest.raises(ComparisonError, match="is tested by b0 with cnn but not by b1 with cnn"):
        compare_ratings("d", [one, fewer])


def test_tables_and_figure_for_a_paper(tmp_path):
    three = systems(0.9, 0.5, 0.1)
    rows = compare_ratings("arousal", three)
    summary = pd.concat(
        evaluate_ratings(predictions(skill, 10 + number)).summary("arousal", f"b{number}", "cnn")
        for number, skill in enumerate((0.9, 0.5, 0.1))
    )
    text = summary_sheet(summary).markdown()
    assert text.splitlines()[0] == "Ratings foretold in arousal"
    assert "| b0 | cnn | **0." in text
    assert "Chance" not in text
    assert "in hundredths" in comparison_sheet(rows, "ccc").caption
    assert "\\toprule" in summary_sheet(summary).latex("tab:arousal-summary")
    assert "CCC (× 100)" in comparison_figure(rows, "ccc").axes[-1].get_xlabel()
