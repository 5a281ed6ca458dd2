"""Arousal and valence: metrics against their textbook forms, intervals whose coverage is right at ten speakers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error

from candor.performance.figures import ranking_figure
from candor.performance.rating_figures import rating_figure
from candor.performance.ratings import METRICS, ccc, evaluate_ratings, mae, rating_interval
from candor.performance.show import summary_text
from candor.tables.performance import RunSummary


def predictions(speakers: int = 8, seeds: int = 2, noise: float = 0.6, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rows = []
    for speaker in range(speakers):
        leaning = generator.normal(0, 0.2)
        for utterance in range(30):
            value = generator.uniform(1, 5)
            for trained in range(seeds):
                rows.append(
                    {
                        "utterance": f"s{speaker}_u{utterance}",
                        "speaker": f"s{speaker}",
                        "gender": "",
                        "session": "",
                        "fold": 1 + speaker // 2,
                        "seed": trained,
                        "value": value,
                        "predicted": 1 + 0.7 * (value - 1) + leaning + generator.normal(0, noise),
                    }
                )
    return pd.DataFrame(rows)


def test_metrics_are_those_of_the_textbook():
    """Lin's coefficient is Pearson's r times how far scale and location agree."""
    rows = predictions(seeds=1)
    said, true = rows["predicted"].to_numpy(), rows["value"].to_numpy()
    scale = said.std() / true.std()
    shift = (said.mean() - true.mean()) / np.sqrt(said.std() * true.std())
    assert ccc(said, true) == pytest.approx(np.corrcoef(said, true)[0, 1] * 2 / (scale + 1 / scale + shift**2))
    assert mae(said, true) == pytest.approx(mean_absolute_error(true, said))
    assert ccc(true, true) == pytest.approx(1)
    assert ccc(np.full(5, 3.0), np.full(5, 3.0)) == 0


def test_the_summary_is_the_mean_over_seeds_of_all_folds_together(tmp_path):
    rows = predictions()
    evaluation = evaluate_ratings(rows, speakers_in_train=1, speakers_in_pretraining=2)
    RunSummary.write(evaluation.summary("d", "b", "r"), tmp_path / "summary.tsv")
    summary = RunSummary.read(tmp_path / "summary.tsv").set_index("metric")
    by_seed = [ccc(own["predicted"].to_numpy(), own["value"].to_numpy()) for _, own in rows.groupby("seed")]
    assert summary.loc["ccc", "value"] == pytest.approx(np.mean(by_seed))
    assert summary.loc["ccc", "seed_sd"] == pytest.approx(np.std(by_seed, ddof=1))
    assert summary.loc["ccc", "low"] < summary.loc["ccc", "value"] < summary.loc["ccc", "high"] < 1
    assert summary.loc["mae", "chance"] == pytest.approx(np.abs(rows["value"] - rows["value"].mean()).mean())
    assert set(summary["interpretable"]) == {"yes"}
    assert summary.loc["mae", ["utterances", "speakers", "folds", "seeds"]].tolist() == [240, 8, 4, 2]
    said = summary_text([tmp_path / "summary.tsv"])
    assert "CCC [95 % interval]" in said
    assert "1 of 8 test speakers are also in train" in said
    assert "b was pretrained on audio of 2 of 8 test speakers, without labels" in said


def test_the_interval_covers_the_truth_at_ten_speakers():
    whole = predictions(speakers=2000, seeds=1, seed=5)
    truth = ccc(whole["predicted"].to_numpy(), whole["value"].to_numpy())
    held = 0
    for repetition in range(200):
        rows = predictions(speakers=10, seeds=1, seed=1000 + repetition)
        cluster = pd.factorize(rows["speaker"])[0]
        interval = rating_interval(
            rows["predicted"].to_numpy()[None], rows["value"].to_numpy(), cluster, METRICS["ccc"]
        )
        held += interval.low <= truth <= interval.high
    assert 0.90 <= held / 200 <= 0.99


def test_who_says_always_the_same_is_at_chance():
    rows = predictions().assign(predicted=3.0)
    assert set(evaluate_ratings(rows).metrics["interpretable"]) == {"at chance"}


def test_what_does_not_fit_together_is_refused():
    rows = predictions()
    with pytest.raises(ValueError, match="tested twice"):
        evaluate_ratings(pd.concat([rows, rows.iloc[:1]]))
    with pytest.raises(ValueError, match="differ in their test utterances"):
        evaluate_ratings(rows.drop(index=rows.index[rows["seed"] == 1][0]))


def test_the_figures_are_drawn(tmp_path):
    evaluation = evaluate_ratings(predictions())
    assert rating_figure(evaluation, "d: b, r").axes[0].get_xlabel() == "rated by listeners"
    ranking = ranking_figure(evaluation.summary("d", "b", "r"), "ccc")
    assert "CCC" in ranking.axes[0].get_xlabel()
