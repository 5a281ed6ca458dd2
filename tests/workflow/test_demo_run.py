"""The demo as `make demo` runs it, and beside its backbone the same one untrained; parts of it are attacked."""

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import ttest_ind
from sklearn.metrics import recall_score

from paths import ROOT

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

TARGETS = (
    *("results/performance/demo", "results/fairness/demo"),
    *("results/attack/demo/fbank", "results/privacy/demo/fbank", "results/leakage/demo/apc_demo_fed_sgd"),
)


@pytest.fixture(scope="module")
def demo(checkout, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    shipped = yaml.safe_load((ROOT / "config" / "config.yml").read_text())["backbones"]["apc_demo"]
    untrained = {**shipped, "pretrain": {**shipped["pretrain"], "num_epochs": 0}}
    config = {"backbones": {"apc_untrained": untrained}, "attack": {"snr": [45, 30]}}
    config["privacy"] = {"attackers": ["linear"]}
    run = type(checkout)(checkout.path, folder / "out", {**config, "project_dir": str(folder / "out")})
    run.snakemake(*TARGETS, cold=True)
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


@pytest.mark.parametrize("backbone", ["fbank", "apc_demo"])
def test_the_audit_finds_the_planted_gap_and_none_beside_it(demo, backbone):
    gaps = pd.read_csv(demo.project / "fairness/demo/summary.tsv", sep="\t")
    uar = gaps[(gaps["backbone"] == backbone) & (gaps["metric"] == "uar") & (gaps["aggregate"] == "max")]
    gender, session = (uar[uar["axis"] == axis].iloc[0] for axis in ("gender", "session"))
    assert gender["value"] > gender["random_high"], "outside the band"
    assert gender["low"] > 0
    assert session["value"] < session["random_high"], "inside"
    assert session["low"] == 0
    assert (gender["verdict"], session["verdict"]) == ("beyond chance", "within chance")
    groups = pd.read_csv(demo.project / f"fairness/demo/{backbone}/cnn/groups.tsv", sep="\t")
    assert groups[(groups["axis"] == "gender") & (groups["worst"] == "yes")]["group"].tolist() == ["female"]


def test_the_attack_fools_far_more_often_than_random_signs_as_loud(demo):
    rows = pd.read_csv(demo.project / "attack/demo/fbank/cnn/summary.tsv", sep="\t").set_index("snr")
    assert rows.loc[45, "low"] > rows.loc[45, "control_high"]
    assert rows.loc[45, "verdict"] == "beyond control"
    assert (rows["realised_snr"] - rows.index).abs().max() < 0.1
    assert len(list((demo.project / "attack/demo/fbank/cnn/examples").glob("*.wav"))) == 9


def test_gender_is_read_off_log_mel_energies_and_nothing_off_labels_dealt_out_anew(demo):
    rows = pd.read_csv(demo.project / "privacy/demo/fbank/cnn/summary.tsv", sep="\t")
    gender = rows[(rows["attribute"] == "gender") & (rows["source"] == "layer 0")].iloc[0]
    assert gender["value"] > 0.95, "men's voices are lower"
    assert abs(gender["control"] - 0.5) < 0.1
    assert gender["verdict"] == "beyond control"


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
    assert demo.jobs(*TARGETS) == {}


def test_gender_is_read_off_gradients_of_people_the_attacker_never_saw(demo):
    folder = demo.project / "leakage/demo/apc_demo_fed_sgd"
    attacks = pd.read_csv(folder / "attacks.tsv", sep="\t")
    single = attacks[(attacks["attacker"] == "logistic") & (attacks["metric"] == "uar") & (attacks["updates"] == 1)]
    by_layer = single.set_index("layer")
    assert by_layer.loc["dense.0", "low"] > 0.55
    assert by_layer.loc["dense.0", "verdict"] == "beyond control"
    assert by_layer.loc["dense.0", "value"] > by_layer.loc["dense.2", "value"]
    assert by_layer["control"].between(0.4, 0.6).all()
    assert by_layer.loc["dense.0", "people"] == 24
    told = pd.read_csv(folder / "scores.tsv", sep="\t")
    clients = {
        fold: set(
            pd.read_csv(demo.project / f"splits/demo/fold{fold}.tsv", sep="\t").query("part != 'test'")["speaker"]
        )
        for fold in told["fold"].unique()
    }
    assert all(row.person in clients[row.fold] for row in told.drop_duplicates(["fold", "person"]).itertuples())


def test_embeddings_come_back_out_of_gradients(demo):
    found = pd.read_csv(demo.project / "leakage/demo/apc_demo_fed_sgd/inversion.tsv", sep="\t")
    assert found.loc[found["round"] == 1, "cosine"].min() > 0.999
    assert (found["cosine"] > found["cosine_of_others"]).all()
    assert (found["read"] == found["read_off_truth"]).mean() > 0.8
