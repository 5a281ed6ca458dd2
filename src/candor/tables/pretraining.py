"""What a pretraining tells of itself."""

from __future__ import annotations

from candor.tables.base import Column, Table


class Pretraining(Table):
    """How the pretraining of a backbone went."""

    name = "pretraining"
    path = "backbones/{backbone}/pretraining.tsv"
    description = (
        "One row per epoch; row 0 is the network before training. Losses are mean absolute differences between "
        "true and foretold log-mel values, each bin scaled to deviation 1 over its clip."
    )
    key = ("epoch",)
    columns = (
        Column("epoch", "Passes over the training audio so far", "integer"),
        Column("train_loss", "Loss over the epoch, while training and so with dropout", "number", "sd", blank=True),
        Column("held_out_loss", "Loss after the epoch on speakers that are not trained on", "number", "sd"),
        Column("copy_loss", "Loss of repeating the last frame seen, on the same frames", "number", "sd"),
        Column("learning_rate", "Learning rate of the epoch's last step", "number", blank=True),
        Column("selected", "yes for the epoch whose weights are kept, that with the lowest held-out loss"),
    )


class PretrainingSpeakers(Table):
    """Whom a backbone has heard before any recipe is trained on it."""

    name = "pretraining_speakers"
    path = "backbones/{backbone}/speakers.tsv"
    description = "One row per speaker of the audio that a backbone was pretrained on here."
    key = ("dataset", "speaker")
    columns = (
        Column("dataset", "Dataset that was listened to"),
        Column("speaker", "Who speaks; blank for all clips whose speaker is not known", blank=True),
        Column("utterances", "Clips of the speaker", "integer"),
        Column("part", "trained, held out, or both where clips and not speakers had to be held out"),
    )


LOSS_FIGURE = "backbones/{backbone}/pretraining.png"
"""Losses over the epochs, beside that of copying."""
