"""All trainings of one fold, and what they say about its test speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from candor.corpora.emotions import classes_in
from candor.models.training import Data, Recipe, Trained, encode, probabilities, train
from candor.runtime import Explained, Progress

if TYPE_CHECKING:
    import pandas as pd


class TrainingError(Explained, ValueError):
    """A fold cannot be trained on."""


@dataclass(frozen=True)
class FoldResult:
    """The classes, the rows of the tables and the trained heads of one fold."""

    classes: list[str]
    predictions: list[dict[str, Any]]
    history: list[dict[str, Any]]
    trained: dict[int, Trained]


def run_fold(number: int, fold: pd.DataFrame, pooled: np.ndarray, recipe: Recipe, seeds: Sequence[int]) -> FoldResult:
    """Train once per seed and predict the test speakers with the selected epoch.

    Parameters
    ----------
    number
        Which fold.
    fold
        Its table: utterance, speaker, gender, session, label, part.
    pooled
        Features in the order of `fold`.
    recipe
        How to train.
    seeds
        One training each.
    """
    classes = classes_in(fold["label"])
    if len(classes) < 2:
        raise TrainingError(f"fold {number}: only the class {classes[0]!r} is there; at least two are needed")
    labels = encode(list(fold["label"]), classes)
    parts = {name: _part(fold, name, labels, pooled, number) for name in ("train", "dev", "test")}
    rows = fold[fold["part"] == "test"]
    result = FoldResult(classes, [], [], {})
    with Progress(len(seeds), f"train fold {number}", "seed") as progress:
        for seed in seeds:
            trained = train(parts["train"], parts["dev"], len(classes), recipe, seed)
            result.trained[seed] = trained
            result.history.extend(trained.history)
            chances = probabilities(trained.head, parts["test"].pooled)
            fields = rows[["utterance", "speaker", "gender", "session", "label"]].itertuples(index=False, name=None)
            for (utterance, speaker, gender, session, label), chance in zip(fields, chances, strict=True):
                result.predictions.append(
                    {
                        "utterance": utterance,
                        "speaker": speaker,
                        "gender": gender,
                        "session": session,
                        "fold": number,
                        "seed": seed,
                        "label": label,
                        "predicted": classes[int(chance.argmax())],
                        **{f"p_{name}": float(p) for name, p in zip(classes, chance, strict=True)},
                    }
                )
            progress.advance()
    return result


def _part(fold: pd.DataFrame, name: str, labels: torch.Tensor, pooled: np.ndarray, number: int) -> Data:
    own = np.flatnonzero((fold["part"] == name).to_numpy())
    if not len(own):
        raise TrainingError(f"fold {number}: no utterance in {name}; choose fewer folds or a wider filter")
    return Data(torch.from_numpy(pooled[own]), labels[torch.from_numpy(own)])
