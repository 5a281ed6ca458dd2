"""What trained models keep of utterances: their emotion embedding, their outputs, and the loss of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from candor.features.clips import clips_of
from candor.models.ensemble import Ensemble
from candor.models.inputs import AudioInputs, Inputs
from candor.models.linear import PooledNetwork
from candor.models.listening import Listener
from candor.models.loading import load_model
from candor.models.networks import AudioNetwork, FrameNetwork
from candor.models.outputs import SCORED_AT_ONCE
from candor.models.prepare_frames import from_frames
from candor.models.prepare_pooled import from_pooled
from candor.models.recipe import Recipe
from candor.models.same_answers import Answer
from candor.models.tasks import Emotion, Rating, encode, task_of
from candor.stats.intervals import FloatArray
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


Network = PooledNetwork | FrameNetwork | AudioNetwork


@dataclass(frozen=True)
class Kept:
    """What a model keeps of the utterances of its fold, in the order of the fold's table.

    Parameters
    ----------
    embedding
        [utterances, width].
    outputs
        [utterances, outputs].
    task
        What the outputs mean.
    """

    embedding: FloatArray
    outputs: FloatArray
    task: Emotion | Rating

    def rows(self) -> list[dict[str, Any]]:
        """Return what is kept aside: what outputs mean, and behind it a row per utterance."""
        kept = zip(self.embedding.tolist(), self.outputs.tolist(), strict=True)
        return [
            {"task": self.task.described()},
            *({"embedding": embedding, "outputs": outputs} for embedding, outputs in kept),
        ]

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Kept:
        """Return what `rows` made rows of."""
        task, *kept = rows
        embedding, outputs = (np.array([row[name] for row in kept]) for name in ("embedding", "outputs"))
        return cls(embedding, outputs, task_of(task["task"]))

    def losses(self, fold: pd.DataFrame) -> FloatArray:
        """Return the loss of each utterance: unweighted cross-entropy in nat, or the squared error of the rating."""
        outputs = torch.from_numpy(self.outputs)
        if isinstance(self.task, Emotion):
            loss = functional.cross_entropy(outputs, encode(list(fold["label"]), self.task.classes), reduction="none")
        else:
            loss = (self.task.ratings(outputs) - torch.from_numpy(fold["value"].to_numpy(dtype=np.float64))).square()
        return np.asarray(loss.numpy(), dtype=np.float64)

    def said(self, fold: pd.DataFrame) -> dict[str, Answer]:
        """Return the emotion or the rating that the model says each test utterance of the fold's table has."""
        tested = np.flatnonzero((fold["part"] == "test").to_numpy())
        names, outputs = fold["utterance"].to_numpy()[tested].tolist(), torch.from_numpy(self.outputs[tested])
        if isinstance(self.task, Emotion):
            said = [self.task.classes[code] for code in outputs.argmax(dim=1).tolist()]
            return dict(zip(names, said, strict=True))
        return dict(zip(names, self.task.ratings(outputs).tolist(), strict=True))


Models = Callable[[int, int], Kept]
"""Takes a fold and a seed; returns what that model keeps."""


def kept_of(network: Network, inputs: Inputs, task: Emotion | Rating, device: str = "cpu") -> Kept:
    """Return what a network keeps of all its inputs."""
    embedded, outputs = [], []
    with torch.no_grad():
        for start in range(0, len(inputs), SCORED_AT_ONCE):
            batch = inputs.batch(range(start, min(start + SCORED_AT_ONCE, len(inputs))), device)
            own = network.embed(batch)  # type: ignore[arg-type]
            embedded.append(own.double().cpu().numpy())
            outputs.append(network.decide(own).double().cpu().numpy())
    return Kept(np.concatenate(embedded), np.concatenate(outputs), task)


@dataclass(frozen=True)
class OnStates:
    """Models that read stored hidden states, normalised as in their training.

    Parameters
    ----------
    heads
        The file of each model, by fold and seed.
    folds
        The table of each fold.
    pooled_index, frame_index
        Indexes of hidden states; the latter None for heads on pooled states.
    store
        Where these are.
    device
        What to run on.
    """

    heads: Mapping[tuple[int, int], Path]
    folds: Mapping[int, pd.DataFrame]
    pooled_index: pd.DataFrame
    frame_index: pd.DataFrame | None
    store: Store
    device: str = "cpu"

    def __call__(self, fold: int, seed: int) -> Kept:
        """Return what a model keeps of its fold."""
        model = load_model(self.heads[fold, seed])
        recipe = Recipe.of(model.about.recipe)
        if self.frame_index is None:
            prepared = from_pooled(self.folds[fold], self.pooled_index, self.store, recipe)
        else:
            prepared = from_frames(self.folds[fold], self.frame_index, self.pooled_index, self.store, recipe)
        return kept_of(model.head.to(self.device), prepared.inputs, model.task, self.device)


@dataclass(frozen=True)
class OnAudio:
    """Models that have tuned their backbone, which hears the audio again.

    Parameters
    ----------
    heads, folds, store, device
        As for `OnStates`.
    audio
        The audio index.
    seconds
        The most that is used of a clip; None for all of it.
    weights
        The folder with the backbone's files; None for one that has none.
    """

    heads: Mapping[tuple[int, int], Path]
    folds: Mapping[int, pd.DataFrame]
    audio: pd.DataFrame
    seconds: float | None
    weights: Path | None
    store: Store
    device: str = "cpu"

    def __call__(self, fold: int, seed: int) -> Kept:
        """Return what a model keeps of its fold."""
        ensemble = Ensemble.of([self.heads[fold, seed]])
        model = ensemble.models[0]
        assert isinstance(model.head, FrameNetwork)  # what is trained on audio reads frames
        listener = Listener(ensemble, self.weights, self.device)
        network = AudioNetwork(listener.backbone_of(model), model.head, listener.precision).to(self.device).eval()
        inputs = AudioInputs(clips_of(self.folds[fold], self.audio, self.seconds), self.store)
        return kept_of(network, inputs, model.task, self.device)


def by_fold_and_seed(files: Sequence[str], folds: Sequence[int], seeds: Sequence[int]) -> dict[tuple[int, int], Path]:
    """Return the file of each model by fold and seed, as a rule lists them: fold by fold."""
    runs = [(fold, seed) for fold in folds for seed in seeds]
    return {run: Path(file) for run, file in zip(runs, files, strict=True)}
