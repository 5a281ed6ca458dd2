"""What a fold's trainings on a frozen backbone are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from candor.features.reading import Frames, frame_counts, read_pooled
from candor.models.inputs import FrameInputs, Inputs, PooledInputs
from candor.models.networks import FrameNetwork, PooledNetwork
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


def from_pooled(fold: pd.DataFrame, index: pd.DataFrame, store: Store, recipe: Recipe) -> Prepared:
    """Return what trainings on pooled states take.

    Parameters
    ----------
    fold
        The fold's table.
    index
        The index of pooled states.
    store
        Where they are.
    recipe
        How to train.
    """
    pooled = torch.from_numpy(read_pooled(index, list(fold["utterance"]), store))
    scaled = _by_pooled(fold, index, store, recipe) if recipe.norm == "znorm" else None
    if scaled is not None:
        pooled = scaled.on_pooled(pooled)
    layers, dimensions = pooled.shape[1], pooled.shape[3]
    in_train = torch.tensor((fold["part"] == "train").to_numpy())

    def make(outputs: int) -> PooledNetwork:
        network = PooledNetwork(layers, dimensions, outputs, recipe.pooling)
        network.standardise_by(pooled[in_train])
        return network

    return Prepared("pooled", PooledInputs(pooled), make, layers, dimensions, _with_the_model(scaled, recipe))


def from_frames(
    fold: pd.DataFrame, index: pd.DataFrame, pooled_index: pd.DataFrame, store: Store, recipe: Recipe
) -> Prepared:
    """Return what trainings on frames take.

    Parameters
    ----------
    fold
        The fold's table.
    index, pooled_index
        The indexes of frames and of pooled states.
    store
        Where they are.
    recipe
        How to train.
    """
    frames = Frames(index, list(fold["utterance"]), store)
    scaled: Affine | None = None
    if recipe.norm == "znorm":
        scaled = _by_pooled(fold, pooled_index, store, recipe)
    elif recipe.norm == "minmax":
        measured, group = _groups(fold, recipe)
        scaled = affine(*by_range(frames, measured), group)

    def make(outputs: int) -> FrameNetwork:
        return FrameNetwork(frames.layers, frames.dimensions, outputs, recipe)

    inputs = FrameInputs(frames, scaled)
    return Prepared("frames", inputs, make, frames.layers, frames.dimensions, _with_the_model(scaled, recipe))


def _by_pooled(fold: pd.DataFrame, index: pd.DataFrame, store: Store, recipe: Recipe) -> Affine:
    names = list(fold["utterance"])
    measured, group = _groups(fold, recipe)
    return affine(*by_deviation(read_pooled(index, names, store), frame_counts(index, names), measured), group)


def _groups(fold: pd.DataFrame, recipe: Recipe) -> tuple[list[list[int]], list[int]]:
    in_train = (fold["part"] == "train").tolist()
    return groups_of([str(speaker or "") for speaker in fold["speaker"]], in_train, recipe.norm_scope)


def _with_the_model(scaled: Affine | None, recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor] | None:
    if scaled is None or recipe.norm_scope != "train":
        return None
    return scaled.offset[0], scaled.scale[0]
