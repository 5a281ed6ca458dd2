"""What the stage `models` hands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candor.tables.base import Column, Table

if TYPE_CHECKING:
    import pandas as pd


class Predictions(Table):
    """What the models of one fold say about its test speakers."""

    name = "predictions"
    version = 2
    path = "models/{dataset}/{backbone}/{recipe}/fold{fold}/predictions.tsv"
    description = "One row per test utterance and seed."
    key = ("utterance", "fold", "seed")
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("speaker", "Who speaks; blank where not known", blank=True),
        Column("gender", "female or male; blank where not known", blank=True),
        Column("session", "Recording session, dyad or podcast", blank=True),
        Column("fold", "Fold in which the utterance is tested", "integer"),
        Column("seed", "Seed of the training", "integer"),
        Column("label", "True emotion"),
        Column("predicted", "Emotion with the highest probability"),
        Column("p_*", "Probability of each emotion, one column per class in their order", "number"),
    )

    @staticmethod
    def classes(predictions: pd.DataFrame) -> list[str]:
        """Return the emotions that the models choose from, in their order."""
        return [name.removeprefix("p_") for name in predictions.columns if name.startswith("p_")]


class History(Table):
    """How the trainings of one fold went."""

    name = "history"
    path = "models/{dataset}/{backbone}/{recipe}/fold{fold}/history.tsv"
    description = "One row per seed and epoch. Test data has no part in it."
    key = ("seed", "epoch")
    columns = (
        Column("seed", "Seed of the training", "integer"),
        Column("epoch", "Epoch, from 1", "integer"),
        Column("train_loss", "Mean class-weighted cross-entropy over the epoch", "number", "nat"),
        Column("dev_loss", "The same on dev, after the epoch", "number", "nat"),
        Column("dev_uar", "UAR on dev, after the epoch", "number"),
        Column("selected", "yes for the epoch that is kept"),
    )


CHECKPOINT = "models/{dataset}/{backbone}/{recipe}/fold{fold}/seed{seed}.safetensors"
"""A trained head: the tensors, and in the file's metadata the classes and the recipe."""

RECIPE = "models/{dataset}/{backbone}/{recipe}/fold{fold}/recipe.json"
"""Everything that a fold's models were made of: recipe, selected epochs, hashes of inputs, versions."""
