"""What a backbone is: waveforms in, hidden states of all layers with their true lengths out."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, cast

import torch
from torch import nn

from candor.runtime import Explained


class BackboneError(Explained, RuntimeError):
    """A backbone cannot be had or cannot do what is asked of it; the message says what to do."""


@dataclass(frozen=True)
class Hidden:
    """Hidden states of a batch.

    `states` has the shape [layers, batch, frames, dimensions]; frames from `lengths[i]` on are padding.
    """

    states: torch.Tensor
    lengths: torch.Tensor


class Backbone(nn.Module, ABC):
    """A backbone, always in evaluation mode: neither dropout nor LayerDrop, in training neither.

    What it says of a clip does not depend on the other clips of the batch, nor on the padding behind it.
    Gradients reach the waveform, unless `differentiable` says otherwise.
    """

    layers: int
    dimensions: int
    differentiable: bool = True
    frame_type: str = "float16"
    """Numbers in which its frames are kept: half precision is enough for what networks compute."""
    lora_targets: tuple[str, ...] = ()
    """Names of the linear projections that LoRA adapts, as they end in `named_modules`; empty if there are none."""

    @abstractmethod
    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        """Return the hidden states of 16 kHz waveforms in [-1, 1].

        Parameters
        ----------
        waveforms
            Shape [batch, samples], float32, on the device of the backbone.
        lengths
            Samples of each; what lies behind them is ignored.
        """

    def last_layer(self) -> nn.Module | None:
        """Return the last layer that can be trained, or None where nothing can."""
        return None

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever is asked for."""
        del mode
        return super().train(False)


class Family(Protocol):
    """A module of `candor.backbones.families`."""

    FEATURES_VERSION: int
    """To be raised whenever the same options and weights yield other hidden states; a golden-value test notices."""

    def load(self, options: Mapping[str, Any], weights: Path | None) -> Backbone:
        """Return the backbone that an entry of the config describes.

        Parameters
        ----------
        options
            The keys of the entry that its hidden states depend on.
        weights
            The folder with its files, None for a family that has none.
        """
        ...


def load_family(name: str) -> Family:
    """Return the module of a family."""
    return cast(Family, importlib.import_module(f"candor.backbones.families.{name}"))


def family_names() -> list[str]:
    """Return the names of all families."""
    from candor.backbones import families

    return sorted(module.name for module in pkgutil.iter_modules(families.__path__))


def pad(states: list[torch.Tensor]) -> Hidden:
    """Return the hidden states of single clips, each of shape [layers, frames, dimensions], as one batch."""
    lengths = [clip.shape[1] for clip in states]
    longest = max(lengths)
    padded = [nn.functional.pad(clip, (0, 0, 0, longest - clip.shape[1])) for clip in states]
    return Hidden(torch.stack(padded, dim=1), torch.tensor(lengths))


def by_equal_length(
    run: Callable[[torch.Tensor], torch.Tensor], waveforms: torch.Tensor, lengths: torch.Tensor
) -> Hidden:
    """Run clips of the same length together and no others, for models that padding would confuse.

    Parameters
    ----------
    run
        Takes waveforms [batch, samples] without padding, returns states [layers, batch, frames, dimensions].
    waveforms, lengths
        As `Backbone.forward` takes them.
    """
    states: list[torch.Tensor | None] = [None] * len(lengths)
    samples = lengths.tolist()
    for length in sorted(set(samples)):
        members = [number for number, own in enumerate(samples) if own == length]
        # All unbound at once: the derivatives of single slices would each fill the whole batch with zeros.
        together = run(waveforms[members, :length]).unbind(dim=1)
        for own, number in zip(together, members, strict=True):
            states[number] = own
    return pad([clip for clip in states if clip is not None])
