"""The demo as `make demo` runs it: the shipped config, the whole synthesised corpus."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind
from sklearn.metrics import recall_score

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    run = type(finished)(finished.path, folder / "out", {"project_dir": str(folder / "out")})
    run.snakemake("results/performance/demo")
    return run


@pytest.fixture(scope="module")
def predictions(demo) -> pd.DataFrame:
    folder = demo.project / "models/demo/fbank/linear"
    rows = pd.concat(pd.read_csv(path, sep="\t") for path in sorted(folder.glob("fold*/predictions.tsv")))
    utterances = pd.read_csv(demo.project / "corpora/demo/utterances.tsv", sep="\t").set_index("utterance")
    return rows.assign(site=rows["utterance"].map(utterances["session"]))


def speaker_uars(predictions: pd.DataFrame, column: str) -> list[np.ndarray]:
    """The UAR of every speaker, in one array per group."""
    groups = []
    for _, group in predictions.groupby(column):
        own = [recall_score(rows["label"], rows["predicted"], average="macro") for _, rows in group.groupby("speaker")]
        groups.append(np.array(own))
    return groups


def test_it_is_neither_trivial_nor_hopeless(demo):
    summary = pd.read_csv(demo.project / "performance/demo/summary.tsv", sep="\t").set_index("metric")
    assert 0.45 <= summary.loc["uar", "low"] < summary.loc["uar", "value"] < summary.loc["uar", "high"] <= 0.85
    assert (summary["utterances"] == 768).all()
    assert (summary["speakers"] == 24).all()
    assert (summary["interpretable"] == "yes").all()


def test_the_planted_gap_is_there(predictions):
    women, men = speaker_uars(predictions, "gender")
    assert men.mean() - women.mean() > 0.05
    assert ttest_ind(men, women, equal_var=False).pvalue < 0.05


def test_where_nothing_is_planted_there_is_no_gap(predictions):
    interval = ttest_ind(*speaker_uars(predictions, "site"), equal_var=False).confidence_interval()
    assert interval.low < 0 < interval.high


def test_every_planted_bad_file_is_rejected_with_its_reason(demo):
    rejected = pd.read_csv(demo.project / "corpora/demo/rejected.tsv", sep="\t")
    reasons = " | ".join(rejected["reason"])
    assert len(rejected) == 7
    for word in ("empty", "git-LFS stub", "resource fork", "silent", "truncated", "duplicate", "name"):
        assert word in reasons


def test_a_second_run_has_nothing_to_do(demo):
    assert demo.jobs("results/performance/demo") == {}
