"""Every backbone of the seed, from a small checkpoint in its true format: heads learn from it, in every mode."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from backbones.tiny_s3prl import write_tiny as write_s3prl
from backbones.tiny_transformers import write_tiny as write_transformers
from candor.audio.conversion import encode
from candor.backbones.interface import Backbone, BackboneError, load_family
from candor.backbones.weights import keep_checkpoint, row_of
from candor.config.loading import load
from candor.features.job import Job, extract, load_backbone
from candor.models.fold import Setting, run_fold
from candor.models.loading import load_model
from candor.models.outputs import outputs_of
from candor.models.prepare import Prepared
from candor.models.prepare_audio import from_audio
from candor.models.prepare_frames import from_frames
from candor.models.prepare_pooled import from_pooled
from candor.models.recipe import Recipe
from candor.models.saving import About, save_model
from candor.models.training import trained_tensors
from candor.models.tuning import make_trainable
from candor.store.objects import Store
from candor.tables.backbones import Weights
from candor.tables.features import FeatureIndex, FrameIndex

TINY = {
    "apc": "apc",
    "tera": "tera",
    "wav2vec2_0": "wav2vec2_base",
    "wavlm": "wavlm",
    "whisper_tiny": "whisper",
    "whisper_base": "whisper",
    "whisper_small": "whisper",
}
"""The seed's backbones, and what their checkpoints are like."""

CLIPS = 36


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def audio(store) -> pd.DataFrame:
    """Clips of two kinds that every backbone can tell apart: high voices that pulse fast, low ones that pulse slowly.

    Pitch alone would not do, for s3prl's log-mel features are brought to mean 0 within a clip.
    """
    generator = np.random.default_rng(0)
    rows = []
    for number in range(CLIPS):
        axis = np.arange(8000 + 160 * number) / 16000
        pitch, pulse = (140, 3) if number % 2 else (420, 12)
        tone = sum(np.sin(2 * np.pi * pitch * part * axis) / part for part in range(1, 6))
        swell = 0.5 + 0.5 * np.sin(2 * np.pi * (pulse * axis + generator.uniform()))
        clip = (0.1 * tone * swell + 0.01 * generator.standard_normal(len(axis))).astype(np.float32)
        rows.append({"utterance": f"u{number:02}", "member": store.put(encode(clip), ".wav"), "samples": len(clip)})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def fold() -> pd.DataFrame:
    parts = ["train"] * 20 + ["dev"] * 8 + ["test"] * 8
    return pd.DataFrame(
        {
            "utterance": [f"u{number:02}" for number in range(CLIPS)],
            "speaker": [f"s{number // 2}" for number in range(CLIPS)],
            "gender": "female",
            "session": "",
            "label": ["sadness" if number % 2 else "anger" for number in range(CLIPS)],
            "value": np.nan,
            "part": parts,
        }
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project with the weights of every backbone of the seed, as the rule `weights` leaves them."""
    root = tmp_path_factory.mktemp("project")
    for name, kind in TINY.items():
        folder = root / "backbones" / name / Weights.FOLDER
        folder.mkdir(parents=True)
        if kind in ("apc", "tera"):
            made = write_s3prl(kind, root / "made" / name)
            rows = [keep_checkpoint(made.read_bytes(), folder, str(made))]
        else:
            write_transformers(kind, folder)
            rows = [row_of(file, str(file)) for file in sorted(folder.iterdir())]
        Weights.write(rows, folder.parent / "weights.tsv")
    return root


def job_of(name: str, project: Path, store: Store) -> Job:
    entry = load({"backbones": {name: None}}).backbones[name]
    table = project / "backbones" / name / "weights.tsv"
    return Job(name, entry.family, entry.options(), table, 6.0, "float32", 60, "cpu", store)


def recipe_of(**options) -> Recipe:
    (entry,) = load({"recipes": {"mine": options}}).recipes.values()
    return Recipe.of(entry.options())


def frozen(job: Job, audio, fold, recipe, tmp_path) -> Prepared:
    extraction, _ = extract(job, audio, frames=True)
    FeatureIndex.write(extraction.pooled_rows(), tmp_path / "index.tsv")
    FrameIndex.write(extraction.frame_rows(), tmp_path / "frames.tsv")
    pooled = FeatureIndex.read(tmp_path / "index.tsv")
    if recipe.downstream_model == "linear":
        return from_pooled(fold, pooled, job.store, recipe)
    return from_frames(fold, FrameIndex.read(tmp_path / "frames.tsv"), pooled, job.store, recipe)


def learned(prepared: Prepared, fold, recipe, epochs=None):
    result = run_fold(1, fold, "emotion", prepared.inputs, prepared.make, recipe, [0], Setting())
    right = np.mean([row["label"] == row["predicted"] for row in result.predictions])
    return result, right


@pytest.mark.parametrize("name", TINY)
def test_every_backbone_of_the_seed_trains_a_head(name, project, store, audio, fold, tmp_path):
    recipe = recipe_of(num_epochs=40, learning_rate=0.01, hidden_size=16, dropout=0.0, norm="znorm")
    prepared = frozen(job_of(name, project, store), audio, fold, recipe, tmp_path)
    result, _ = learned(prepared, fold, recipe)
    losses = [row["train_loss"] for row in result.history]
    assert losses[-1] < 0.5 * losses[0], "even random networks tell such sounds apart"
    assert sum(row["weight"] for row in result.layers) == pytest.approx(1, abs=1e-6)
    assert len(result.layers) == prepared.layers > 1


@pytest.mark.parametrize("name", TINY)
def test_the_gradient_of_every_backbone_reaches_the_waveform(name, project, store):
    backbone, _ = load_backbone(job_of(name, project, store))
    waveform = (0.1 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(0))).requires_grad_()
    hidden = backbone(waveform, torch.tensor([8000]))
    hidden.states.pow(2).sum().backward()
    assert torch.isfinite(waveform.grad).all()
    assert waveform.grad.abs().max() > 0
    assert not backbone.training


@pytest.mark.parametrize("mode", ["last_layer", "full", "lora"])
@pytest.mark.parametrize("name", ["apc", "tera", "wav2vec2_0", "wavlm", "whisper_tiny"])
def test_a_mode_trains_what_it_says_and_nothing_else(name, mode, project, store, audio, fold, tmp_path):
    job = job_of(name, project, store)
    backbone, way = load_backbone(job)
    recipe = recipe_of(mode=mode, num_epochs=2, hidden_size=8, backbone_learning_rate=0.01, batch_size=8)
    if name == "apc" and mode == "lora":
        with pytest.raises(BackboneError, match="apc has no attention that LoRA could adapt"):
            make_trainable(backbone, recipe, name)
        return
    prepared = from_audio(fold, audio, backbone, recipe, job, way)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    result, _ = learned(prepared, fold, recipe)
    network = result.trained[0].network
    assert all(torch.equal(before[key], value) for key, value in backbone.state_dict().items()), "it stays as it was"
    after = network.backbone.state_dict()
    plain = {key.replace(".base_layer", ""): value for key, value in after.items() if "lora_" not in key}
    changed = {key for key, value in plain.items() if not torch.equal(value, before[key])}
    last = {f"{key}" for key, _ in _last_layer_names(backbone)}
    if mode == "lora":
        assert not changed
        assert any("lora_B" in key and value.abs().max() > 0 for key, value in after.items())
    elif mode == "last_layer":
        assert changed
        assert changed <= last
    else:
        assert changed - last, "more than the last layer"
    about = About("audio", prepared.layers, prepared.dimensions, result.task.described(), recipe.__dict__, {}, {})
    save_model(network, about, tmp_path / "model.safetensors")
    model = load_model(tmp_path / "model.safetensors")
    again, _ = load_backbone(job)
    make_trainable(again, recipe, name)
    assert set(model.tuned) == {key for key, parameter in again.named_parameters() if parameter.requires_grad}
    again.load_state_dict(model.tuned, strict=False)
    network.backbone, network.head = again, model.head
    numbers = list(range(CLIPS))
    expected = outputs_of(result.trained[0].network, prepared.inputs, numbers)
    assert torch.allclose(outputs_of(network, prepared.inputs, numbers), expected, atol=1e-6)


def _last_layer_names(backbone: Backbone):
    last = backbone.last_layer()
    own = {id(parameter) for parameter in last.parameters()}
    return [(name, parameter) for name, parameter in backbone.named_parameters() if id(parameter) in own]


def test_a_tuned_backbone_learns_what_its_frozen_self_cannot(project, store, audio, fold):
    """With one hidden unit the head alone can do little; the loss on train falls further when the backbone follows."""
    job = job_of("wavlm", project, store)
    backbone, way = load_backbone(job)
    losses = {}
    for mode in ("last_layer", "full"):
        recipe = recipe_of(
            mode=mode, num_epochs=12, hidden_size=4, backbone_learning_rate=0.003, dropout=0.0, scheduler="constant"
        )
        prepared = from_audio(fold, audio, backbone, recipe, job, way)
        losses[mode] = learned(prepared, fold, recipe)[0].history[-1]["train_loss"]
    fixed = recipe_of(num_epochs=12, hidden_size=4, dropout=0.0, scheduler="constant")
    prepared = from_audio(fold, audio, backbone, fixed, job, way)
    assert losses["full"] < learned(prepared, fold, fixed)[0].history[-1]["train_loss"] - 0.02


@pytest.mark.parametrize("head", ["linear", "cnn", "gru", "transformer"])
@pytest.mark.parametrize("pooling", ["mean", "std", "att"])
def test_every_head_and_pooling_learns_from_the_store(head, pooling, project, store, audio, fold, tmp_path):
    # On pooled states a linear head brings its own normalisation.
    own = {} if head == "linear" else {"hidden_size": 16, "dropout": 0.0}
    own |= {} if (head, pooling) in (("linear", "mean"), ("linear", "std")) else {"norm": "znorm"}
    recipe = recipe_of(downstream_model=head, pooling=pooling, num_epochs=40, learning_rate=0.01, **own)
    job = job_of("apc", project, store)
    if (head, pooling) == ("linear", "att"):
        frozen(job, audio, fold, recipe, tmp_path)
        tables = (
            table.read(tmp_path / name) for table, name in ((FrameIndex, "frames.tsv"), (FeatureIndex, "index.tsv"))
        )
        prepared = from_frames(fold, *tables, store, recipe)
    else:
        prepared = frozen(job, audio, fold, recipe, tmp_path)
    assert learned(prepared, fold, recipe)[1] >= 7 / 8


def test_frozen_from_the_store_is_frozen_from_audio(project, store, audio, fold, tmp_path):
    """What is kept in half precision gives the same outputs as the backbone itself."""
    job = job_of("tera", project, store)
    recipe = recipe_of(num_epochs=2, hidden_size=8)
    stored = frozen(job, audio, fold, recipe, tmp_path)
    backbone, way = load_backbone(job)
    direct = from_audio(fold, audio, backbone, recipe, job, way)
    torch.manual_seed(0)
    head = stored.make(2)
    whole = direct.make(2)
    whole.head.load_state_dict(head.state_dict())
    numbers = list(range(CLIPS))
    first, second = outputs_of(head, stored.inputs, numbers), outputs_of(whole, direct.inputs, numbers)
    assert torch.allclose(first, second, atol=2e-3)
    assert set(trained_tensors(whole)) == {f"head.{name}" for name in head.state_dict()}


def test_every_family_has_the_interface():
    for name in ("fbank", "opensmile", "s3prl", "transformers"):
        family = load_family(name)
        assert isinstance(family.FEATURES_VERSION, int)
        assert callable(family.load)
