"""What the stage `models` hands on."""

from candor.tables.base import Column, Table


class Predictions(Table):
    """What the models of one fold say about its test speakers."""

    name = "predictions"
    path = "models/{dataset}/{backbone}/{recipe}/fold{fold}/predictions.tsv"
    description = "One row per test utterance and seed."
    key = ("utterance", "fold", "seed")
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("speaker", "Who speaks"),
        Column("gender", "female or male; blank where not known", blank=True),
        Column("fold", "Fold in which the utterance is tested", "integer"),
        Column("seed", "Seed of the training", "integer"),
        Column("label", "True emotion"),
        Column("predicted", "Emotion with the highest probability"),
        Column("p_*", "Probability of each emotion, one column per class in their order", "number"),
    )
