"""The models of a fold, which read the hidden states of any waveform just as those that they were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from candor.backbones.interface import Backbone, Hidden
from candor.features.clips import FeatureError
from candor.features.extraction import as_kept, statistics
from candor.models.inputs import Batch, FrameBatch, PooledBatch
from candor.models.loading import Model
from candor.models.normalising import Affine
from candor.models.tasks import Emotion, Rating


class Hears(Protocol):
    """Runs the backbone of models: `candor.models.listening.Listener`."""

    device: str

    def hidden(self, model: Model, waveforms: Sequence[torch.Tensor]) -> Hidden:
        """Return the hidden states that a model reads."""
        ...

    def backbone_of(self, model: Model) -> Backbone:
        """Return the backbone, as this model has tuned it."""
        ...


class AsTrained:
    """Models of one fold, by seed, on one backbone.

    What a frozen backbone makes of a clip is rounded as the store rounds it, so that a clip that is in the store gets
    the very answer that it got in the training; it is computed once for all seeds.

    Parameters
    ----------
    models
        By seed.
    listener
        Runs their backbone.
    norm
        How hidden states of each utterance are normalised where every speaker has a normalisation of his own; that of
        the training speakers is part of a model.
    """

    def __init__(self, models: Mapping[int, Model], listener: Hears, norm: Affine | None = None) -> None:
        self.models, self.listener, self._norm = dict(models), listener, norm

    @property
    def backbone(self) -> Backbone:
        """Return the backbone, as the first model has tuned it."""
        return self.listener.backbone_of(next(iter(self.models.values())))

    def answers(
        self, waveforms: Sequence[torch.Tensor], numbers: Sequence[int], names: Sequence[str]
    ) -> dict[int, list[str] | list[float]]:
        """Return what the model of each seed says of each waveform, an emotion or a rating; as `outputs` takes them."""
        outputs = self.outputs(waveforms, numbers, names)
        return {seed: _in_words(self.models[seed].task, own) for seed, own in outputs.items()}

    def outputs(
        self, waveforms: Sequence[torch.Tensor], numbers: Sequence[int], names: Sequence[str]
    ) -> dict[int, torch.Tensor]:
        """Return the outputs of the model of each seed, [waveforms, outputs].

        Parameters
        ----------
        waveforms
            Samples at 16 kHz, [samples] each.
        numbers
            Whose they are: utterances by their number in the table of the fold.
        names
            The same utterances by name, for errors.
        """
        frozen: Hidden | None = None
        found: dict[int, torch.Tensor] = {}
        for seed, model in self.models.items():
            if model.about.kind == "audio":
                hidden = self.listener.hidden(model, waveforms)
            else:
                hidden = frozen = frozen or self.listener.hidden(model, waveforms)
            counts = hidden.lengths.tolist()
            if 0 in counts:
                raise FeatureError(f"{names[counts.index(0)]}: too short for a single frame")
            states = [hidden.states[:, place, :count] for place, count in enumerate(counts)]
            found[seed] = outputs_of(model, states, names, self._norm_of(model, numbers), self.listener)
        return found

    def _norm_of(self, model: Model, numbers: Sequence[int]) -> Affine | None:
        """Return how each clip of a batch is normalised."""
        if self._norm is not None:
            return Affine(self._norm.offset, self._norm.scale, self._norm.group[list(numbers)])
        return norm_of_training(model, len(numbers))


def outputs_of(
    model: Model, states: Sequence[torch.Tensor], names: Sequence[str], norm: Affine | None, listener: Hears
) -> torch.Tensor:
    """Return what a model makes of hidden states, [recordings, outputs], in float64 and on the CPU.

    Parameters
    ----------
    model
        Who is asked.
    states
        Of each recording, [layers, frames, dimensions].
    names
        Whose they are, for errors.
    norm
        How those of each are normalised; None for as they are.
    listener
        Whose backbone has made them.
    """
    batch = _batch(model, states, names, norm, listener)
    with torch.no_grad():
        outputs: torch.Tensor = model.head.to(listener.device)(batch).double().cpu()
    for name, own in zip(names, outputs, strict=True):
        if not own.isfinite().all():
            raise FeatureError(f"{name}: what a model makes of it is not finite")
    return outputs


def as_in_store(model: Model, states: torch.Tensor, name: str, listener: Hears) -> NDArray[np.floating]:
    """Return the states of frames as rounded as those in the store, which the model was trained on."""
    return as_kept(states, np.dtype(listener.backbone_of(model).frame_type), name)


def norm_of_training(model: Model, recordings: int) -> Affine | None:
    """Return the normalisation by the training speakers, which is part of a model, for so many recordings."""
    if model.affine is None:
        return None
    offset, scale = model.affine
    return Affine(offset[None], scale[None], torch.zeros(recordings, dtype=torch.long))


def _batch(
    model: Model, states: Sequence[torch.Tensor], names: Sequence[str], norm: Affine | None, listener: Hears
) -> Batch:
    device = listener.device
    if model.about.kind == "pooled":
        pooled = torch.from_numpy(np.stack([statistics(own, name) for own, name in zip(states, names, strict=True)]))
        return PooledBatch((pooled if norm is None else norm.on_pooled(pooled)).to(device))
    if model.about.kind == "frames":
        named = zip(states, names, strict=True)
        states = [torch.from_numpy(as_in_store(model, own, name, listener)) for own, name in named]
    frames, lengths = [own.to(device) for own in states], torch.tensor([own.shape[1] for own in states])
    if norm is None:
        return FrameBatch(frames, lengths)
    offset, scale = norm.of(range(len(states)))
    return FrameBatch(frames, lengths, offset.to(device), scale.to(device))


def _in_words(task: Emotion | Rating, outputs: torch.Tensor) -> list[str] | list[float]:
    if isinstance(task, Emotion):
        return [task.classes[place] for place in outputs.argmax(dim=1).tolist()]
    return [float(value) for value in task.ratings(outputs)]
