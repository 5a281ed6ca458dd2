"""Which folders are loaded as models of transformers, and what is said of those that are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
import transformers

from backbones.tiny_transformers import WAV2VEC_SIZES, batch, fill, speech, write_tiny, write_weights
from candor.backbones.families import transformers as family
from candor.backbones.interface import BackboneError

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"


def states(folder: Path) -> torch.Tensor:
    with torch.no_grad():
        return family.load({"parity": None}, folder)(*batch(speech(2000))).states


def refused(folder: Path) -> str:
    with pytest.raises(BackboneError) as error:
        family.load({"parity": None}, folder)
    message = str(error.value)
    assert "\n" not in message
    return message


def edit(file: Path, **changes: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize("kind", ["wav2vec2_base", "wav2vec2_large", "wavlm", "whisper"])
def test_old_and_new_files_load_alike(tmp_path: Path, kind: str) -> None:
    new = write_tiny(kind, tmp_path / "new")
    old = write_tiny(kind, tmp_path / "old", weights="pytorch_model.bin")
    assert torch.equal(states(new), states(old))


def test_safetensors_go_first(tmp_path: Path) -> None:
    folder = write_tiny("wav2vec2_base", tmp_path / "both")
    alone = states(folder)
    write_tiny("wav2vec2_base", folder, seed=1, weights="pytorch_model.bin")
    assert torch.equal(states(folder), alone)


def test_a_checkpoint_in_parts_loads(tmp_path: Path) -> None:
    folder = write_tiny("wavlm", tmp_path)
    whole = states(folder)
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    parts = {name: f"model-{1 + number % 2:05d}-of-00002.safetensors" for number, name in enumerate(weights)}
    for part in sorted(set(parts.values())):
        safetensors.torch.save_file({name: weights[name] for name in weights if parts[name] == part}, folder / part)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    assert torch.equal(states(folder), whole)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002.safetensors is missing" in refused(folder)


@pytest.mark.parametrize("name", ["Wav2Vec2Model", "Wav2Vec2ForCTC", "Wav2Vec2ForSequenceClassification"])
def test_a_head_and_half_precision_make_no_difference(tmp_path: Path, name: str) -> None:
    """What fine-tuned checkpoints hold besides is left out; weights in half precision are computed with in full."""
    folder = write_tiny("wav2vec2_base", tmp_path)
    model = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**WAV2VEC_SIZES))
    fill(model, seed=3)
    model = model.half().float()
    write_weights(model, folder / "model.safetensors")
    bare = states(folder)
    task = getattr(transformers, name)(transformers.Wav2Vec2Config(**WAV2VEC_SIZES))
    getattr(task, "wav2vec2", task).load_state_dict(model.state_dict())
    write_weights(task.half(), folder / "model.safetensors")
    edit(folder / "config.json", dtype="float16")
    assert torch.equal(states(folder), bare)


def test_whisper_without_its_head_loads(tmp_path: Path) -> None:
    folder = write_tiny("whisper", tmp_path)
    whole = states(folder)
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    bare = {name.removeprefix("model."): values for name, values in weights.items() if name.startswith("model.")}
    safetensors.torch.save_file(bare, folder / "model.safetensors")
    assert torch.equal(states(folder), whole)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("wav2vec2_base", "wav2vec2.encoder.layers.1.attention.k_proj.weight"),
        ("wavlm", "encoder.pos_conv_embed.conv.parametrizations.weight.original0"),
        ("whisper", "model.encoder.layers.0.fc1.bias"),
    ],
)
def test_no_weight_is_left_random(tmp_path: Path, kind: str, name: str) -> None:
    folder = write_tiny(kind, tmp_path)
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    taken = weights.pop(name)
    safetensors.torch.save_file(weights, folder / "model.safetensors")
    assert "lacks" in (message := refused(folder))
    assert name.split("encoder.", 1)[1] in message
    safetensors.torch.save_file({**weights, name: taken[..., :-1].clone()}, folder / "model.safetensors")
    if taken.shape[-1] > 1:
        assert "another shape" in refused(folder)


def test_what_only_training_needs_may_be_missing(tmp_path: Path) -> None:
    folder = write_tiny("wav2vec2_base", tmp_path)
    whole = states(folder)
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    del weights["wav2vec2.masked_spec_embed"]
    safetensors.torch.save_file(weights, folder / "model.safetensors")
    assert torch.equal(states(folder), whole)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    folder = write_tiny("hubert", tmp_path / "hubert")
    wav2vec = write_tiny("wav2vec2_large", tmp_path / "large")
    (wav2vec / "model.safetensors").rename(folder / "model.safetensors")
    assert str(folder) in refused(folder)


@pytest.mark.parametrize("weights", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("kept", [0, 100, 0.5, -1])
def test_weights_cut_short_are_refused(tmp_path: Path, weights: str, kept: float) -> None:
    file = write_tiny("wav2vec2_base", tmp_path, weights=weights) / weights
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    assert f"{file} is cut short" in refused(tmp_path)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    folder = write_tiny("wav2vec2_base", tmp_path, weights="pytorch_model.bin")
    torch.save({"wav2vec2": folder}, folder / "pytorch_model.bin")
    assert "holds more than weights" in refused(folder)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_pointer_in_place_of_a_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_tiny("wav2vec2_base", tmp_path)
    (folder / name).write_text(POINTER)
    assert f"{folder / name} is a git-lfs pointer" in refused(folder)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = write_tiny("wav2vec2_base", tmp_path / "model")
    (folder / "model.safetensors").unlink()
    assert refused(folder) == f"{folder} has neither model.safetensors nor pytorch_model.bin"
    (folder / "config.json").unlink()
    assert refused(folder) == f"{folder / 'config.json'} is missing"
    assert "not a folder" in refused(tmp_path / "nowhere")


def test_another_kind_of_model_is_named_with_those_allowed(tmp_path: Path) -> None:
    folder = write_tiny("wav2vec2_base", tmp_path)
    edit(folder / "config.json", model_type="bert")
    assert (message := refused(folder)).startswith(f"{folder / 'config.json'}: model_type is 'bert'; allowed are")
    assert all(kind in message for kind in (*family.WAV2VEC_LIKE, "whisper"))
    (folder / "config.json").write_text("{")
    assert "not a JSON file" in refused(folder)


def test_settings_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    folder = write_tiny("whisper", tmp_path)
    edit(folder / "preprocessor_config.json", feature_size=128)
    assert "128 mel bins" in refused(folder)
    edit(folder / "preprocessor_config.json", feature_size=80, sampling_rate=24000)
    assert "24000 Hz" in refused(folder)


def test_loading_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = write_tiny("wav2vec2_base", tmp_path)
    before = transformers.utils.logging.get_verbosity()
    capfd.readouterr()
    states(folder)
    assert capfd.readouterr() == ("", "")
    assert transformers.utils.logging.get_verbosity() == before
    assert transformers.utils.logging.is_progress_bar_enabled()
