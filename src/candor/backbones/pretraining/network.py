"""The network, s3prl's own APC: how it foretells, how far off it is, and the checkpoint that s3prl reads.

Chung, Hsu, Tang and Glass (2019), An unsupervised autoregressive model for speech representation learning,
https://arxiv.org/abs/1904.03240.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Protocol, cast

import torch
from torch import nn

from candor.backbones.pretraining.batches import Frames
from candor.backbones.pretraining.gru import run_layer
from candor.backbones.pretraining.log_mel import MEL_BINS, audio_config
from candor.backbones.pretraining.settings import Settings

Weights = dict[str, torch.Tensor]


class Network(Protocol):
    """What s3prl's class consists of."""

    rnn_layers: list[nn.GRU]
    rnn_residual: bool
    postnet: nn.Linear


def new_network(settings: Settings) -> nn.Module:
    """Return a network with random weights that depend on the seed alone."""
    from s3prl.upstream.apc.apc import APC

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return cast(nn.Module, APC(MEL_BINS, **_parameters(settings)))


def _parameters(settings: Settings) -> dict[str, Any]:
    return {
        "hidden_size": settings.hidden_size,
        "num_layers": settings.num_layers,
        "dropout": settings.dropout,
        "residual": settings.residual,
    }


def foretell(
    network: nn.Module, frames: torch.Tensor, dropout: float = 0.0, draw: torch.Generator | None = None
) -> torch.Tensor:
    """Return what the network says of the frames `time_shift` ahead, as its own `forward` does.

    That one packs and unpacks sequences before each layer, which takes longer than the padding that it saves, and
    draws its dropout from the generator that all threads share.

    Parameters
    ----------
    network
        s3prl's APC.
    frames
        Shape [pieces, frames, mel bins]. Frames behind a piece have no influence on those before.
    dropout
        Probability with which outputs of layers are set to 0.
    draw
        Where dropout comes from.
    """
    layers = cast(Network, network)
    states = frames
    for depth, layer in enumerate(layers.rnn_layers):
        outputs = run_layer(layer, states)
        if dropout:
            outputs = outputs * torch.empty_like(outputs).bernoulli_(1 - dropout, generator=draw).div_(1 - dropout)
        states = states + outputs if depth and layers.rnn_residual else outputs
    foretold: torch.Tensor = layers.postnet(states)
    return foretold


def distance(
    network: nn.Module, frames: Frames, time_shift: int, dropout: float = 0.0, draw: torch.Generator | None = None
) -> torch.Tensor:
    """Return the sum of all absolute differences between true frames and what is foretold of them."""
    foretold = foretell(network, frames.values[:, :-time_shift], dropout, draw)
    return _sum_of_true(foretold - frames.values[:, time_shift:], frames.lengths)


def copying_distance(frames: Frames, time_shift: int) -> torch.Tensor:
    """Return the same sum for who repeats the last frame seen."""
    return _sum_of_true(frames.values[:, :-time_shift] - frames.values[:, time_shift:], frames.lengths)


def _sum_of_true(differences: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    true = torch.arange(differences.shape[1], device=lengths.device) < lengths[:, None]
    return (differences.abs().sum(dim=-1) * true).sum()


def weights_of(network: nn.Module) -> Weights:
    """Return a copy of the weights."""
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def checkpoint(settings: Settings, weights: Mapping[str, torch.Tensor]) -> bytes:
    """Return a file that `s3prl.upstream.apc.expert.UpstreamExpert` loads. The same weights give the same bytes."""
    # Through a new network: bytes also depend on which names are the same object in memory, and here none are.
    network = new_network(settings)
    network.load_state_dict(weights)
    config = {"data": {"audio": audio_config()}, "model": {"paras": _parameters(settings)}}
    file = io.BytesIO()
    torch.save({"config": config, "model": weights_of(network)}, file)
    return file.getvalue()
