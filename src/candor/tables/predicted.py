"""What `candor predict` says about recordings that belong to no dataset."""

from candor.tables.base import Column, Table

_FILE = Column("file", "The recording, as it was named")
_HEARD = Column("heard", "How much of its beginning the models were given", "number", "s")
_MODELS = Column("models", "How many models were averaged", "integer")


class FilePredictions(Table):
    """What models say about the emotion in recordings."""

    name = "file_predictions"
    path = "predictions.tsv, or whatever --output says"
    description = "One row per recording, from `candor predict` with models of emotion."
    key = ("file",)
    columns = (
        _FILE,
        _HEARD,
        Column("predicted", "Emotion with the highest probability"),
        _MODELS,
        Column("agreeing", "How many of them give that emotion the highest probability on their own", "integer"),
        Column("p_*", "Mean over the models of the probability of each emotion, one column per class", "number"),
    )


class FileRatings(Table):
    """What models say about how recordings would be rated."""

    name = "file_ratings"
    path = "predictions.tsv, or whatever --output says"
    description = "One row per recording, from `candor predict` with models of arousal or valence."
    key = ("file",)
    columns = (
        _FILE,
        _HEARD,
        Column("predicted", "Mean of the models' ratings, on the scale of the corpus they were trained on", "number"),
        _MODELS,
        Column("sd", "Standard deviation of their ratings; blank for a single model", "number", blank=True),
    )
