"""Backbones with random weights, in files as they are published: loaded by Candor, and by their libraries alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from candor.backbones.interface import Backbone, load_family

BASE: dict[str, Any] = {}
"""The size of wav2vec2-base: what transformers takes where nothing else is said."""
APC_SIZE = {"hidden_size": 512, "num_layers": 3}
AUDIO_OF_APC = {
    "feat_type": "fbank",
    "feat_dim": 80,
    "frame_length": 25,
    "frame_shift": 10,
    "decode_wav": False,
    "cmvn": True,
}


@dataclass(frozen=True)
class Twins:
    """The same weights twice.

    `backbone` is Candor's. `model` is what the library loads from the same files, and `run` calls it as its
    documentation does: a list of waveforms in, the hidden states of all layers out, each [clips, frames, dimensions].
    """

    name: str
    family: str
    options: dict[str, Any]
    folder: Path
    backbone: Backbone
    model: nn.Module
    run: Callable[[nn.Module, Sequence[torch.Tensor]], Sequence[torch.Tensor]]


def wav2vec2(folder: Path, size: dict[str, Any] = BASE) -> Twins:
    """Return wav2vec 2.0; without `size` it is as large as wav2vec2-base."""
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**size)).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    model = transformers.Wav2Vec2Model.from_pretrained(folder).eval()
    return Twins(
        "wav2vec 2.0", "transformers", {}, folder, load_family("transformers").load({}, folder), model, run_wav2vec2
    )


def run_wav2vec2(model: nn.Module, waveforms: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    device = next(model.parameters()).device
    padded = pad_sequence(list(waveforms), batch_first=True).to(device)
    mask = None
    if len(waveforms) > 1 and not model.training:  # trust-ser gives none in training
        lengths = torch.tensor([len(waveform) for waveform in waveforms])
        mask = (torch.arange(padded.shape[1]) < lengths[:, None]).to(device)
    return model(padded, attention_mask=mask, output_hidden_states=True).hidden_states


def apc(folder: Path, size: dict[str, int] = APC_SIZE) -> Twins:
    """Return APC; without `size` it is as large as the one that s3prl publishes."""
    logging.getLogger("s3prl").setLevel(logging.WARNING)
    from s3prl.upstream.apc import apc as network
    from s3prl.upstream.apc.expert import UpstreamExpert

    settings = {**size, "dropout": 0.1, "residual": True}
    torch.manual_seed(0)
    weights = network.APC(AUDIO_OF_APC["feat_dim"], **settings).state_dict()
    folder.mkdir(parents=True)
    config = {"data": {"audio": AUDIO_OF_APC}, "model": {"paras": settings}}
    torch.save({"config": config, "model": weights}, folder / "apc.ckpt")
    options = {"upstream": "apc"}
    model = UpstreamExpert(str(folder / "apc.ckpt")).eval()
    return Twins("APC", "s3prl", options, folder, load_family("s3prl").load(options, folder), model, run_apc)


def run_apc(model: nn.Module, waveforms: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    return model(list(waveforms))["hidden_states"]


def multiplications(model: nn.Module, samples: int) -> int:
    """Return the floating-point operations of wav2vec 2.0's matrix products and convolutions for one clip.

    A product of [m, k] and [k, n] has 2·m·k·n. The rest, such as norms and activations, is not counted.
    """
    config: Any = model.config
    total, frames, width = 0, samples, 1
    for channels, kernel, stride in zip(config.conv_dim, config.conv_kernel, config.conv_stride, strict=True):
        frames = (frames - kernel) // stride + 1
        total += 2 * frames * kernel * width * channels
        width = channels
    hidden, inner = config.hidden_size, config.intermediate_size
    total += 2 * frames * width * hidden
    kernel = config.num_conv_pos_embeddings
    positions = frames + 2 * (kernel // 2) - kernel + 1  # one more than frames for an even kernel, then cut off
    total += 2 * positions * kernel * hidden * (hidden // config.num_conv_pos_embedding_groups)
    projections = 4 * 2 * frames * hidden * hidden
    attention = 2 * 2 * frames * frames * hidden
    forward = 2 * 2 * frames * hidden * inner
    return total + config.num_hidden_layers * (projections + attention + forward)
