"""What a fold's trainings on the hidden states of every frame are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candor.features.reading import Frames
from candor.models.inputs import FrameInputs
from candor.models.networks import FrameNetwork
from candor.models.prepare import Prepared, normalisation_of, with_the_model
from candor.models.recipe import Recipe
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


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
    scaled = normalisation_of(fold, recipe, store, pooled_index, frames)

    def make(outputs: int) -> FrameNetwork:
        return FrameNetwork(frames.layers, frames.dimensions, outputs, recipe)

    inputs = FrameInputs(frames, scaled)
    return Prepared("frames", inputs, make, frames.layers, frames.dimensions, with_the_model(scaled, recipe))
