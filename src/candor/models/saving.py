"""Write a trained network so that it can be loaded without trusting the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from candor.models.training import trained_tensors
from candor.tables.base import atomic


@dataclass(frozen=True)
class About:
    """What a model file says of itself.

    Parameters
    ----------
    kind
        ``pooled``, ``frames`` or ``audio``: what the network is given.
    layers, dimensions
        Shape of the hidden states it reads.
    task
        What its outputs mean.
    recipe
        How it was trained.
    source
        The backbone and how it is run.
    run
        Dataset, backbone, recipe and fold.
    """

    kind: str
    layers: int
    dimensions: int
    task: Mapping[str, Any]
    recipe: Mapping[str, Any]
    source: Mapping[str, Any]
    run: Mapping[str, str] = field(default_factory=dict)


def save_model(
    network: nn.Module,
    about: About,
    path: str | Path,
    affine: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> None:
    """Write what was trained of `network`, with what it says of itself as metadata."""
    # One entry, because safetensors writes several in no particular order.
    metadata = {"candor": json.dumps(asdict(about), sort_keys=True)}
    tensors = {name: tensor.contiguous() for name, tensor in trained_tensors(network).items()}
    if affine is not None:
        tensors |= {"norm.offset": affine[0].contiguous(), "norm.scale": affine[1].contiguous()}
    with atomic(path, "wb") as handle:
        handle.write(save(tensors, metadata))
