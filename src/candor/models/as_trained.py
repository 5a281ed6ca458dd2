"""The models of a fold, which read the hidden states of any waveform just as those that they were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch

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
    def task(self) -> Emotion | Rating:
        """Return what the models predict."""
        return next(iter(self.models.values())).task

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
            with torch.no_grad():
                head = model.head.to(self.listener.device)
                outputs = head(self._batch(model, hidden, numbers, names)).double().cpu()
            for name, own in zip(names, outputs, strict=True):
                if not own.isfinite().all():
                    raise FeatureError(f"{name}: what a model makes of it is not finite")
            found[seed] = outputs
        return found

    def _batch(self, model: Model, hidden: Hidden, numbers: Sequence[int], names: Sequence[str]) -> Batch:
        counts = hidden.lengths.tolist()
        if 0 in counts:
            raise FeatureError(f"{names[counts.index(0)]}: too short for a single frame")
        states = [hidden.states[:, place, :count] for place, count in enumerate(counts)]
        norm, device = self._norm_of(model, numbers), self.listener.device
        if model.about.kind == "pooled":
            pooled = torch.from_numpy(
                np.stack([statistics(own, name) for own, name in zip(states, names, strict=True)])
            )
            return PooledBatch((pooled if norm is None else norm.on_pooled(pooled)).to(device))
        if model.about.kind == "frames":
            kept = np.dtype(self.listener.backbone_of(model).frame_type)
            rounded = [as_kept(own, kept, name) for own, name in zip(states, names, strict=True)]
            states = [torch.from_numpy(own).to(device) for own in rounded]
        if norm is None:
            return FrameBatch(states, torch.tensor(counts))
        offset, scale = norm.of(range(len(states)))
        return FrameBatch(states, torch.tensor(counts), offset.to(device), scale.to(device))

    def _norm_of(self, model: Model, numbers: Sequence[int]) -> Affine | None:
        """Return how each clip of a batch is normalised."""
        if self._norm is not None:
            return Affine(self._norm.offset, self._norm.scale, self._norm.group[list(numbers)])
        if model.affine is None:
            return None
        offset, scale = model.affine
        return Affine(offset[None], scale[None], torch.zeros(len(numbers), dtype=torch.long))


def _in_words(task: Emotion | Rating, outputs: torch.Tensor) -> list[str] | list[float]:
    if isinstance(task, Emotion):
        return [task.classes[place] for place in outputs.argmax(dim=1).tolist()]
    return [float(value) for value in task.ratings(outputs)]
