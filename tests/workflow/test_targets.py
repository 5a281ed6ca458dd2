import re
import shutil

import pytest

from backbones.tiny_s3prl import write_tiny
from candor.plan.targets import STAGES
from paths import ROOT

pytestmark = pytest.mark.workflow

CORPORA = ["manifest", "corpora_overview"]
FEATURES = ["audio", "pretrain", "features", "frames"]
MODELS = [*FEATURES, "pretraining_figure", "splits_3", "train_linear", "train_cnn", "model_figures"]
PERFORMANCE = ["performance", "performance_table", "comparison"]
FAIRNESS = ["fairness", "fairness_table"]
ATTACK = ["attack", "attack_summary", "attack_examples_at_home", "attack_table"]
PRIVACY = ["privacy_layers", "privacy", "privacy_summary", "privacy_table"]
ROBUSTNESS = ["robustness", "robustness_summary", "robustness_table"]
COST = ["cost", "cost_timing", "cost_table", "cost_timing_table"]
AUDITS = [*FAIRNESS, *ATTACK, *PRIVACY, *ROBUSTNESS, *COST]
TRUST = ["trust", "trust_overview"]
FEDERATED_TOLD = ["federated_performance", "federated_table"]
FEDERATED = ["federate_fed_avg", "federate_fed_sgd", "federate_central", "federate_digits", *FEDERATED_TOLD]
ATTACKED = ["federate_fed_avg", "federate_fed_sgd", "federated_performance"]
LEAKAGE = ["leakage_shadows", "leakage_attacks", "leakage_inversion", "leakage_table"]
CHAIN = [*CORPORA, *MODELS, *PERFORMANCE, *AUDITS, *TRUST, *FEDERATED, *LEAKAGE, "report_summary"]
NOT_OF_RAVDESS = ("trust_overview", "pretrain", "pretraining_figure", "frames", "train_cnn")
NOT_OF_RAVDESS += ("federate_fed_sgd", "federate_central", "federate_digits", "leakage_inversion")
OF_RAVDESS = [name for name in CHAIN if name not in NOT_OF_RAVDESS]
NEEDED = {
    "corpora": CORPORA,
    "audio": [*CORPORA, "audio"],
    "splits": [*CORPORA, "splits_3"],
    "backbones": ["manifest", "audio", "pretrain", "pretraining_figure"],
    "features": [*CORPORA, *FEATURES],
    "models": [*CORPORA, *MODELS],
    "performance": [*CORPORA, *MODELS, *PERFORMANCE],
    "fairness": [*CORPORA, *MODELS, *FAIRNESS],
    "attack": [*CORPORA, *MODELS, *ATTACK],
    "privacy": [*CORPORA, *MODELS, *PRIVACY],
    "robustness": [*CORPORA, *MODELS, *ROBUSTNESS],
    "cost": [*CORPORA, *MODELS, *PERFORMANCE, *COST],
    "trust": [*CORPORA, *MODELS, *PERFORMANCE, *AUDITS, *TRUST],
    # All are of fbank: no backbone is pretrained for them, and no frames are kept.
    "federated": [*CORPORA, "audio", "features", "splits_3", *FEDERATED],
    # Nothing is sent at one place, and nobody speaks digits: these are not asked for.
    "leakage": [*CORPORA, "audio", "features", "splits_3", *ATTACKED, *LEAKAGE],
    "report": CHAIN,
}
READ = dict.fromkeys(CORPORA, 1)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_a_target_for_all_datasets_at_hand(fresh, stage):
    jobs = fresh.jobs(f"results/{stage}")
    assert set(jobs) == set(NEEDED[stage])
    assert jobs["manifest"] == (1 if stage == "backbones" else 2)
    assert fresh.jobs(f"results/{stage}/") == jobs


def test_a_stage_says_what_it_leaves_out(fresh):
    said = fresh.snakemake("--dry-run", "results/splits")
    assert "candor: left out, because no path is set: data_dir.crema_d, data_dir.demo" in said


@pytest.mark.parametrize("target", ["results/report/ravdess", "results/report/ravdess/"])
def test_a_dataset_is_a_target(fresh, target):
    # Its attackers learn from the people of the other dataset.
    of_both = dict.fromkeys([*CORPORA[:1], "audio", "features"], 2)
    assert fresh.jobs(target) == dict.fromkeys(OF_RAVDESS, 1) | {"train_linear": 3, "federate_fed_avg": 3} | of_both


def test_a_run_that_is_attacked_is_a_target(fresh):
    jobs = fresh.jobs("results/leakage/mine/fbank_fed_sgd")
    assert jobs == {
        **{"manifest": 2, "corpora_overview": 1, "audio": 2, "features": 2, "splits_3": 1, "federate_fed_sgd": 3},
        **dict.fromkeys(["federated_performance", *LEAKAGE[:3]], 1),
    }


def test_without_other_datasets_each_fold_has_shadows_of_its_own(fresh):
    alone = {"shadows": [], "folds": "first"}
    assert fresh.jobs("results/leakage/ravdess", leakage={"shadows": []})["leakage_shadows"] == 3
    first = fresh.jobs("results/leakage/ravdess", leakage=alone)
    assert (first["leakage_shadows"], first["manifest"], first["federate_fed_avg"]) == (1, 1, 3)


@pytest.mark.parametrize("target", ["results/features/mine/fbank", "results/features/mine/fbank/"])
def test_a_backbone_is_a_target(fresh, target):
    assert fresh.jobs(target) == READ | {"audio": 1, "features": 1, "frames": 1}


@pytest.mark.parametrize("target", ["results/federated/mine/fbank_fed_avg", "results/federated/mine/fbank_fed_avg/"])
def test_a_federation_is_a_target(fresh, target):
    assert fresh.jobs(target) == READ | {
        **dict.fromkeys(["audio", "splits_3", "features", "federated_performance"], 1),
        "federate_fed_avg": 3,
    }


def test_digits_are_federated_without_a_corpus(fresh):
    told = {"federate_digits": 5, "federated_performance": 1, "federated_table": 1}
    assert fresh.jobs("results/federated/digits", data_dir={"ravdess": None, "mine": None}) == told
    twice = {"skewed": {"workload": "digits", "partition": "dirichlet", "num_epochs": 2}}
    jobs = fresh.jobs("results/federated/digits", federated=twice)
    assert (jobs["federate_digits"], jobs["federate_skewed"], jobs["federated_performance"]) == (5, 5, 2)


def test_mnist_of_the_user_is_one_fold_and_is_watched(fresh, tmp_path):
    stems = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    for stem in stems:
        (tmp_path / f"{stem}-ubyte").touch()
    jobs = fresh.jobs("results/federated/digits", data_dir={"digits": str(tmp_path)})
    assert jobs == dict.fromkeys(["federate_digits", "federated_performance", "federated_table"], 1)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    said = fresh.snakemake("--dry-run", "results/federated/digits", check=False, data_dir={"digits": str(tmp_path)})
    assert said.strip().splitlines()[-1].startswith(f"config: data_dir.digits is '{tmp_path}'; it holds no file t10k-l")
    assert fresh.jobs("results/splits/mine", data_dir={"digits": str(tmp_path)}) == READ | {"splits_3": 1}


def test_what_only_a_federation_reads_is_made_for_it_alone(fresh):
    federated = {"fed_avg": {"audio_duration": None}, "central": {"downstream_model": "cnn", "dataset": ["ravdess"]}}
    recipes = {"cnn": False}
    trained = fresh.jobs("results/privacy/ravdess", federated=federated, recipes=recipes)
    assert (trained["features"], trained["privacy_layers"], "frames" in trained) == (1, 1, False)
    jobs = fresh.jobs("results/federated/ravdess", federated=federated, recipes=recipes)
    assert (jobs["features"], jobs["frames"], jobs["federate_fed_avg"], jobs["federate_central"]) == (2, 1, 3, 3)
    assert (
        fresh.jobs("results/report/ravdess", federated=federated, recipes=recipes, leakage={"shadows": []})["features"]
        == 2
    )


def rules_before(drawn: str, rule: str) -> set[str]:
    """Return the rules whose files the jobs of a rule read, in what `snakemake --dag` draws."""
    rules = {node: label.partition("\\n")[0] for node, label in re.findall(r'^\t(\d+)\[label = "(.*?)"', drawn, re.M)}
    edges = re.findall(r"^\t(\d+) -> (\d+)", drawn, re.M)
    return {rules[read] for read, reader in edges if rules[reader] == rule}


def test_noise_at_microphones_asks_for_audio_and_for_the_backbone(fresh):
    noisy = {"fed_avg": {"feature_type": ["apc_tiny"], "faults": {"microphone_noise": [20]}}}
    drawn = fresh.snakemake("--dag", "dot", "--", "results/federated/mine/apc_tiny_fed_avg", federated=noisy)
    assert rules_before(drawn, "federate_fed_avg") == {"splits_3", "features", "audio", "pretrain"}
    drawn = fresh.snakemake("--dag", "dot", "--", "results/federated/mine/fbank_fed_avg")
    assert rules_before(drawn, "federate_fed_avg") == {"splits_3", "features"}


def test_several_targets_and_files_inside_them_can_be_asked_for(fresh):
    assert fresh.jobs("results/splits/mine", "results/audio/mine") == READ | {"splits_3": 1, "audio": 1}
    assert fresh.jobs(str(fresh.project / "splits/mine/fold2.tsv")) == {"manifest": 1, "splits_3": 1}


def test_without_a_target_everything_at_hand_is_built(fresh):
    assert set(fresh.jobs()) == set(CHAIN)


def test_a_backbone_more_is_asked_for_by_one_line(fresh):
    jobs = fresh.jobs("results/performance/mine", backbones={"fbank40": {"family": "fbank", "mel_bins": 40}})
    assert (jobs["features"], jobs["train_linear"], jobs["train_cnn"], jobs["performance"]) == (3, 3, 9, 4)


def test_datasets_may_differ_in_their_folds(fresh):
    jobs = fresh.jobs("results/splits", datasets={"ravdess": {"splits": {"folds": 5}}})
    assert jobs == {"manifest": 2, "corpora_overview": 2, "splits_3": 1, "splits_5": 1}


def test_a_corpus_is_asked_for_as_its_authors_write_it_and_ratings_have_tables_of_their_own(fresh, tmp_path):
    (tmp_path / "improv").mkdir()
    (tmp_path / "improv" / "Evalution.txt").touch()
    changes = {
        "data_dir": {"msp-improv": str(tmp_path / "improv")},
        "datasets": {"aroused": {"corpus": "msp-improv", "pred": "arousal"}},
    }
    six = READ | {"splits_6": 1}
    assert fresh.jobs("results/splits/msp-improv", **changes) == six
    assert fresh.jobs("results/splits/aroused/", **changes) == six
    jobs = fresh.jobs("results/performance/aroused", **changes)
    assert (jobs["train_linear"], jobs["performance_ratings"], jobs["performance_table"]) == (6, 1, 1)
    assert jobs["comparison"] == 1
    assert "performance" not in jobs


def test_weights_are_got_for_the_backbones_that_are_run_and_no_others(fresh):
    backbones = {"wavlm": None, "whisper_tiny": {"parity": "trust-ser"}}
    recipes = {"cnn": {"pretrain_model": ["apc_tiny", "wavlm"]}}
    jobs = fresh.jobs("results/performance/mine", backbones=backbones, recipes=recipes)
    assert (jobs["weights"], jobs["pretrain"], jobs["features"]) == (1, 1, 3)
    assert fresh.jobs("results/backbones/wavlm", backbones=backbones) == {"weights": 1}
    assert "weights" not in fresh.jobs("results/performance/ravdess", backbones=backbones)


def test_other_weights_in_the_folder_of_the_user_are_noticed(fresh, tmp_path):
    file = write_tiny("apc", tmp_path / "weights" / "apc")
    changes = {"weights_dir": str(tmp_path / "weights"), "backbones": {"apc": None}}
    fresh.snakemake("results/backbones/apc", cold=True, **changes)
    assert fresh.jobs("results/backbones/apc", **changes) == {}
    write_tiny("apc", file.parent, seed=1)
    assert fresh.jobs("results/backbones/apc", **changes) == {"weights": 1}


def test_a_recipe_that_tunes_reads_audio_and_leaves_alone_what_cannot_be_tuned(fresh):
    tuned = {"tuned": {"mode": "full", "dataset": ["mine"]}}
    jobs = fresh.jobs("results/models/mine", recipes=tuned)
    assert jobs["train_tuned"] == 3, "on apc_tiny; fbank has nothing to tune"
    only = fresh.jobs("results/models/mine/apc_tiny", recipes={**tuned, "linear": False, "cnn": False})
    assert set(only) == {*CORPORA, "audio", "splits_3", "pretrain", "pretraining_figure", "features", *TUNED}


TUNED = ("train_tuned", "model_figures")


@pytest.mark.parametrize(
    ("target", "changes", "line"),
    [
        (
            "results/performance/crema_d",
            {},
            "config: data_dir.crema_d is empty; set it to the folder that holds",
        ),
        (
            "results/performance/ravdess",
            {"data_dir": {"ravdess": "/no/such/folder"}},
            "config: data_dir.ravdess is '/no/such/folder'; ",
        ),
        (
            "results/performance",
            {"data_dir": {"crema_d": "/no/such/folder"}},
            "config: data_dir.crema_d is '/no/such/folder'; ",
        ),
        (
            "results/performance",
            {"recipes": {"linear": {"num_epoch": 5}}},
            "config: recipes.linear.num_epoch is not a known key; allowed: ",
        ),
        (
            "results/performance",
            {"datasets": {"mine": {"corpus": "tabel"}}},
            "config: datasets.mine.corpus is 'tabel'; allowed: ",
        ),
    ],
)
def test_a_mistake_ends_with_one_clear_line(fresh, target, changes, line):
    said = fresh.snakemake("--dry-run", target, check=False, **changes)
    assert line in said
    assert "Traceback" not in said
    assert sum(text.startswith("config: ") for text in said.splitlines()) == 1
    assert said.strip().splitlines()[-1].startswith("config: ")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            "results/performance/ravdes/",
            "target: results/performance/ravdes is not known; allowed in results/performance: crema_d, demo, emodb, "
            "esd, iemocap, meld, mine, msp_improv, msp_podcast, ravdess, savee, tess. "
            "Did you mean 'results/performance/ravdess'?",
        ),
        (
            "results/models/mine/fbank/linear",
            "target: results/models/mine/fbank/linear is not known; results/models/mine/fbank has no folders that can "
            "be asked for. Did you mean 'results/models/mine/fbank'?",
        ),
        (
            "results/federated/ravdess/fbank_fed_svg",
            "target: results/federated/ravdess/fbank_fed_svg is not known; allowed in results/federated/ravdess: "
            "fbank_fed_avg. Did you mean 'results/federated/ravdess/fbank_fed_avg'?",
        ),
        (
            "results/performance/digits",
            "target: results/performance/digits is not offered, as digits is no dataset of speech; there are "
            "results/federated/digits, results/federated/digits/digits",
        ),
        (
            "results",
            "target: results is not known; allowed in results: corpora, audio, splits, backbones, features, models, "
            "performance, fairness, attack, privacy, robustness, cost, trust, federated, leakage, report. "
            "To make everything, name no target.",
        ),
    ],
)
def test_a_slip_in_a_target_is_answered_with_what_there_is(fresh, target, line):
    assert fresh.snakemake("--dry-run", target, check=False).strip().splitlines()[-1] == line


def test_the_shipped_config_is_dry_run_strictly(fresh):
    shutil.copy(ROOT / "config" / "config.yml", fresh.path / "config" / "config.yml")
    strict = ["--strict-dag-evaluation", "cyclic-graph", "functions", "periodic-wildcards"]
    fresh.config = {}
    said = fresh.snakemake("--dry-run", *strict, cold=True)
    for rule in ("synthesise", "performance_table", "federate_fed_avg", "federate_fed_sgd", "federate_digits"):
        assert rule in said
