"""A whole job of measuring: models as they lie, clips as they lie, what their jobs have left."""

from types import SimpleNamespace

import numpy as np
import pytest

from candor.cost.job import TimingJob
from candor.tables.audio import AudioIndex
from candor.tables.cost import SystemTiming
from candor.tables.features import ExtractionTiming
from models.test_predicting import RUNS, Lab, recordings  # noqa: F401 - `recordings` is a fixture


@pytest.fixture(scope="module")
def lab(tmp_path_factory, recordings) -> Lab:  # noqa: F811
    return Lab(tmp_path_factory.mktemp("lab"), recordings)


def job_of(lab: Lab, run: str, tmp_path, **changes) -> TimingJob:
    folder, (backbone, _) = lab.model(run), RUNS[run]
    weights = lab.project / "backbones" / backbone / "weights.tsv"
    extraction = {"clips": 24, "clips_run": 24, "audio_run": 18.0, "seconds": 0.9, "device": "cpu"}
    ExtractionTiming.write([extraction], tmp_path / "extraction.timing.tsv")
    facts = {
        "head": folder / "seed0.safetensors",
        "weights": weights if weights.exists() else None,
        "audio": lab.audio,
        "seconds": RUNS[run][1].get("audio_duration", 6.0),
        "measured_seconds": 0.2,
        "store": lab.store,
        "device": "cpu",
        "extraction": (str(tmp_path / "extraction.timing.tsv"), str(tmp_path / "absent.tsv")),
        "trainings": ([folder / "timing.tsv"], [tmp_path / "absent.tsv"]),
        "pretraining": None,
    }
    return TimingJob(**{**facts, **changes})


def test_a_system_is_run_and_its_jobs_are_looked_up(lab, tmp_path):
    row = job_of(lab, "pooled", tmp_path).row()
    assert 0 < row["inference_seconds"] < 36000
    assert row["inference_audio"] > 0
    assert row["extraction_seconds"] == pytest.approx(180.0)
    assert (row["trainings"], row["epochs"]) == (2, 6)
    assert row["training_seconds"] > 0
    assert row["pretraining_seconds"] is None
    assert row["note"] == (
        "extraction: its benchmark file is missing; training: benchmark files of 1 of 1 folds are missing"
    )
    SystemTiming.write(
        [{"dataset": "lab", "backbone": "fbank", "recipe": "pooled", **row}], tmp_path / "cost.timing.tsv"
    )


def test_a_tuned_backbone_has_no_extraction(lab, tmp_path):
    row = job_of(lab, "lora", tmp_path, extraction=(None, "")).row()
    assert row["extraction_audio"] is None
    assert row["note"].startswith("extraction: none, the backbone is run in training")


def test_clips_are_given_as_the_recipe_cuts_them(lab, tmp_path):
    job = job_of(lab, "cut", tmp_path)
    assert {len(own) for own in job.waveforms()} <= {*np.minimum(lab.audio["samples"], round(0.55 * 16000))}
    assert len(job.waveforms()) == len(lab.audio)


def test_it_is_made_of_what_a_rule_names(tmp_path, lab):
    made = job_of(lab, "pooled", tmp_path)
    AudioIndex.write(lab.audio.assign(file="a.wav"), tmp_path / "index.tsv")
    inputs = {"head": str(made.head), "audio": str(tmp_path / "index.tsv"), "trainings": ["a", "b"]}
    rule = SimpleNamespace(**inputs, get=inputs.get)
    params = SimpleNamespace(
        seconds=6.0, measured_seconds=1.5, store=str(lab.store.root), extraction_benchmark="e",
        training_benchmarks=["c", "d"], pretraining_benchmark=None,
    )  # fmt: skip
    job = TimingJob.of(rule, params, "cpu")
    assert (job.weights, job.extraction, job.trainings) == (None, (None, "e"), (["a", "b"], ["c", "d"]))
    assert job.measured_seconds == 1.5
    assert job.audio["utterance"].tolist() == lab.audio["utterance"].tolist()
