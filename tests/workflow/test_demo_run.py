"""The demo as `make demo` runs it, with one seed in place of three, and beside its backbone the same one untrained."""

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import ttest_ind
from sklearn.metrics import recall_score

from paths import ROOT

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(checkout, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    shipped = yaml.safe_load((ROOT / "config" / "config.yml").read_text())["backbones"]["apc_demo"]
    untrained = {**shipped, "pretrain": {**shipped["pretrain"], "num_epochs": 0}}
    config = {"backbones": {"apc_untrained": untrained}, "recipes": {"cnn": {"seeds": [0]}}}
    run = type(checkout)(checkout.path, folder / "out", {**config, "project_dir": str(folder / "out")})
    run.snakemake("results/performance/demo", cold=True)
    return run


@pytest.fixture(scope="module")
def predictions(demo) -> pd.DataFrame:
    folder = demo.project / "models/demo/apc_demo/cnn"
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


@pytest.mark.parametrize("backbone", ["fbank", "apc_demo"])
def test_it_is_neither_trivial_nor_hopeless(demo, backbone):
    summary = pd.read_csv(demo.project / f"performance/demo/{backbone}/cnn/summary.tsv", sep="\t").set_index("metric")
    assert 0.38 <= summary.loc["uar", "low"] < summary.loc["uar", "value"] < summary.loc["uar", "high"] <= 0.85
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


def test_the_backbone_foretells_speech_of_speakers_it_has_not_heard(demo):
    history = pd.read_csv(demo.project / "backbones/apc_demo/pretraining.tsv", sep="\t")
    kept = history[history["selected"] == "yes"].iloc[0]
    assert kept["held_out_loss"] <= 0.8 * kept["copy_loss"]
    heard = pd.read_csv(demo.project / "backbones/apc_demo/speakers.tsv", sep="\t")
    tested = pd.read_csv(demo.project / "corpora/demo/utterances.tsv", sep="\t")
    assert not set(heard["speaker"]) & set(tested["speaker"])
    summary = pd.read_csv(demo.project / "performance/demo/summary.tsv", sep="\t")
    assert set(summary["speakers_in_pretraining"]) == {0}


def test_what_it_has_learned_helps_to_recognise_emotion(demo):
    rows = pd.read_csv(demo.project / "performance/demo/comparison.tsv", sep="\t")
    pairs = rows[rows["metric"] == "uar"].set_index(["backbone_a", "backbone_b"])[["difference", "low", "high"]]
    bounds = pairs.xs("apc_untrained", level="backbone_a").loc["apc_demo"]
    # What is subtracted is the first, untrained one.
    assert bounds["high"] < 0


def test_every_planted_bad_file_is_rejected_with_its_reason(demo):
    rejected = pd.read_csv(demo.project / "corpora/demo/rejected.tsv", sep="\t")
    reasons = " | ".join(rejected["reason"])
    assert len(rejected) == 7
    for word in ("empty", "git-LFS stub", "resource fork", "silent", "truncated", "duplicate", "name"):
        assert word in reasons


def test_a_second_run_has_nothing_to_do(demo):
    assert demo.jobs("results/performance/demo") == {}
