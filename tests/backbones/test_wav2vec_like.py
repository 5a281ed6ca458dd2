"""wav2vec 2.0 and its relatives say what transformers says of each clip alone, whatever else is in the batch."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers

from backbones.tiny_transformers import WAV2VEC_KINDS, batch, speech, write_tiny
from candor.backbones.families import transformers as family
from candor.backbones.interface import Backbone

KINDS = sorted(WAV2VEC_KINDS)
CLIPS = [speech(4000, seed=1), speech(9873, seed=2), speech(6500, seed=3)]
GOLDEN = [0.58166, -0.59681, 0.24771, -0.63518, -0.00453, -0.13623, -1.37997]
"""Features of FEATURES_VERSION 1."""

Folder = Callable[[str], Path]
Loaded = Callable[[str], Backbone]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    root = tmp_path_factory.mktemp("models")
    return functools.cache(lambda kind: write_tiny(kind, root / kind))


@pytest.fixture(scope="module")
def loaded(folder: Folder) -> Loaded:
    """Backbones that tests share, so that no test may change them."""
    return functools.cache(lambda kind: load(folder(kind)))


def load(folder: Path, parity: str | None = None) -> Backbone:
    return family.load({"parity": parity}, folder)


def by_transformers(folder: Path, clips: list[torch.Tensor], **overrides: Any) -> list[torch.Tensor]:
    """What transformers itself says of each clip alone: its feature extractor, then its model."""
    extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
    for name, value in overrides.items():
        setattr(extractor, name, value)
    model = transformers.AutoModel.from_pretrained(folder, local_files_only=True, attn_implementation="eager").eval()
    states = []
    for clip in clips:
        inputs = extractor(clip.numpy(), sampling_rate=16000, return_tensors="pt")
        with torch.no_grad():
            output = model(inputs["input_values"], output_hidden_states=True)
        # Before version 5 the last of the hidden states was the output of the encoder in all models; it is here.
        states.append(torch.cat([*output.hidden_states[:-1], output.last_hidden_state]))
    return states


@pytest.mark.parametrize("kind", KINDS)
def test_equals_transformers_on_each_clip(folder: Folder, loaded: Loaded, kind: str) -> None:
    backbone = loaded(kind)
    for clip, expected in zip(CLIPS, by_transformers(folder(kind), CLIPS), strict=True):
        with torch.no_grad():
            hidden = backbone(*batch(clip))
        assert hidden.states.shape == (backbone.layers, 1, int(hidden.lengths[0]), backbone.dimensions)
        torch.testing.assert_close(hidden.states[:, 0], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_fares_in_a_batch_as_alone(loaded: Loaded, kind: str) -> None:
    backbone = loaded(kind)
    with torch.no_grad():
        alone = [backbone(*batch(clip)).states[:, 0] for clip in CLIPS]
        for behind in (0.0, 0.7, float("nan")):
            waveforms, lengths = batch(*CLIPS, padding=behind)
            more = torch.full((len(CLIPS), 3000), behind)
            together = backbone(torch.cat([waveforms, more], dim=1), lengths)
            assert together.lengths.tolist() == [states.shape[1] for states in alone]
            assert together.states.isfinite().all()
            for number, states in enumerate(alone):
                own = together.states[:, number, : states.shape[1]]
                torch.testing.assert_close(own, states, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["wav2vec2_base", "hubert", "wavlm", "unispeech_sat", "data2vec", "hubert_batch_norm"])
def test_plain_padding_would_change_features(folder: Folder, kind: str) -> None:
    """The trap is real: transformers, given a padded batch and its mask, says something else of the shorter clip."""
    model = transformers.AutoModel.from_pretrained(folder(kind), local_files_only=True).eval()
    waveforms, lengths = batch(*CLIPS)
    mask = torch.arange(waveforms.shape[1]) < lengths[:, None]
    with torch.no_grad():
        alone = model(CLIPS[0][None]).last_hidden_state[0]
        padded = model(waveforms, attention_mask=mask).last_hidden_state[0, : len(alone)]
    assert (padded - alone).norm() > 0.01 * alone.norm()


@pytest.mark.parametrize("kind", ["wav2vec2_base", "wav2vec2_large", "wavlm"])
def test_parity_takes_the_waveform_as_it_is_and_no_embedding(folder: Folder, kind: str) -> None:
    backbone = load(folder(kind), parity="trust-ser")
    with torch.no_grad():
        hidden = backbone(*batch(CLIPS[0]))
    expected = by_transformers(folder(kind), CLIPS[:1], do_normalize=False)[0][1:]
    assert len(hidden.states) == backbone.layers == 2
    torch.testing.assert_close(hidden.states[:, 0], expected, atol=1e-5, rtol=1e-4)


def test_only_a_checkpoint_that_says_so_gets_normalised_waveforms(folder: Folder, tmp_path: Path) -> None:
    def differs_when_louder(place: Path) -> bool:
        backbone = load(place)
        with torch.no_grad():
            quiet, loud = (backbone(*batch(clip)).states[0] for clip in (CLIPS[0], 0.2 + 3 * CLIPS[0]))
        return not torch.allclose(quiet, loud, atol=1e-3)

    assert not differs_when_louder(folder("wav2vec2_large"))
    assert differs_when_louder(folder("wavlm"))
    silent_about_it = write_tiny("wav2vec2_large", tmp_path / "silent")
    (silent_about_it / "preprocessor_config.json").unlink()
    assert differs_when_louder(silent_about_it)
    nested = write_tiny("wav2vec2_large", tmp_path / "nested")
    settings = (nested / "preprocessor_config.json").rename(nested / "old.json").read_text()
    (nested / "processor_config.json").write_text(f'{{"feature_extractor": {settings}}}')
    assert not differs_when_louder(nested)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_reaches_the_waveform_and_not_the_padding(loaded: Loaded, kind: str) -> None:
    backbone = loaded(kind)
    waveforms, lengths = batch(*CLIPS, padding=0.3)
    waveforms.requires_grad_(True)
    hidden = backbone(waveforms, lengths)
    exists = torch.arange(hidden.states.shape[2]) < hidden.lengths[:, None]
    (hidden.states * exists[None, :, :, None]).square().sum().backward()
    assert waveforms.grad is not None
    assert waveforms.grad.isfinite().all()
    for gradient, length in zip(waveforms.grad, lengths.tolist(), strict=True):
        assert (gradient[:length] != 0).float().mean() > 0.9
        assert (gradient[length:] == 0).all()


@pytest.mark.parametrize("kind", ["wav2vec2_base", "wavlm_large"])
def test_nothing_is_random(folder: Folder, loaded: Loaded, kind: str) -> None:
    """LayerDrop, dropout and SpecAugment, all on in the config, stay off even when training is asked for."""
    backbone = loaded(kind)
    copied = copy.deepcopy(backbone)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    again = load(folder(kind)).train()
    assert torch.equal(torch.get_rng_state(), before)
    with torch.no_grad():
        first, second, third = (each(*batch(*CLIPS)).states for each in (backbone, again, copied.train()))
    assert torch.equal(first, second)
    assert torch.equal(first, third)


def test_clips_too_short_for_a_frame_have_none(loaded: Loaded) -> None:
    backbone = loaded("wav2vec2_base")
    with torch.no_grad():
        mixed = backbone(*batch(CLIPS[0], speech(399), speech(400), speech(0)))
        alone = backbone(*batch(CLIPS[0]))
        none = backbone(*batch(speech(12)))
    assert mixed.lengths.tolist() == [int(alone.lengths[0]), 0, 1, 0]
    torch.testing.assert_close(mixed.states[:, :1], alone.states, atol=1e-4, rtol=0)
    assert none.states.shape == (3, 1, 0, 16)


@pytest.mark.parametrize("kind", KINDS)
def test_lora_on_the_named_projections_learns(folder: Folder, kind: str) -> None:
    backbone = load(folder(kind))
    settings = peft.LoraConfig(r=2, target_modules=list(backbone.lora_targets), init_lora_weights=False)
    adapted: Any = peft.inject_adapter_in_model(settings, backbone)
    adapted(*batch(CLIPS[0])).states[-1].square().sum().backward()
    gradients = [values.grad for name, values in adapted.named_parameters() if "lora_" in name]
    assert len(gradients) == 2 * 2 * 2  # two matrices for two projections in two layers
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)


def test_the_last_layer_can_be_trained(folder: Folder) -> None:
    backbone = load(folder("wavlm"))
    backbone.requires_grad_(False)
    last = backbone.last_layer()
    assert last is not None
    last.requires_grad_(True)
    backbone(*batch(CLIPS[0])).states[-1].sum().backward()
    trained = {name for name, values in backbone.named_parameters() if values.grad is not None}
    assert trained
    assert all("encoder.layers.1." in name for name in trained)


def test_features_are_those_of_this_version(loaded: Loaded) -> None:
    """If this fails because features are meant to differ now, raise FEATURES_VERSION and write down the new ones."""
    with torch.no_grad():
        states = loaded("wav2vec2_base")(*batch(*CLIPS[:2])).states
    values = [states.abs().mean().item(), *states[:, 0, 3, 5].tolist(), *states[:, 1, 20, 11].tolist()]
    assert family.FEATURES_VERSION == 1
    assert values == pytest.approx(GOLDEN, abs=1e-4)
