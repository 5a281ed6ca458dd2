"""What a fold's trainings on pooled hidden states are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from candor.features.reading import read_pooled
from candor.models.inputs import PooledInputs
from candor.models.linear import PooledNetwork
from candor.models.prepare import Prepared, normalisation_of
from candor.models.recipe import Recipe
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


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
    if recipe.downstream_model != "linear":
        raise ValueError(f"a {recipe.downstream_model} head reads frames, not pooled states")
    pooled = torch.from_numpy(read_pooled(index, list(fold["utterance"]), store))
    if recipe.norm == "minmax":
        raise ValueError("the range of hidden states is that of frames, not of pooled states")
    if (scaled := normalisation_of(fold, recipe, store, index)) is not None:
        pooled = scaled.on_pooled(pooled)
    layers, dimensions = pooled.shape[1], pooled.shape[3]
    in_train = torch.tensor((fold["part"] == "train").to_numpy())

    def make(outputs: int) -> PooledNetwork:
        network = PooledNetwork(layers, dimensions, outputs, recipe.pooling)
        network.standardise_by(pooled[in_train])
        return network

    return Prepared("pooled", PooledInputs(pooled), make, layers, dimensions)
