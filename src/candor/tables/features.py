"""What the stage `features` hands on."""

from candor.tables.base import Column, Table


class FeatureIndex(Table):
    """Where an utterance's pooled features are."""

    name = "features"
    path = "features/{dataset}/{backbone}/index.tsv"
    description = (
        "One row per utterance. A member of the store is a NumPy array [utterances, layers, statistics, dimensions] "
        "with the statistics mean and standard deviation over time."
    )
    key = ("utterance",)
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("member", "Member of the store that holds it"),
        Column("row", "Which row of that member", "integer"),
        Column("frames", "Frames that were pooled", "integer"),
    )


IDENTITY = "features/{dataset}/{backbone}/identity.json"
"""The backbone, its options and versions: what the features depend on besides the audio."""
