"""A model with its backbone as one network says what the training job said, and its gradient is the true one."""

from pathlib import Path

import numpy as np
import pytest
import torch

from candor.audio.conversion import decode
from candor.features.extraction import statistics
from candor.models.end_to_end import EndToEnd, moments
from candor.models.trained import TrainedSystem
from candor.tables.models import Predictions
from models.test_predicting import CLIPS, RUNS, Lab, recordings  # noqa: F401 - `recordings` is a fixture

ASKED = ["pooled_mean", "pooled_speaker", "cut", "frames_minmax", "frames_speaker", "lora", "last_layer"]
"""Together they have every kind of network and of normalisation, and backbones that were tuned."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory, recordings) -> Lab:  # noqa: F811
    return Lab(tmp_path_factory.mktemp("lab"), recordings)


def end_to_end(lab: Lab, run: str) -> tuple[EndToEnd, Path]:
    folder = lab.model(run)
    indexes = {
        name: folder / f"{file}.tsv" for name, file in {"pooled": "pooled_index", "frames": "frame_index"}.items()
    }
    weights = lab.project / "backbones" / RUNS[run][0] / "weights.tsv"
    system = TrainedSystem(
        RUNS[run][0],
        {(1, 0): folder / "seed0.safetensors"},
        weights if weights.parent.exists() else None,
        **{name: file if file.exists() else None for name, file in indexes.items()},
    )
    return system.model(1, 0, lab.fold, lab.store, "cpu"), folder


def waveforms_of(lab: Lab, seconds: float | None) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    numbers = list(range(16, CLIPS))
    members = lab.audio.set_index("utterance")["member"]
    clips = [torch.from_numpy(decode(lab.store.read(members[f"u{number:02}"]))) for number in numbers]
    clips = [own[: round(seconds * 16000)] if seconds else own for own in clips]
    lengths = torch.tensor([len(own) for own in clips])
    return torch.nn.utils.rnn.pad_sequence(clips, batch_first=True), lengths, numbers


@pytest.mark.parametrize("run", ASKED)
def test_it_says_what_the_training_job_said(lab, run):
    model, folder = end_to_end(lab, run)
    waveforms, lengths, numbers = waveforms_of(lab, RUNS[run][1].get("audio_duration", 6.0))
    rows = Predictions.read(folder / "predictions.tsv")
    expected = rows[rows["seed"] == 0].set_index("utterance").loc[[f"u{number:02}" for number in numbers]]
    with torch.no_grad():
        said = torch.softmax(model(waveforms, lengths, numbers).double(), dim=1).numpy()
    # Stored frames are rounded to half precision, waveforms here are not.
    assert np.abs(said - expected[["p_anger", "p_sadness"]].to_numpy()).max() < 5e-3
    assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("run", ["pooled_speaker", "frames_speaker", "lora"])
def test_its_gradient_is_the_slope_of_its_outputs(lab, run):
    model, _ = end_to_end(lab, run)
    waveforms, lengths, numbers = waveforms_of(lab, 6.0)
    heard = waveforms.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(heard, lengths, numbers)[:, 0].sum(), heard)
    assert not gradient[0, int(lengths[0]) :].any()
    direction = gradient / gradient.norm(dim=1, keepdim=True)
    step = 2e-4
    with torch.no_grad():
        ahead, behind = (model(waveforms + side * step * direction, lengths, numbers)[:, 0] for side in (1, -1))
    slope = (ahead - behind) / (2 * step)
    assert slope.tolist() == pytest.approx(gradient.norm(dim=1).tolist(), rel=0.1)


def test_moments_are_those_of_the_store_and_have_a_gradient_where_nothing_varies():
    states = torch.randn(3, 20, 4, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    assert np.allclose(moments(states).detach().numpy(), statistics(states.detach().clone(), "clip"), atol=1e-6)
    flat = torch.ones(1, 5, 2, requires_grad=True)
    moments(flat).sum().backward()
    assert torch.equal(flat.grad, torch.full((1, 5, 2), 0.2))
