"""What a fold's trainings are given, and how hidden states are normalised for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from candor.features.reading import frame_counts, read_pooled
from candor.models.inputs import Inputs
from candor.models.normalising import Affine, affine, by_deviation, groups_of
from candor.models.recipe import Recipe
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Prepared:
    """What networks are given, and how one is made.

    Parameters
    ----------
    kind
        ``pooled``, ``frames`` or ``audio``.
    inputs
        In the order of the fold's table.
    make
        Returns an untrained network with so many outputs.
    layers, dimensions
        Shape of the hidden states.
    normalised_by
        Offset and scale that go with the model; None where there are none, or where each speaker has its own.
    """

    kind: str
    inputs: Inputs
    make: Callable[[int], nn.Module]
    layers: int
    dimensions: int
    normalised_by: tuple[torch.Tensor, torch.Tensor] | None = None


def by_deviation_of(fold: pd.DataFrame, index: pd.DataFrame, store: Store, recipe: Recipe) -> Affine:
    """Return the normalisation by mean and deviation, from the index of pooled states."""
    names = list(fold["utterance"])
    measured, group = groups_in(fold, recipe)
    return affine(*by_deviation(read_pooled(index, names, store), frame_counts(index, names), measured), group)


def groups_in(fold: pd.DataFrame, recipe: Recipe) -> tuple[list[list[int]], list[int]]:
    """Return which utterances of a fold each group is measured on, and the group of each utterance."""
    in_train = (fold["part"] == "train").tolist()
    return groups_of([str(speaker or "") for speaker in fold["speaker"]], in_train, recipe.norm_scope)


def with_the_model(scaled: Affine | None, recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return offset and scale that go with the model: those of the training speakers, not those of each speaker."""
    if scaled is None or recipe.norm_scope != "train":
        return None
    return scaled.offset[0], scaled.scale[0]
