"""A finished run: what it holds, and what runs again when something changes."""

import json
import os
import re
import shutil

import pandas as pd
import pytest
import soundfile
import yaml
from sklearn.metrics import accuracy_score, f1_score, recall_score

from candor import cli
from candor.models.loading import load_model
from candor.plan.targets import STAGES
from cones import AFTER_TRAINING, ALL_OF_RAVDESS, AUDITS, CHANGES, EDITS, FUTURE, PERFORMANCE, each

pytestmark = pytest.mark.workflow


def read(path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", keep_default_na=False, dtype={"utterance": str})


def test_every_utterance_is_tested_once_per_seed_by_models_that_never_heard_its_speaker(finished):
    utterances = read(finished.project / "corpora/ravdess/utterances.tsv")
    assert len(utterances) == 48
    tested = []
    for fold in (1, 2, 3):
        parts = read(finished.project / f"splits/ravdess/fold{fold}.tsv")
        speakers = {part: set(rows["speaker"]) for part, rows in parts.groupby("part")}
        assert not speakers["train"] & speakers["test"]
        assert not speakers["train"] & speakers["dev"]
        assert not speakers["dev"] & speakers["test"]
        predictions = read(finished.project / f"models/ravdess/fbank/linear/fold{fold}/predictions.tsv")
        assert set(predictions["speaker"]) == speakers["test"]
        tested.append(predictions)
    for _, rows in pd.concat(tested).groupby("seed"):
        assert sorted(rows["utterance"]) == sorted(utterances["utterance"])


def test_the_summary_is_what_scikit_learn_says(finished):
    folder = finished.project / "models/ravdess/fbank/linear"
    predictions = pd.concat(read(path) for path in sorted(folder.glob("fold*/predictions.tsv")))
    classes = [name[2:] for name in predictions.columns if name.startswith("p_")]
    summary = read(finished.project / "performance/ravdess/summary.tsv").set_index("metric")["value"].astype(float)
    expected = {"uar": [], "accuracy": [], "macro_f1": []}
    for _, rows in predictions.groupby("seed"):
        truth, said = rows["label"], rows["predicted"]
        expected["uar"].append(recall_score(truth, said, labels=classes, average="macro"))
        expected["accuracy"].append(accuracy_score(truth, said))
        expected["macro_f1"].append(f1_score(truth, said, labels=classes, average="macro"))
    for metric, values in expected.items():
        assert summary[metric] == pytest.approx(sum(values) / len(values))


def test_audio_lies_where_the_seed_has_it(finished):
    wavs = sorted((finished.project / "audio/ravdess").glob("*.wav"))
    assert len(wavs) == 48
    info = soundfile.info(wavs[0])
    assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")


def test_splits_are_also_written_as_the_seeds_lists(finished):
    lists = json.loads((finished.project / "splits/ravdess/fold1.json").read_text())
    assert {part: len(rows) > 0 for part, rows in lists.items()} == {"train": True, "dev": True, "test": True}
    key, speaker, gender, path, label = lists["test"][0]
    assert speaker.startswith("ravdess_Actor_")
    assert gender in ("female", "male")
    assert soundfile.info(path).samplerate == 48000
    assert re.fullmatch(r"0[1-8]", label)
    assert key in path


def test_results_say_what_they_were_made_of(finished):
    recipe = json.loads((finished.project / "models/ravdess/fbank/linear/fold1/recipe.json").read_text())
    assert recipe["recipe"]["num_epochs"] == 5
    assert set(recipe["inputs"]) == {"fold", "features", "identity"}
    assert recipe["backbone"]["options"] == {"mel_bins": 80}
    evaluated = json.loads((finished.project / "performance/ravdess/fbank/linear/evaluated.json").read_text())
    assert set(evaluated["inputs"]) == {"fold1", "fold2", "fold3", "splits"}
    identity = json.loads((finished.project / "features/ravdess/fbank/first6s/identity.json").read_text())
    assert identity["options"] == {"mel_bins": 80}
    choices = json.loads((finished.project / "corpora/ravdess/choices.json").read_text())
    assert choices["choices"]["label_policy"] == "calm_as_neutral"
    assert len(list(finished.project.glob("runs/*/config.yml"))) >= 1
    config = yaml.safe_load((finished.project / "config.yml").read_text())
    assert config["recipes"]["linear"]["num_epochs"] == 5
    assert json.loads((finished.project / "provenance.json").read_text())["libraries"]["torch"]


@pytest.mark.parametrize(
    ("model", "kind"), [("fbank/linear", "pooled"), ("fbank/cnn", "frames"), ("apc_tiny/cnn", "frames")]
)
def test_each_recipe_trains_its_own_head(finished, model, kind):
    about = load_model(finished.project / f"models/mine/{model}/fold1/seed0.safetensors").about
    backbone, recipe = model.split("/")
    assert about.kind == kind
    assert about.recipe["downstream_model"] == recipe
    assert about.run == {"dataset": "mine", "backbone": backbone, "recipe": recipe, "fold": "1"}


def test_every_job_left_a_log_and_a_benchmark(finished):
    logs = {path.relative_to(finished.project / "logs").with_suffix("") for path in finished.project.rglob("*.log")}
    benchmarks = finished.project / "benchmarks"
    assert logs == {path.relative_to(benchmarks).with_suffix("") for path in benchmarks.rglob("*.tsv")}
    ran = pd.Series([log.parts[0] for log in logs]).value_counts()
    assert (ran["train"], ran["fairness"], ran["attack"], ran["attack_summary"]) == (12, 4, 4, 4)
    assert (ran["robustness"], ran["robustness_summary"], ran["robustness_table"]) == (4, 4, 2)
    assert (ran["federate"], ran["federated_performance"], ran["federated_table"]) == (17, 5, 3)
    assert (ran["leakage_shadows"], ran["leakage_attacks"], ran["leakage_inversion"]) == (3, 3, 1)
    assert "train fold 1: 2 of 2 seeds" in (finished.project / "logs/train/ravdess/fbank/linear/1.log").read_text()


def test_a_second_run_elsewhere_gives_the_same_bytes(finished, tmp_path):
    other = type(finished)(finished.path, tmp_path, {**finished.config, "project_dir": str(tmp_path / "out")})
    other.snakemake("--cores", "1", "results/report/mine")
    suffixes = {".tsv", ".json", ".png", ".svg", ".pdf", ".safetensors", ".pack", ".wav", ".tex", ".md", ".html"}
    compared = 0
    for stage in STAGES:
        for path in sorted((tmp_path / "out" / stage / "mine").rglob("*")):
            if path.is_file() and not path.name.endswith(".timing.tsv"):  # what is measured is never the same twice
                assert path.suffix in suffixes
                twin = finished.project / path.relative_to(tmp_path / "out")
                assert path.read_bytes() == twin.read_bytes(), path
                compared += 1
    assert compared > 150
    checkpoint = "backbones/apc_tiny/files/checkpoint.ckpt"
    assert (tmp_path / "out" / checkpoint).read_bytes() == (finished.project / checkpoint).read_bytes()


def test_two_projects_share_a_store_and_nothing_is_made_twice(finished, tmp_path):
    store = finished.project / "store"
    before = sorted(path.name for path in (store / "objects").rglob("*") if path.is_file())
    config = {**finished.config, "project_dir": str(tmp_path / "out"), "store_dir": str(store)}
    type(finished)(finished.path, tmp_path, config).snakemake("results/features/mine")
    assert sorted(path.name for path in (store / "objects").rglob("*") if path.is_file()) == before
    for backbone in ("fbank", "apc_tiny"):
        log = (tmp_path / f"out/logs/features/mine/{backbone}/first6s.log").read_text()
        assert "all 16 clips are in the store" in log
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(SystemExit):
        cli.main(["store", "gc", "--dry-run", "--store", str(store), "--forget", str(tmp_path / "out")])


def test_a_damaged_store_is_said_found_and_mended(finished):
    index = read(finished.project / "features/mine/fbank/first6s/index.tsv")
    store = finished.project / "store"
    member = store / "objects" / index["member"][0][:2] / index["member"][0]
    kept = member.read_bytes()
    member.chmod(0o644)
    member.write_bytes(kept[:-1])
    said = finished.snakemake("results/models/mine", "--forcerun", "train_linear", check=False)
    assert "is damaged. Run `candor store verify --repair" in said
    with pytest.raises(SystemExit):
        cli.main(["store", "verify", "--repair", "--store", str(store)])
    trained = {"train_linear", "train_cnn", *AFTER_TRAINING}
    assert set(finished.jobs("results/performance/mine")) == {"features", "frames", *trained}
    finished.snakemake()
    assert member.read_bytes() == kept
    assert finished.jobs() == {}


def test_a_failed_job_leaves_no_stale_table_for_an_up_to_date_one(finished):
    """Snakemake removes the outputs of a failed training and does not miss them while the old summary is there."""
    for predictions in finished.project.glob("models/mine/fbank/linear/fold*/predictions.tsv"):
        predictions.unlink()
    assert set(finished.jobs("results/performance/mine")) == {"train_linear", *AFTER_TRAINING}
    finished.snakemake("results/report")
    assert finished.jobs() == {}


def test_the_report_opens_on_its_answers_and_holds_what_is_behind_them(finished, tmp_path):
    finished.snakemake("--report", str(tmp_path / "report.html"), "--", "results/report")
    text = (tmp_path / "report.html").read_text()
    for dataset in ("mine: 16 test utterances of 4 speakers", "ravdess: 48 test utterances of 6 speakers"):
        assert dataset in text
    for question in ("How well is emotion recognised?", "For whom does it fail?", "How easily is it fooled?"):
        assert question in text
    audits = ("Performance", "Fairness", "Attack", "Privacy", "Robustness", "Cost", "Trust")
    for category in ("Corpora", "Backbones", "Models", *audits, "Federated training", "Summary"):
        assert f'"{category}"' in text
    assert text.count("Trust profiles") == 2, "one per dataset, at the top"
    assert "data:image/svg+xml;base64," in text
    assert "clustered by speaker" in text
    assert "Lower is better" in text
    assert "audio/x-wav" not in text, "neither corpus may be passed on"


def test_no_client_is_a_test_speaker_and_the_scores_of_a_federation_are_what_scikit_learn_says(finished):
    folder = finished.project / "federated/ravdess/fbank_fed_avg"
    predictions = pd.concat(read(path) for path in sorted(folder.glob("fold*/predictions.tsv")))
    utterances = read(finished.project / "corpora/ravdess/utterances.tsv")
    assert sorted(predictions["utterance"]) == sorted(utterances["utterance"])
    for fold, tested in predictions.groupby("fold"):
        clients = read(folder / f"fold{fold}/clients.tsv")
        assert not set(clients["person"]) & set(tested["speaker"])
        assert clients["train"].sum() + clients["dev"].sum() + len(tested) == len(utterances)
        facts = json.loads((folder / f"fold{fold}/run.json").read_text())
        assert facts["options"]["num_epochs"] == 3
        assert {role.split()[0] for role in facts["inputs"]} == {"fold", "features", "identity"}
    classes = [name[2:] for name in predictions.columns if name.startswith("p_")]
    uar = recall_score(predictions["label"], predictions["predicted"], labels=classes, average="macro")
    summary = read(finished.project / "federated/ravdess/summary.tsv").set_index(["run", "metric"])
    assert float(summary.loc[("fbank_fed_avg", "uar"), "value"]) == pytest.approx(uar)
    pairs = read(finished.project / "federated/mine/comparison.tsv")
    assert {*pairs["run_a"], *pairs["run_b"]} == {"fbank_fed_avg", "fbank_fed_sgd", "fbank_central"}


def test_audits_are_of_the_predictions_that_models_made(finished):
    folder = finished.project / "models/ravdess/fbank/linear"
    predictions = pd.concat(read(path) for path in sorted(folder.glob("fold*/predictions.tsv")))
    groups = read(finished.project / "fairness/ravdess/fbank/linear/groups.tsv").set_index(["axis", "group"])
    for gender, rows in predictions.groupby("gender"):
        own = [recall_score(seed["label"], seed["predicted"], average="macro") for _, seed in rows.groupby("seed")]
        assert float(groups.loc[("gender", gender), "value"]) == pytest.approx(sum(own) / len(own))
    attack = read(finished.project / "attack/ravdess/fbank/linear/summary.tsv")
    first = predictions[predictions["seed"].astype(str) == "0"]
    right = (first["label"] == first["predicted"]).sum()
    assert set(attack["tested"].astype(int)) == {48}
    assert abs(attack["attacked"].astype(int) - right).max() <= 1


def test_a_profile_holds_what_the_audits_found(finished):
    profiles = read(finished.project / "trust/mine/summary.tsv").set_index(["backbone", "recipe"])
    assert len(profiles) == 3
    chosen = {
        "performance": ("performance", "metric == 'uar'", "value"),
        "fairness": (
            "fairness",
            "axis == 'gender' and metric == 'uar' and aggregate == 'max' and variant == 'as spoken'",
            "value",
        ),
        "attack": ("attack", "headline == 'yes'", "success"),
        "privacy": ("privacy", "attribute == 'gender' and source == 'embedding' and headline == 'yes'", "value"),
        "robustness": ("robustness", "test == 'all'", "unchanged"),
        "cost": ("cost", "recipe == recipe", "flops_per_second"),
    }
    for axis, (stage, rows, column) in chosen.items():
        found = read(finished.project / stage / "mine/summary.tsv").query(rows).set_index(["backbone", "recipe"])
        told, measured = (pd.to_numeric(values, errors="coerce") for values in (profiles[axis], found[column]))
        pd.testing.assert_series_equal(told.sort_index(), measured.sort_index(), check_names=False, obj=axis)
    whole = read(finished.project / "trust/summary.tsv")
    assert set(whole["dataset"]) == {"mine", "ravdess"}
    for name in ("mine/radar", "datasets"):
        assert (finished.project / f"trust/{name}.svg").exists()


def test_the_table_is_shown_on_the_terminal(finished, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["show", "results/performance", "--project", str(finished.project)])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert re.search(r"^mine +fbank +linear +\d+\.\d \[\d+\.\d, \d+\.\d\]", said, re.M)
    assert str(finished.project / "performance/ravdess/ranking.png") in said
    with pytest.raises(SystemExit) as end:
        cli.main(["show", "performance/ravdess/fbank", "--project", str(finished.project)])
    assert end.value.code == 0
    assert "ravdess  fbank" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        cli.main(["show", "performance/nothing", "--project", str(finished.project)])
    assert end.value.code == 1


# What runs again, and what does not


def test_a_finished_run_has_nothing_to_do(finished):
    assert finished.jobs() == {}


@pytest.mark.parametrize(("file", "old", "new", "jobs"), EDITS)
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


@pytest.mark.parametrize(("changes", "jobs"), CHANGES)
def test_a_changed_key_reruns_its_cone_and_nothing_else(finished, changes, jobs):
    if jobs is None:  # another corpus and another dataset concern only themselves
        assert finished.jobs("results/performance/ravdess", "results/performance/mine", **changes) == {}
    else:
        assert finished.jobs(**changes) == jobs


def test_no_audit_computes_features_or_predictions_again(finished, tmp_path):
    """Models and what they say of test speakers are there: all audits together ask for nothing before these."""
    stages = ("performance", "fairness", "attack", "privacy", "robustness", "cost", "trust")
    for stage in stages:
        shutil.move(finished.project / stage, tmp_path / stage)
    try:
        audits = {rule: number for rule, number in each(4, 2, *AUDITS).items() if rule != "report_summary"}
        assert finished.jobs("results/trust") == {**audits, "privacy_layers": 3}
    finally:
        for stage in stages:
            shutil.move(tmp_path / stage, finished.project / stage)


def test_a_benchmark_file_that_is_gone_reruns_nothing(finished, tmp_path):
    """They are measurements, and no reason to train anew, not even when the cost is measured again."""
    benchmarks = finished.project / "benchmarks"
    shutil.move(benchmarks / "train", tmp_path / "train")
    try:
        assert finished.jobs() == {}
        jobs = finished.jobs("results/cost/mine", cost={"measured_seconds": 0.2})
        assert jobs == {"cost_timing": 3, "cost_timing_table": 1}
    finally:
        shutil.move(tmp_path / "train", benchmarks / "train")


def test_what_a_system_costs_is_told_of_every_one(finished, capsys):
    summary = read(finished.project / "cost/mine/summary.tsv").set_index(["backbone", "recipe"])
    assert set(summary.index) == {("fbank", "linear"), ("fbank", "cnn"), ("apc_tiny", "cnn")}
    assert summary.loc[("apc_tiny", "cnn"), "flops_6s"] > summary.loc[("fbank", "cnn"), "flops_6s"]
    uar = read(finished.project / "performance/mine/summary.tsv").query("metric == 'uar'")
    assert summary["score"].tolist() == uar["value"].tolist()
    head = load_model(finished.project / "models/mine/fbank/cnn/fold1/seed0.safetensors").head
    assert summary.loc[("fbank", "cnn"), "parameters"] == sum(own.numel() for own in head.parameters())
    timing = read(finished.project / "cost/mine/summary.timing.tsv").set_index(["backbone", "recipe"])
    assert (timing["inference_seconds"] > 0).all()
    assert (timing["extraction_audio"] > 0).all(), "it was run in this very run"
    assert timing.loc[("apc_tiny", "cnn"), "trainings"] == 6
    assert timing.loc[("apc_tiny", "cnn"), "pretraining_seconds"] != ""
    jobs = read(finished.project / "cost/mine/jobs.timing.tsv").set_index("rule")["jobs"]
    assert (jobs["train"], jobs["features"], jobs["manifest"]) == (9, 2, 1)
    with pytest.raises(SystemExit) as end:
        cli.main(["show", "results/cost", "--project", str(finished.project)])
    assert end.value.code == 0
    assert str(finished.project / "cost/mine/pareto.png") in capsys.readouterr().out


def test_a_clip_added_to_a_corpus_is_noticed(finished):
    folder = finished.config["data_dir"]["ravdess"]
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
        assert finished.jobs() == each(1, 1, *PERFORMANCE)
    finally:
        finished.snakemake("results/report")
    assert figure.read_bytes() == kept
