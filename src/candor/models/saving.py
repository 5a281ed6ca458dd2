"""Write a trained head so that it can be loaded without trusting the file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from candor.models.linear import LinearHead
from candor.tables.base import atomic


def save_head(head: LinearHead, classes: Sequence[str], recipe: Mapping[str, Any], path: str | Path) -> None:
    """Write the tensors of `head`, with its classes and recipe as metadata."""
    # One entry, because safetensors writes several in no particular order.
    metadata = {"candor": json.dumps({"classes": list(classes), "recipe": dict(recipe)}, sort_keys=True)}
    tensors = {name: tensor.contiguous() for name, tensor in head.state_dict().items()}
    with atomic(path, "wb") as handle:
        handle.write(save(tensors, metadata))


def load_head(path: str | Path) -> tuple[LinearHead, list[str]]:
    """Return the head at `path` and its classes."""
    with safe_open(str(path), framework="pt") as file:
        classes: list[str] = json.loads(file.metadata()["candor"])["classes"]
        tensors: dict[str, torch.Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    layers, statistics, dimensions = tensors["mean"].shape
    head = LinearHead(layers, statistics, dimensions, len(classes))
    head.load_state_dict(tensors)
    return head.eval(), classes
