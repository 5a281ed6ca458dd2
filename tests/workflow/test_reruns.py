import os
import shutil

import pytest

pytestmark = pytest.mark.workflow

# Two datasets: ravdess with linear on fbank; mine with linear on fbank, and with cnn on fbank and apc_tiny.
PERFORMANCE = {"performance": 4, "performance_table": 2, "comparison": 2}
TRAINING = {"train_linear": 6, "train_cnn": 6, "model_figures": 4, **PERFORMANCE}
FEATURES = {"features": 3, "frames": 2, **TRAINING}
OF_FBANK = {
    "features": 2,
    "frames": 1,
    "train_linear": 6,
    "train_cnn": 3,
    "model_figures": 3,
    "performance": 3,
    "performance_table": 2,
    "comparison": 2,
}
OF_LINEAR = {"train_linear": 6, "model_figures": 2, "performance": 2, "performance_table": 2, "comparison": 2}
OF_CNN = {"train_cnn": 6, "model_figures": 2, "performance": 2, "performance_table": 1, "comparison": 1}
OF_ONE_MORE = {"train_cnn": 3, "model_figures": 1, "performance": 1, "performance_table": 1, "comparison": 1}
OF_APC = {"features": 1, "frames": 1, **OF_ONE_MORE}
OF_BOTH = {"manifest": 2, "corpora_overview": 2}
# The cone of one dataset, from the manifest on.
ALL_OF_RAVDESS = {
    "manifest": 1,
    "corpora_overview": 1,
    "audio": 1,
    "splits_3": 1,
    "features": 1,
    "train_linear": 3,
    "model_figures": 1,
    "performance": 1,
    "performance_table": 1,
    "comparison": 1,
}
FUTURE = "from __future__ import annotations\n"


def test_a_finished_run_has_nothing_to_do(finished):
    assert finished.jobs() == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "jobs"),
    [
        ("src/candor/performance/metrics.py", FUTURE, f"{FUTURE}LATER = 1\n", PERFORMANCE),
        ("src/candor/performance/figures.py", FUTURE, f"{FUTURE}LATER = 1\n", PERFORMANCE),
        ("src/candor/models/training.py", "PLATEAU_PATIENCE = 5", "PLATEAU_PATIENCE = 6", TRAINING),
        ("src/candor/models/linear.py", "> 1e-6", "> 2e-6", OF_LINEAR),
        ("src/candor/models/heads/gru.py", FUTURE, f"{FUTURE}LATER = 1\n", OF_CNN),
        ("src/candor/backbones/pretraining/settings.py", FUTURE, f"{FUTURE}LATER = 1\n", {"pretrain": 1, **OF_APC}),
        (
            "src/candor/splits/deal.py",
            "if count < folds:",
            "if folds > count:",
            {"splits_3": 2, **TRAINING},
        ),
        ("src/candor/backbones/families/fbank.py", "32768.0", "32767.0", OF_FBANK),
        ("src/candor/audio/conversion.py", "32768.0, dtype", "32767.0, dtype", {"audio": 2, "pretrain": 1, **FEATURES}),
        ("src/candor/corpora/readers/ravdess.py", FUTURE, f"{FUTURE}LATER = 1\n", ALL_OF_RAVDESS),
        (
            "workflow/scripts/performance_table.py",
            "rows = pd.concat",
            "everything = rows = pd.concat",
            {"performance_table": 2, "comparison": 2},
        ),
    ],
)
def test_an_edit_reruns_its_cone_and_nothing_else(finished, file, old, new, jobs):
    undo = finished.edit(file, old, new)
    try:
        assert finished.jobs() == jobs
    finally:
        undo()


def test_what_cannot_change_a_result_reruns_nothing(finished):
    """Comments, docstrings, a touch of everything, another corpus's reader, logging, the CLI, the config models."""
    edits = [
        ("src/candor/performance/metrics.py", FUTURE, f"# A comment.\n{FUTURE}"),
        ("src/candor/models/training.py", '"""Train', '"""Teach'),
        ("src/candor/corpora/readers/crema_d.py", FUTURE, f"{FUTURE}LATER = 1\n"),
        ("src/candor/runtime.py", "class Progress:", "LATER = 1\n\n\nclass Progress:"),
        ("src/candor/config/section.py", "class Section", "LATER = 1\n\n\nclass Section"),
        ("src/candor/cli.py", FUTURE, f"{FUTURE}LATER = 1\n"),
        ("workflow/scripts/audio.py", '"""Convert', '"""Turn'),
    ]
    undo = [finished.edit(*edit) for edit in edits]
    for path in finished.path.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            os.utime(path)
    try:
        assert finished.jobs() == {}
    finally:
        for take_back in undo:
            take_back()


def test_a_fresh_clone_reruns_nothing(finished, tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(finished.path, clone, ignore=shutil.ignore_patterns(".snakemake"), copy_function=shutil.copyfile)
    assert type(finished)(clone, finished.project, finished.config).jobs() == {}


@pytest.mark.parametrize(
    ("changes", "jobs"),
    [
        ({"recipes": {"linear": {"num_epochs": 6}}}, OF_LINEAR),
        ({"recipes": {"cnn": {"hidden_size": 9}}}, OF_CNN),
        ({"recipes": {"cnn": {"seeds": [0, 1, 2]}}}, OF_CNN),
        ({"recipes": {"cnn": {"audio_duration": 0.3}}}, {"features": 2, "frames": 2, **OF_CNN}),
        (
            {"recipes": {"again": {"num_epochs": 2, "hidden_size": 4, "dataset": ["mine"]}}},
            {"train_again": 6, "model_figures": 2, "performance": 2, "performance_table": 1, "comparison": 1},
        ),
        ({"backbones": {"fbank40": {"family": "fbank", "mel_bins": 40}}}, {"features": 1, "frames": 1, **OF_ONE_MORE}),
        ({"backbones": {"apc_tiny": {"pretrain": {"seed": 1}}}}, {"pretrain": 1, **OF_APC}),
        # Snakemake compares the values of params as a set: only as one value do two that change places show.
        ({"recipes": {"linear": {"learning_rate": 0.0001, "weight_decay": 0.005}}}, OF_LINEAR),
        ({"splits": {"seed": 1}}, {"splits_3": 2, **TRAINING}),
        ({"corpora": {"min_duration": 0.2}}, {**OF_BOTH, "audio": 2, "splits_3": 2, "pretrain": 1, **FEATURES}),
        ({"datasets": {"ravdess": {"label_policy": "calm_apart"}}}, ALL_OF_RAVDESS),
        ({"backbones": {"fbank": {"mel_bins": 40}}}, OF_FBANK),
        ({"data_dir": {"demo": "synthesise"}, "datasets": {"crema_d_voice": {"corpus": "crema_d"}}}, None),
    ],
)
def test_a_changed_key_reruns_its_cone_and_nothing_else(finished, changes, jobs):
    if jobs is None:  # another corpus and another dataset concern only themselves
        assert finished.jobs("results/performance/ravdess", "results/performance/mine", **changes) == {}
    else:
        assert finished.jobs(**changes) == jobs


def test_a_clip_added_to_a_corpus_is_noticed(finished):
    folder = next(path for path in [finished.config["data_dir"]["ravdess"]])
    new = os.path.join(folder, "Actor_01", "03-01-05-02-02-02-01.wav")
    shutil.copy(os.path.join(folder, "Actor_01", "03-01-05-01-01-01-01.wav"), new)
    try:
        assert finished.jobs() == ALL_OF_RAVDESS
    finally:
        os.remove(new)


def test_a_deleted_result_is_made_again_and_nothing_else(finished):
    figure = finished.project / "performance/mine/fbank/linear/confusion.png"
    kept = figure.read_bytes()
    figure.unlink()
    try:
        assert finished.jobs() == {"performance": 1, "performance_table": 1, "comparison": 1}
    finally:
        finished.snakemake("results/performance/mine")
    assert figure.read_bytes() == kept
