"""What the stage `models` hands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candor.tables.base import Column, Table

if TYPE_CHECKING:
    import pandas as pd

_WHO = (
    Column("utterance", "Name of the utterance"),
    Column("speaker", "Who speaks; blank where not known", blank=True),
    Column("gender", "female or male; blank where not known", blank=True),
    Column("session", "Recording session, dyad or podcast", blank=True),
    Column("fold", "Fold in which the utterance is tested", "integer"),
    Column("seed", "Seed of the training", "integer"),
)


class Predictions(Table):
    """What the models of one fold say about its test speakers."""

    name = "predictions"
    version = 2
    path = "models/{dataset}/{backbone}/{recipe}/fold{fold}/predictions.tsv"
    description = "One row per test utterance and seed, of datasets that predict emotion."
    key = ("utterance", "fold", "seed")
    columns = (
        *_WHO,
        Column("label", "True emotion"),
        Column("predicted", "Emotion with the highest probability"),
        Column("p_*", "Probability of each emotion, one column per class in their order", "number"),
    )

    @staticmethod
    def classes(predictions: pd.DataFrame) -> list[str]:
        """Return the emotions that the models choose from, in their order."""
        return [name.removeprefix("p_") for name in predictions.columns if name.startswith("p_")]


class RatingPredictions(Table):
    """What the models of one fold say about how its test speakers are rated."""

    name = "rating_predictions"
    path = "models/{dataset}/{backbone}/{recipe}/fold{fold}/predictions.tsv"
    description = "One row per test utterance and seed, of datasets that predict arousal or valence."
    key = ("utterance", "fold", "seed")
    columns = (
        *_WHO,
        Column("value", "Mean rating by the listeners, on the corpus's own scale", "number"),
        Column("predicted", "Rating that the model foretells, on the same scale", "number"),
    )


def predictions_table(pred: str) -> type[Predictions] | type[RatingPredictions]:
    """Return the table of test predictions of a dataset, by what it predicts."""
    return Predictions if pred == "emotion" else RatingPredictions


class History(Table):
    """How the trainings of one fold went."""

    name = "history"
    version = 2
    path = "models/{dataset}/{backbone}/{recipe}/fold{fold}/history.tsv"
    description = "One row per seed and epoch. Test data has no part in it."
    key = ("seed", "epoch")
    columns = (
        Column("seed", "Seed of the training", "integer"),
        Column("epoch", "Epoch, from 1", "integer"),
        Column("learning_rate", "Learning rate of the head in this epoch", "number"),
        Column("train_loss", "Mean over the epoch of class-weighted cross-entropy in nat, or of 1 − CCC", "number"),
        Column("dev_loss", "The same on dev, after the epoch", "number"),
        Column("dev_score", "UAR or CCC on dev, after the epoch", "number"),
        Column("selected", "yes for the epoch that is kept"),
    )


class LayerWeights(Table):
    """Which layers of the backbone the models of one fold listen to."""

    name = "layer_weights"
    path = "models/{dataset}/{backbone}/{recipe}/fold{fold}/layers.tsv"
    description = "One row per seed and layer; the weights of a model sum to one."
    key = ("seed", "layer")
    columns = (
        Column("seed", "Seed of the training", "integer"),
        Column("layer", "Layer of the backbone, from 0, its lowest hidden states", "integer"),
        Column("weight", "Its weight in the selected epoch", "number"),
    )


class TrainingTiming(Table):
    """How long the trainings of one fold took."""

    name = "training_timing"
    path = "models/{dataset}/{backbone}/{recipe}/fold{fold}/training.timing.tsv"
    description = "One row per seed: the last run of the job. What a killed job had done before is not in it."
    key = ("seed",)
    columns = (
        Column("seed", "Seed of the training", "integer"),
        Column("epochs", "Epochs that it has", "integer"),
        Column(
            "epochs_run",
            "Those that were run in this job; fewer where it took up what a killed one had left",
            "integer",
        ),
        Column("seconds", "How long these took, scores on dev included", "number", "s"),
        Column("device", "What they were run on"),
    )


CHECKPOINT = "models/{dataset}/{backbone}/{recipe}/fold{fold}/seed{seed}.safetensors"
"""A trained head: the tensors, and in the file's metadata the classes, the recipe and the backbone."""

RECIPE = "models/{dataset}/{backbone}/{recipe}/fold{fold}/recipe.json"
"""Everything that a fold's models were made of: recipe, selected epochs, hashes of inputs, versions."""

CURVES_FIGURE = "models/{dataset}/{backbone}/{recipe}/curves.png"
"""Losses and dev scores over the epochs, of all folds and seeds."""

LAYERS_FIGURE = "models/{dataset}/{backbone}/{recipe}/layers.png"
"""Weights of the backbone's layers, over folds and seeds."""
