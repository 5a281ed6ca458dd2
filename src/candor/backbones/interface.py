"""What a backbone is: waveforms in, hidden states of all layers with their true lengths out."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch


@dataclass(frozen=True)
class Hidden:
    """Hidden states of a batch.

    `states` has the shape [layers, batch, frames, dimensions]; frames from `lengths[i]` on are padding.
    """

    states: torch.Tensor
    lengths: torch.Tensor


class Backbone(Protocol):
    """A backbone, loaded and in evaluation mode. Gradients reach the waveform."""

    layers: int
    dimensions: int

    def __call__(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        """Return the hidden states of 16 kHz waveforms in [-1, 1], shape [batch, samples]."""
        ...


class Family(Protocol):
    """A module of `candor.backbones.families`."""

    FEATURES_VERSION: int
    """To be raised whenever the same options yield other hidden states; a golden-value test notices."""

    def load(self, options: Mapping[str, Any]) -> Backbone:
        """Return the backbone that an entry of the config describes."""
        ...


def load_family(name: str) -> Family:
    """Return the module of a family."""
    return cast(Family, importlib.import_module(f"candor.backbones.families.{name}"))


def family_names() -> list[str]:
    """Return the names of all families."""
    from candor.backbones import families

    return sorted(module.name for module in pkgutil.iter_modules(families.__path__))
