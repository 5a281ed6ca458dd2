"""What models keep is what the training job saw: its outputs, its test predictions, the input of its last layer."""

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from candor.models.loading import load_model
from candor.models.same_answers import same_answers, stored_answers
from candor.models.tasks import Emotion, Rating
from candor.privacy.trained import Kept, OnAudio, OnStates, by_fold_and_seed
from candor.tables.features import FeatureIndex, FrameIndex
from candor.tables.models import Predictions, RatingPredictions
from models.test_predicting import CLIPS, RUNS, Lab, recordings  # noqa: F401 - `recordings` is a fixture

ASKED = ["pooled_mean", "pooled_speaker", "cut", "frames_minmax", "frames_speaker", "lora", "last_layer"]
"""Together they have every kind of network and of normalisation, and backbones that were tuned."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory, recordings) -> Lab:  # noqa: F811
    return Lab(tmp_path_factory.mktemp("lab"), recordings)


def kept(lab: Lab, run: str, seed=0, pred="emotion") -> tuple[Kept, object]:
    folder = lab.model(run, pred)
    heads, folds = {(1, seed): folder / f"seed{seed}.safetensors"}, {1: lab.fold}
    if RUNS[run][1].get("mode"):
        weights = lab.project / "backbones" / RUNS[run][0] / "files"
        models = OnAudio(heads, folds, lab.audio, 6.0, weights, lab.store)
    else:
        frames = folder / "frame_index.tsv"
        pooled = FeatureIndex.read(folder / "pooled_index.tsv")
        models = OnStates(heads, folds, pooled, FrameIndex.read(frames) if frames.exists() else None, lab.store)
    return models(1, seed), folder


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("run", ASKED)
def test_outputs_and_losses_are_those_of_the_training_job(lab, run, seed):
    own, folder = kept(lab, run, seed)
    told = Predictions.read(folder / "predictions.tsv")
    rows = told[told["seed"] == seed].set_index("utterance")
    tested = lab.fold["part"] == "test"
    expected = rows.loc[lab.fold["utterance"][tested], ["p_anger", "p_sadness"]].to_numpy()
    chances = torch.softmax(torch.from_numpy(own.outputs), dim=1).numpy()
    assert chances[tested] == pytest.approx(expected, abs=1e-6)
    assert own.said(lab.fold) == stored_answers(told, seed)
    losses = own.losses(lab.fold)
    assert len(losses) == CLIPS
    assert losses[tested].mean() == pytest.approx(
        log_loss(lab.fold["label"][tested], expected, labels=["anger", "sadness"]), abs=1e-6
    )


@pytest.mark.parametrize("run", ["pooled_mean", "cut", "lora"])
def test_the_embedding_is_what_the_last_layer_is_given(lab, run):
    own, folder = kept(lab, run)
    head = load_model(folder / "seed0.safetensors").head
    said = head.decide(torch.from_numpy(own.embedding).float()).detach().double().numpy()
    assert said == pytest.approx(own.outputs, abs=1e-6)
    assert own.embedding.std() > 0


def test_a_model_of_other_states_is_noticed(lab):
    own, folder = kept(lab, "cut")
    stored = stored_answers(Predictions.read(folder / "predictions.tsv"), 0)
    turned = Kept(own.embedding, -own.outputs, own.task)
    assert same_answers(turned.said(lab.fold), stored, 0.0) == dict.fromkeys(stored, False)


def test_the_loss_of_a_rating_is_its_squared_error(lab):
    own, folder = kept(lab, "cut", pred="arousal")
    told = RatingPredictions.read(folder / "predictions.tsv")
    rows = told[told["seed"] == 0].set_index("utterance")
    tested = (lab.fold["part"] == "test").to_numpy()
    expected = rows.loc[lab.fold["utterance"][tested]]
    errors = (expected["value"] - expected["predicted"]).to_numpy() ** 2
    assert own.losses(lab.fold)[tested] == pytest.approx(errors, rel=1e-4, abs=1e-6)
    assert own.said(lab.fold) == pytest.approx(stored_answers(told, 0), abs=0.02 * own.task.deviation)


@pytest.mark.parametrize("task", [Emotion(["anger", "neutral"]), Rating("arousal", 3.0, 0.5)])
def test_what_is_kept_aside_comes_back_as_it_was(task):
    outputs = 2 if isinstance(task, Emotion) else 1
    own = Kept(np.random.default_rng(0).normal(size=(4, 3)), np.random.default_rng(1).normal(size=(4, outputs)), task)
    back = Kept.of_rows(json.loads(json.dumps(own.rows())))
    assert np.array_equal(back.embedding, own.embedding)
    assert np.array_equal(back.outputs, own.outputs)
    assert back.task.described() == task.described()


def test_models_are_listed_fold_by_fold():
    files = by_fold_and_seed(["a", "b", "c", "d"], [1, 2], [0, 3])
    assert {run: str(path) for run, path in files.items()} == {(1, 0): "a", (1, 3): "b", (2, 0): "c", (2, 3): "d"}
