"""All trainings of one fold, and what they say about its test speakers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from candor.corpora.emotions import classes_in
from candor.models.inputs import Inputs
from candor.models.outputs import outputs_of, predicted
from candor.models.recipe import Recipe
from candor.models.resume import Resume
from candor.models.tasks import Emotion, Rating, encode
from candor.models.training import Part, Trained, TrainingError, train
from candor.runtime import Progress

if TYPE_CHECKING:
    import pandas as pd

EMOTION = "emotion"

Row = dict[str, Any]


@dataclass(frozen=True)
class FoldResult:
    """The task, the rows of the tables and the trained networks of one fold."""

    task: Emotion | Rating
    predictions: list[Row] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    layers: list[Row] = field(default_factory=list)
    trained: dict[int, Trained] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """Where a fold is trained, and where it is kept how far that is.

    Parameters
    ----------
    device
        What networks run on.
    aside
        The folder for states of unfinished trainings; None keeps none.
    made_of
        All that a training depends on besides its seed.
    """

    device: str = "cpu"
    aside: Path | None = None
    made_of: Mapping[str, Any] = field(default_factory=dict)

    def resume(self, seed: int) -> Resume:
        """Return where the state of one training is kept."""
        mark = json.dumps({**self.made_of, "seed": seed, "device": self.device}, sort_keys=True)
        return Resume(self.aside / f"seed{seed}.pt" if self.aside else None, mark)


def run_fold(
    number: int,
    fold: pd.DataFrame,
    pred: str,
    inputs: Inputs,
    make: Callable[[int], nn.Module],
    recipe: Recipe,
    seeds: Sequence[int],
    setting: Setting,
) -> FoldResult:
    """Train once per seed and predict the test speakers with the selected epoch.

    Parameters
    ----------
    number
        Which fold.
    fold
        Its table: utterance, speaker, gender, session, label, value, part.
    pred
        What is predicted: ``emotion``, or which rating.
    inputs
        What networks are given, in the order of `fold`.
    make
        Returns an untrained network with so many outputs.
    recipe
        How to train.
    seeds
        One training each.
    setting
        Where.
    """
    parts, task = parts_of(number, fold, pred)
    result = FoldResult(task)
    with Progress(len(seeds), f"train fold {number}", "seed") as progress:
        for seed in seeds:
            trained = train(
                lambda: make(task.outputs),
                inputs,
                parts["train"],
                parts["dev"],
                task,
                recipe,
                seed,
                resume=setting.resume(seed),
                device=setting.device,
            )
            outputs = outputs_of(trained.network, inputs, parts["test"].numbers, setting.device)
            result.trained[seed] = trained
            result.history.extend(trained.history)
            result.predictions.extend(predicted(number, seed, fold.iloc[parts["test"].numbers], task, outputs))
            weights = trained.network.layer_weights()  # type: ignore[operator]
            result.layers.extend(
                {"seed": seed, "layer": layer, "weight": weight} for layer, weight in enumerate(weights)
            )
            progress.advance()
    return result


def parts_of(number: int, fold: pd.DataFrame, pred: str) -> tuple[dict[str, Part], Emotion | Rating]:
    """Return the parts of a fold, and the task as the train part shows it."""
    if pred == EMOTION:
        classes = classes_in(fold["label"])
        if len(classes) < 2:
            raise TrainingError(f"fold {number}: only the class {classes[0]!r} is there; at least two are needed")
        targets = encode(list(fold["label"]), classes)
    else:
        targets = torch.tensor(fold["value"].to_numpy(dtype=np.float32))
    parts = {name: _part(fold, name, targets, number) for name in ("train", "dev", "test")}
    targets = parts["train"].targets
    return parts, Emotion.of(classes, targets) if pred == EMOTION else Rating.of(pred, targets)


def clear_away(setting: Setting, seeds: Sequence[int]) -> None:
    """Forget the states of trainings whose results are written."""
    for seed in seeds:
        setting.resume(seed).remove()


def _part(fold: pd.DataFrame, name: str, targets: torch.Tensor, number: int) -> Part:
    own = np.flatnonzero((fold["part"] == name).to_numpy())
    if not len(own):
        raise TrainingError(f"fold {number}: no utterance in {name}; choose fewer folds or a wider filter")
    return Part(own.tolist(), targets[torch.from_numpy(own)])
