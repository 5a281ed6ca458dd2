"""Whisper's encoder on clips of any length, against the one of transformers."""

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

from backbones.tiny_transformers import WHISPER_KINDS, batch, speech, write_tiny
from candor.backbones.families import transformers as family
from candor.backbones.interface import Backbone
from candor.backbones.whisper import LogMel, Whisper

THIRTY_SECONDS = 480000
CLIPS = [speech(5000, seed=1), speech(12977, seed=2), speech(8640, seed=3)]
GOLDEN = [1.20533, 1.49638, 5.01487, 0.78152, 1.10032, 3.76686, 0.46742]
"""Features of FEATURES_VERSION 1."""

Folder = Callable[[str], Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    root = tmp_path_factory.mktemp("models")
    return functools.cache(lambda kind: write_tiny(kind, root / kind))


@pytest.fixture(scope="module")
def whisper(folder: Folder) -> Backbone:
    """A backbone that tests share, so that no test may change it."""
    return load(folder("whisper"))


def load(folder: Path, parity: str | None = None) -> Backbone:
    return family.load({"parity": parity}, folder)


def by_transformers(folder: Path, clip: torch.Tensor) -> torch.Tensor:
    """What transformers says of a clip: its feature extractor, then its encoder with just the positions there are.

    Its encoder takes no other length than it has positions for; so it is given fewer.
    """
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
    spectrogram = extractor(clip.numpy(), sampling_rate=16000, return_tensors="pt", padding="do_not_pad")
    mel = spectrogram["input_features"]
    assert mel.shape[-1] % 2 == 0
    encoder: Any = transformers.WhisperModel.from_pretrained(folder, attn_implementation="eager").encoder.eval()
    positions = mel.shape[-1] // 2
    encoder.config.max_source_positions = positions
    encoder.embed_positions = torch.nn.Embedding.from_pretrained(encoder.embed_positions.weight[:positions])
    with torch.no_grad():
        return torch.cat(encoder(mel, output_hidden_states=True).hidden_states)


@pytest.mark.parametrize("kind", sorted(WHISPER_KINDS))
def test_spectrogram_equals_that_of_transformers(folder: Folder, kind: str) -> None:
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(folder(kind), local_files_only=True)
    clips = [*CLIPS, torch.zeros(4000)]
    ours, frames = LogMel(extractor)(clips)
    for spectrogram, count, clip in zip(ours, frames, clips, strict=True):
        theirs = extractor(clip.numpy(), sampling_rate=16000, return_tensors="pt", padding="do_not_pad")
        torch.testing.assert_close(spectrogram[:, :count], theirs["input_features"][0], atol=1e-5, rtol=1e-5)
        assert (spectrogram[:, count:] == 0).all()


@pytest.mark.parametrize("kind", sorted(WHISPER_KINDS))
@pytest.mark.parametrize("samples", [3520, 16100, THIRTY_SECONDS])
def test_equals_transformers_on_just_the_frames_there_are(folder: Folder, kind: str, samples: int) -> None:
    clip = speech(samples, seed=samples)
    backbone = load(folder(kind))
    with torch.no_grad():
        hidden = backbone(*batch(clip))
    assert (
        hidden.states.shape == (backbone.layers, 1, samples // 320, backbone.dimensions) == (3, 1, samples // 320, 16)
    )
    torch.testing.assert_close(hidden.states[:, 0], by_transformers(folder(kind), clip), atol=1e-5, rtol=1e-4)


def test_parity_leaves_out_the_embedding(folder: Folder, whisper: Backbone) -> None:
    backbone = load(folder("whisper"), parity="trust-ser")
    with torch.no_grad():
        assert torch.equal(backbone(*batch(*CLIPS)).states, whisper(*batch(*CLIPS)).states[1:])
    assert backbone.layers == 2


def test_a_clip_fares_in_a_batch_as_alone(whisper: Backbone) -> None:
    with torch.no_grad():
        alone = [whisper(*batch(clip)).states[:, 0] for clip in CLIPS]
        for behind in (0.0, 0.7, float("nan")):
            waveforms, lengths = batch(*CLIPS, padding=behind)
            together = whisper(torch.cat([waveforms, torch.full((3, 3000), behind)], dim=1), lengths)
            assert together.lengths.tolist() == [states.shape[1] for states in alone]
            assert together.states.isfinite().all()
            for number, states in enumerate(alone):
                torch.testing.assert_close(together.states[:, number, : states.shape[1]], states, atol=1e-4, rtol=0)


def test_long_clips_go_in_windows(whisper: Backbone) -> None:
    clip = speech(2 * THIRTY_SECONDS + 7000, seed=5)
    with torch.no_grad():
        hidden = whisper(*batch(CLIPS[0], clip))
        windows = [whisper(*batch(window)).states[:, 0] for window in clip.split(THIRTY_SECONDS)]
        barely = whisper(*batch(clip[: THIRTY_SECONDS + 100]))
    assert hidden.lengths.tolist() == [16, 1500 + 1500 + 22]
    torch.testing.assert_close(hidden.states[:, 1], torch.cat(windows, dim=1), atol=1e-4, rtol=0)
    assert barely.lengths.tolist() == [1500]


def test_gradient_reaches_the_waveform_and_not_the_padding(whisper: Backbone) -> None:
    waveforms, lengths = batch(*CLIPS, padding=0.3)
    waveforms.requires_grad_(True)
    hidden = whisper(waveforms, lengths)
    exists = torch.arange(hidden.states.shape[2]) < hidden.lengths[:, None]
    (hidden.states * exists[None, :, :, None]).square().sum().backward()
    assert waveforms.grad is not None
    assert waveforms.grad.isfinite().all()
    for gradient, length in zip(waveforms.grad, lengths.tolist(), strict=True):
        assert (gradient[:length] != 0).float().mean() > 0.9
        assert (gradient[length:] == 0).all()


def test_gradient_is_that_of_finite_differences(folder: Folder) -> None:
    """In double precision, so that small steps are seen; in direction of the gradient and of noise."""
    backbone = load(folder("whisper")).double()
    clip = CLIPS[0].double().requires_grad_(True)
    weights = torch.randn(16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def loss(waveform: torch.Tensor) -> torch.Tensor:
        return (backbone(*batch(waveform)).states[-1, 0] @ weights).square().mean()

    (gradient,) = torch.autograd.grad(loss(clip), clip)
    step = 1e-3 * gradient / gradient.norm()
    with torch.no_grad():
        difference = (loss(clip + step) - loss(clip - step)) / 2
    assert difference.item() == pytest.approx(1e-3 * gradient.norm().item(), rel=1e-2)


def test_nothing_is_random(folder: Folder, whisper: Backbone) -> None:
    copied = copy.deepcopy(whisper)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    again = load(folder("whisper")).train()
    assert torch.equal(torch.get_rng_state(), before)
    with torch.no_grad():
        first, second, third = (each(*batch(*CLIPS)).states for each in (whisper, again, copied.train()))
    assert torch.equal(first, second)
    assert torch.equal(first, third)


def test_clips_too_short_for_a_frame_have_none(whisper: Backbone) -> None:
    with torch.no_grad():
        mixed = whisper(*batch(CLIPS[0], speech(200), speech(201), speech(0)))
        none = whisper(*batch(speech(12)))
    assert mixed.lengths.tolist() == [16, 0, 1, 0]
    assert mixed.states.isfinite().all()
    assert none.states.shape == (3, 1, 0, 16)


def test_lora_on_the_named_projections_learns(folder: Folder) -> None:
    backbone = load(folder("whisper"))
    settings = peft.LoraConfig(r=2, target_modules=list(backbone.lora_targets), init_lora_weights=False)
    adapted: Any = peft.inject_adapter_in_model(settings, backbone)
    adapted(*batch(CLIPS[0])).states[-1].square()[..., 0].sum().backward()
    gradients = [values.grad for name, values in adapted.named_parameters() if "lora_" in name]
    assert len(gradients) == 2 * 2 * 2  # two matrices for two projections in two layers
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)


def test_nothing_of_the_decoder_is_kept(whisper: Backbone) -> None:
    assert isinstance(whisper, Whisper)
    assert not [name for name, _ in whisper.named_parameters() if "decoder" in name]


def test_features_are_those_of_this_version(whisper: Backbone) -> None:
    """If this fails because features are meant to differ now, raise FEATURES_VERSION and write down the new ones."""
    with torch.no_grad():
        states = whisper(*batch(*CLIPS[:2])).states
    values = [states.abs().mean().item(), *states[:, 0, 3, 5].tolist(), *states[:, 1, 20, 11].tolist()]
    assert family.FEATURES_VERSION == 1
    assert values == pytest.approx(GOLDEN, abs=1e-4)
