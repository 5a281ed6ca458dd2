"""A trained model together with its backbone: from waveforms to outputs, and back again by the gradient.

Trainings on frozen backbones read hidden states as the store keeps them, most of them rounded to half precision. Here
they stay in float32, as rounding has no gradient; so outputs may deviate from those of the training in the last
digits, and a verdict that hangs by a thread may be another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from candor.backbones.interface import Backbone
from candor.features.clips import FeatureError
from candor.models.inputs import FrameBatch, PooledBatch
from candor.models.loading import Model
from candor.models.normalising import Affine


class EndToEnd(nn.Module):
    """A backbone and what was trained on it, in evaluation mode; nothing in it can be trained.

    What it says of an utterance depends neither on the others of the batch nor on the padding behind it. Where the
    backbone is `differentiable`, the gradient of the outputs reaches the waveforms.

    Parameters
    ----------
    backbone
        As the model has tuned it.
    model
        The trained model.
    norm
        How hidden states of each utterance are normalised where every speaker has a normalisation of his own;
        that of the training speakers is part of the model.
    """

    def __init__(self, backbone: Backbone, model: Model, norm: Affine | None = None) -> None:
        super().__init__()
        self.backbone, self.head = backbone, model.head
        self.task, self.kind, self.layers, self.norm = model.task, model.about.kind, model.about.layers, norm
        self._of_training = model.affine
        self.requires_grad_(False)
        self.eval()

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor, numbers: Sequence[int] = ()) -> torch.Tensor:
        """Return the outputs, [utterances, outputs].

        Parameters
        ----------
        waveforms
            [utterances, samples] at 16 kHz in [-1, 1], on the device of the backbone.
        lengths
            Samples of each; what lies behind them is ignored.
        numbers
            Which utterances these are for `norm`; not needed without one.
        """
        hidden = self.backbone(waveforms, lengths)
        counts = hidden.lengths.cpu()
        if int(counts.min()) < 1:
            raise FeatureError("a clip is too short for a single frame; raise corpora.min_duration")
        # All unbound at once: the derivatives of single slices would each fill the whole batch with zeros.
        whole = hidden.states.float().unbind(dim=1)
        states = [self._all_layers(own[:, :count]) for own, count in zip(whole, counts.tolist(), strict=True)]
        scaling = self._scaling(numbers, len(states), states[0].device)
        if self.kind == "pooled":
            pooled = torch.stack([moments(own) for own in states])
            if scaling is not None:
                offset, scale = scaling
                pooled = torch.stack([(pooled[:, :, 0] - offset) / scale, pooled[:, :, 1] / scale], dim=2)
            return self.head(PooledBatch(pooled))  # type: ignore[no-any-return]
        return self.head(FrameBatch(states, counts, *(scaling or ())))  # type: ignore[no-any-return]

    @contextmanager
    def as_in_training(self) -> Iterator[None]:
        """Switch dropout and LayerDrop on, in the head and in the backbone, which refuses to be asked for it.

        A transformer's masking of its own input (SpecAugment) stays off: trust-ser, whose way this is, calls the parts
        of a model around it. So does the training mode of the convolutions in front of a transformer, which have
        nothing to drop, but then want their input to be the very waveform that has a gradient.
        """
        left_out = ("_mask_hidden_states", "_requires_grad")
        modules = [module for module in self.modules() if not any(hasattr(module, name) for name in left_out)]
        before = [module.training for module in modules]
        try:
            for module in modules:
                module.training = True
            yield
        finally:
            for module, mode in zip(modules, before, strict=True):
                module.training = mode

    def _all_layers(self, states: torch.Tensor) -> torch.Tensor:
        """Return as many layers as the head reads: those that LayerDrop has left out in training repeat the last."""
        missing = self.layers - len(states)
        return states if missing <= 0 else torch.cat([states, states[-1:].expand(missing, -1, -1)])

    def _scaling(
        self, numbers: Sequence[int], utterances: int, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return offset and scale of each utterance, [utterances, layers, dimensions]."""
        if self.norm is not None:
            if len(numbers) != utterances:
                raise ValueError("a normalisation by speaker needs to know which utterances these are")
            offset, scale = self.norm.of(numbers)
        elif self._of_training is not None:
            offset, scale = (own.expand(utterances, *own.shape) for own in self._of_training)
        else:
            return None
        return offset.to(device), scale.to(device)


def moments(states: torch.Tensor) -> torch.Tensor:
    """Return mean and standard deviation over time of [layers, frames, dimensions], as [layers, 2, dimensions].

    The same as `candor.features.extraction.statistics`, with a gradient.
    """
    first = states[:, :1]
    apart = states - first
    middle = apart.mean(dim=1, keepdim=True)
    variance = (apart - middle).square().mean(dim=1)
    # The root has no derivative at 0: it is taken of 1 there, and neither value nor gradient is used.
    varies = variance > 0
    deviation = torch.where(varies, torch.where(varies, variance, 1.0).sqrt(), 0.0)
    return torch.stack([(first + middle)[:, 0], deviation], dim=1)
