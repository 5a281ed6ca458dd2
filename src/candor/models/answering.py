"""From a recording to what each of several trained models says of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from candor.features.clips import cut_clips
from candor.features.extraction import statistics
from candor.models.as_trained import as_in_store, norm_of_training, outputs_of
from candor.models.ensemble import Ensemble, by_speaker
from candor.models.listening import Listener
from candor.models.loading import Model
from candor.models.normalising import Affine, affine, by_deviation
from candor.models.recipe import Recipe

Norm = tuple[str, float | None]
"""Models with the same `norm` and `audio_duration` normalise alike by speaker."""


@dataclass(frozen=True)
class Recording:
    """A recording in memory.

    Parameters
    ----------
    name
        What it is called in errors.
    waveform
        Its samples at 16 kHz, in [-1, 1].
    """

    name: str
    waveform: torch.Tensor

    def used(self, model: Model) -> int:
        """Return how many samples of it a model is given."""
        return cut_clips([(self.name, "", len(self.waveform))], model.about.recipe["audio_duration"])[0].samples


class Answering:
    """Models and their backbone, which answer recording by recording.

    Parameters
    ----------
    ensemble
        The models.
    listener
        Their backbone.
    """

    def __init__(self, ensemble: Ensemble, listener: Listener) -> None:
        self.ensemble, self.listener = ensemble, listener
        self.speakers = {_norm(model): Speaker(model) for model in ensemble.models if by_speaker(model)}

    def meet(self, recording: Recording) -> None:
        """Take one more recording of the speaker into account, by whose hidden states others are normalised."""
        for speaker in self.speakers.values():
            states = self._states(speaker.model, recording)
            if speaker.by_deviation:
                told = statistics(states, recording.name)
            else:
                kept = as_in_store(speaker.model, states, recording.name, self.listener)
                told = np.stack([kept.min(axis=1), kept.max(axis=1)], axis=1).astype(np.float64)
            speaker.hear(told, states.shape[1])

    def outputs(self, recording: Recording) -> list[torch.Tensor]:
        """Return the outputs of each model, [1, outputs]."""
        frozen: dict[int, torch.Tensor] = {}
        answers = []
        for model in self.ensemble.models:
            used = recording.used(model)
            if model.about.kind == "audio":
                states = self._states(model, recording)
            else:  # most models of an ensemble read the same
                states = frozen[used] = frozen[used] if used in frozen else self._states(model, recording)
            answers.append(outputs_of(model, [states], [recording.name], self._norm_of(model), self.listener))
        return answers

    def _states(self, model: Model, recording: Recording) -> torch.Tensor:
        return self.listener.states(model, recording.waveform[: recording.used(model)], recording.name)

    def _norm_of(self, model: Model) -> Affine | None:
        if by_speaker(model):
            return self.speakers[_norm(model)].norm
        return norm_of_training(model, 1)


class Speaker:
    """What the hidden states of a speaker are like.

    Parameters
    ----------
    model
        One that normalises by speaker.
    """

    def __init__(self, model: Model) -> None:
        self.model, self.by_deviation = model, _norm(model)[0] == "znorm"
        self._told: list[np.ndarray] = []
        self._frames: list[int] = []

    def hear(self, told: np.ndarray, frames: int) -> None:
        """Take one more recording into account.

        Parameters
        ----------
        told
            Mean and deviation over its frames, or the least and the greatest value: [layers, 2, dimensions].
        frames
            How many there are.
        """
        self._told.append(told)
        self._frames.append(frames)

    @cached_property
    def norm(self) -> Affine:
        """How the speaker's hidden states are normalised, once all recordings have been heard."""
        told = np.stack(self._told)
        if self.by_deviation:
            offset, scale = by_deviation(told, self._frames, [range(len(told))])
        else:
            offset = told[:, :, 0].min(axis=0)[None]
            scale = told[:, :, 1].max(axis=0)[None] - offset
        return affine(offset, scale, [0])


def _norm(model: Model) -> Norm:
    return Recipe.of(model.about.recipe).norm, model.about.recipe["audio_duration"]
