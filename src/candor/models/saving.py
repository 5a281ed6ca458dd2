"""Write a trained network so that it can be loaded without trusting the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from candor.models.networks import FrameNetwork, PooledNetwork
from candor.models.recipe import Recipe
from candor.models.tasks import Emotion, Rating, Task, task_of
from candor.models.training import trained_tensors
from candor.runtime import Explained
from candor.tables.base import atomic


class ModelError(Explained, ValueError):
    """A file holds no model that can be used."""


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


@dataclass(frozen=True)
class Model:
    """A trained network, read back, and what it says of itself."""

    about: About
    task: Emotion | Rating
    head: PooledNetwork | FrameNetwork
    tuned: dict[str, torch.Tensor]
    """Tensors of the backbone that were trained with it."""
    affine: tuple[torch.Tensor, torch.Tensor] | None
    """Offset and scale of hidden states, measured on the training speakers."""


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


def load_model(path: str | Path) -> Model:
    """Return the model at `path`, with its head in evaluation mode."""
    try:
        with safe_open(str(path), framework="pt") as file:
            about = About(**json.loads(file.metadata()["candor"]))
            tensors: dict[str, torch.Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is no model of Candor's: {error}") from None
    task = task_of(about.task)
    affine = (tensors.pop("norm.offset"), tensors.pop("norm.scale")) if "norm.offset" in tensors else None
    tuned = {name.removeprefix("backbone."): tensors.pop(name) for name in list(tensors) if name[:9] == "backbone."}
    if about.kind == "audio":
        tensors = {name.removeprefix("head."): tensor for name, tensor in tensors.items()}
    head = make_head(about, task)
    head.load_state_dict(tensors)
    return Model(about, task, head.eval(), tuned, affine)


def make_head(about: About, task: Task) -> PooledNetwork | FrameNetwork:
    """Return the untrained head that `about` tells of."""
    recipe = Recipe.of(about.recipe)
    if about.kind == "pooled":
        return PooledNetwork(about.layers, about.dimensions, task.outputs, recipe.pooling)
    return FrameNetwork(about.layers, about.dimensions, task.outputs, recipe)
