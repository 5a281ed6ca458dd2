"""What a fold's trainings are given that tune the backbone."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from candor.backbones.interface import Backbone
from candor.features.clips import clips_of
from candor.features.extraction import Way
from candor.features.job import Job
from candor.models.inputs import AudioInputs
from candor.models.networks import AudioNetwork, FrameNetwork
from candor.models.prepare import Prepared
from candor.models.recipe import Recipe
from candor.models.tuning import make_trainable

if TYPE_CHECKING:
    import pandas as pd


def from_audio(
    fold: pd.DataFrame, audio: pd.DataFrame, backbone: Backbone, recipe: Recipe, source: Job, way: Way
) -> Prepared:
    """Return what trainings on audio take.

    Parameters
    ----------
    fold
        The fold's table.
    audio
        The audio index.
    backbone
        As it was before any training; it stays so.
    recipe
        How to train.
    source, way
        The backbone as the config has it, and how it is run.
    """
    clips = clips_of(fold, audio, source.seconds)

    def make(outputs: int) -> AudioNetwork:
        tuned = copy.deepcopy(backbone)
        make_trainable(tuned, recipe, source.name)
        return AudioNetwork(tuned, FrameNetwork(tuned.layers, tuned.dimensions, outputs, recipe), way.precision)

    return Prepared("audio", AudioInputs(clips, source.store), make, backbone.layers, backbone.dimensions)
