import shutil

import pytest

from candor.plan.targets import STAGES
from paths import ROOT

pytestmark = pytest.mark.workflow

CORPORA = ["manifest", "corpora_overview"]
CHAIN = [*CORPORA, "audio", "splits_3", "features", "train_linear", "performance", "performance_table"]
NEEDED = {
    "corpora": CORPORA,
    "audio": [*CORPORA, "audio"],
    "splits": [*CORPORA, "splits_3"],
    "features": [*CORPORA, "audio", "features"],
    "models": [*CORPORA, "audio", "splits_3", "features", "train_linear"],
    "performance": CHAIN,
}
READ = dict.fromkeys(CORPORA, 1)


@pytest.fixture
def fresh(finished, tmp_path):
    """The same checkout with nothing built yet; `project_dir` lies elsewhere."""
    shutil.copytree(finished.path, tmp_path / "checkout", ignore=shutil.ignore_patterns(".snakemake"))
    return type(finished)(
        tmp_path / "checkout", tmp_path / "out", {**finished.config, "project_dir": str(tmp_path / "out")}
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_a_target_for_all_datasets_at_hand(fresh, stage):
    jobs = fresh.jobs(f"results/{stage}")
    assert set(jobs) == set(NEEDED[stage])
    assert jobs["manifest"] == 2
    assert fresh.jobs(f"results/{stage}/") == jobs


def test_a_stage_says_what_it_leaves_out(fresh):
    said = fresh.snakemake("--dry-run", "results/splits")
    assert "candor: left out, because no path is set: data_dir.crema_d, data_dir.demo" in said


@pytest.mark.parametrize("target", ["results/performance/ravdess", "results/performance/ravdess/"])
def test_a_dataset_is_a_target(fresh, target):
    assert fresh.jobs(target) == dict.fromkeys(CHAIN, 1) | {"train_linear": 3}


@pytest.mark.parametrize("target", ["results/features/mine/fbank", "results/features/mine/fbank/"])
def test_a_backbone_is_a_target(fresh, target):
    assert fresh.jobs(target) == READ | {"audio": 1, "features": 1}


def test_several_targets_and_files_inside_them_can_be_asked_for(fresh):
    assert fresh.jobs("results/splits/mine", "results/audio/mine") == READ | {"splits_3": 1, "audio": 1}
    assert fresh.jobs(str(fresh.project / "splits/mine/fold2.tsv")) == {"manifest": 1, "splits_3": 1}


def test_without_a_target_everything_at_hand_is_built(fresh):
    assert set(fresh.jobs()) == set(CHAIN)


def test_a_backbone_more_is_asked_for_by_one_line(fresh):
    jobs = fresh.jobs("results/performance/mine", backbones={"fbank40": {"family": "fbank", "mel_bins": 40}})
    assert (jobs["features"], jobs["train_linear"], jobs["performance"]) == (2, 6, 2)


def test_datasets_may_differ_in_their_folds(fresh):
    jobs = fresh.jobs("results/splits", datasets={"ravdess": {"splits": {"folds": 5}}})
    assert jobs == {"manifest": 2, "corpora_overview": 2, "splits_3": 1, "splits_5": 1}


def test_a_corpus_is_asked_for_as_its_authors_write_it_and_ratings_as_far_as_they_go(fresh, tmp_path):
    (tmp_path / "improv").mkdir()
    (tmp_path / "improv" / "Evalution.txt").touch()
    changes = {
        "data_dir": {"msp-improv": str(tmp_path / "improv")},
        "datasets": {"aroused": {"corpus": "msp-improv", "pred": "arousal"}},
    }
    six = READ | {"splits_6": 1}
    assert fresh.jobs("results/splits/msp-improv", **changes) == six
    assert fresh.jobs("results/splits/aroused/", **changes) == six
    said = fresh.snakemake("--dry-run", "results/performance/aroused", check=False, **changes)
    assert "target: results/performance/aroused is not offered, as datasets.aroused.pred is 'arousal'" in said


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
            "results",
            "target: results is not known; allowed in results: corpora, audio, splits, features, models, performance. "
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
    said = fresh.snakemake("--dry-run", *strict)
    assert "synthesise" in said
    assert "performance_table" in said
