"""The models of a fold say of a clip that is in the store exactly what the training job said, alone or in a batch."""

import numpy as np
import pytest
import torch

from candor.audio.conversion import decode
from candor.features.clips import FeatureError
from candor.models.as_trained import AsTrained
from candor.models.trained import TrainedSystem
from candor.tables.models import Predictions, RatingPredictions
from models.test_predicting import CLIPS, RUNS, SEEDS, Lab, recordings  # noqa: F401 - `recordings` is a fixture

NUMBERS = list(range(16, CLIPS))
NAMES = [f"u{number:02}" for number in NUMBERS]


@pytest.fixture(scope="module")
def lab(tmp_path_factory, recordings) -> Lab:  # noqa: F811
    return Lab(tmp_path_factory.mktemp("lab"), recordings)


def as_trained(lab: Lab, run: str, pred: str = "emotion"):
    folder = lab.model(run, pred)
    indexes = {
        name: folder / f"{file}.tsv" for name, file in {"pooled": "pooled_index", "frames": "frame_index"}.items()
    }
    weights = lab.project / "backbones" / RUNS[run][0] / "weights.tsv"
    system = TrainedSystem(
        RUNS[run][0],
        {(1, seed): folder / f"seed{seed}.safetensors" for seed in SEEDS},
        weights if weights.parent.exists() else None,
        **{name: file if file.exists() else None for name, file in indexes.items()},
    )
    return system.as_trained(1, SEEDS, lab.fold, lab.store, "cpu"), folder


def clips_of(lab: Lab, run: str) -> list[torch.Tensor]:
    seconds = RUNS[run][1].get("audio_duration", 6.0)
    members = lab.audio.set_index("utterance")["member"]
    clips = [torch.from_numpy(decode(lab.store.read(members[name]))) for name in NAMES]
    return [own[: round(seconds * 16000)] if seconds else own for own in clips]


@pytest.mark.parametrize("run", RUNS)
def test_they_say_what_the_training_job_said(lab, run):
    models, folder = as_trained(lab, run)
    rows = Predictions.read(folder / "predictions.tsv").set_index(["seed", "utterance"])
    outputs = models.outputs(clips_of(lab, run), NUMBERS, NAMES)
    for seed in SEEDS:
        expected = rows.loc[seed].loc[NAMES]
        said = torch.softmax(outputs[seed], dim=1).numpy()
        # What is tuned is run in other batches in the training; what is stored is the same to the last digits.
        exact = models.models[seed].about.kind != "audio"
        assert np.abs(said - expected[["p_anger", "p_sadness"]].to_numpy()).max() < (2e-5 if exact else 1e-3)
        assert models.answers(clips_of(lab, run), NUMBERS, NAMES)[seed] == expected["predicted"].tolist()


@pytest.mark.parametrize("run", ["pooled_speaker", "frames_speaker", "cut", "lora"])
def test_alone_they_say_the_same(lab, run):
    models, _ = as_trained(lab, run)
    clips = clips_of(lab, run)
    together = models.outputs(clips, NUMBERS, NAMES)
    for place in (0, 5):
        alone = models.outputs([clips[place]], [NUMBERS[place]], [NAMES[place]])
        for seed in SEEDS:
            assert torch.allclose(alone[seed][0], together[seed][place], atol=1e-4)


def test_ratings_are_in_the_unit_of_the_corpus(lab):
    models, folder = as_trained(lab, "pooled", "arousal")
    rows = RatingPredictions.read(folder / "predictions.tsv").set_index(["seed", "utterance"])
    answers = models.answers(clips_of(lab, "pooled"), NUMBERS, NAMES)
    for seed in SEEDS:
        assert answers[seed] == pytest.approx(rows.loc[seed].loc[NAMES]["predicted"].tolist(), abs=1e-4)


def test_a_clip_that_is_too_short_is_named(lab):
    models, _ = as_trained(lab, "frames_speaker")
    assert isinstance(models, AsTrained)
    with pytest.raises(FeatureError, match="u17"):
        models.answers([torch.zeros(9000), torch.zeros(10)], [16, 17], ["u16", "u17"])
