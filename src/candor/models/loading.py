"""Read a trained network back, without trusting the file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from candor.models.linear import PooledNetwork
from candor.models.networks import FrameNetwork
from candor.models.recipe import Recipe
from candor.models.saving import About
from candor.models.tasks import Emotion, Rating, Task, task_of
from candor.runtime import Explained


class ModelError(Explained, ValueError):
    """A file holds no model that can be used."""


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
