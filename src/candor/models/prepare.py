"""What a fold's trainings are given, and how hidden states are normalised for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from candor.features.reading import Frames, frame_counts, read_pooled
from candor.models.inputs import Inputs
from candor.models.normalising import Affine, affine, by_deviation, by_range, groups_of
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


def normalisation_of(
    fold: pd.DataFrame, recipe: Recipe, store: Store, pooled_index: pd.DataFrame | None, frames: Frames | None = None
) -> Affine | None:
    """Return how the hidden states of each utterance of a fold are normalised; None for not at all.

    Parameters
    ----------
    fold
        The fold's table.
    recipe
        Its `norm` and `norm_scope`.
    store
        Where hidden states are.
    pooled_index
        The index of pooled states, which tell mean and deviation; for `norm: znorm`.
    frames
        The states of the same utterances, of which the range is taken; for `norm: minmax`.
    """
    if recipe.norm == "nonorm":
        return None
    names = list(fold["utterance"])
    in_train = (fold["part"] == "train").tolist()
    measured, group = groups_of([str(speaker or "") for speaker in fold["speaker"]], in_train, recipe.norm_scope)
    if recipe.norm == "znorm":
        if pooled_index is None:
            raise ValueError("a normalisation by mean and deviation needs the index of pooled states")
        pooled, counts = read_pooled(pooled_index, names, store), frame_counts(pooled_index, names)
        return affine(*by_deviation(pooled, counts, measured), group)
    if frames is None:
        raise ValueError("a normalisation by range needs frames")
    return affine(*by_range(frames, measured), group)


def with_the_model(scaled: Affine | None, recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return offset and scale that go with the model: those of the training speakers, not those of each speaker."""
    if scaled is None or recipe.norm_scope != "train":
        return None
    return scaled.offset[0], scaled.scale[0]
