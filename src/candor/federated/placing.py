"""Put what a fold has made into its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save

from candor.tables.base import atomic


def save_tensors(tensors: Mapping[str, torch.Tensor], path: str) -> None:
    """Write tensors by their names."""
    with atomic(path, "wb") as handle:
        handle.write(save({name: tensor.contiguous() for name, tensor in tensors.items()}))


def place(file: Path, path: str) -> None:
    """Put a finished file in its place, and leave it where it is until all else is in its place too."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(file, target)
    except OSError:  # on another file system, or on one without links
        with atomic(target, "wb") as handle, file.open("rb") as source:
            shutil.copyfileobj(source, handle)
