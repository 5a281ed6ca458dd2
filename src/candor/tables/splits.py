"""What the stage `splits` hands on."""

from candor.tables.base import Column, Table


class FoldTable(Table):
    """One fold of a dataset."""

    name = "fold"
    path = "splits/{dataset}/fold{fold}.tsv"
    description = "One row per utterance: the part of the fold that it belongs to."
    key = ("utterance",)
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("speaker", "Who speaks"),
        Column("gender", "female or male; blank where not known", blank=True),
        Column("label", "True emotion"),
        Column("part", "train, dev or test"),
    )


class SplitOverview(Table):
    """All folds of a dataset at a glance."""

    name = "splits"
    path = "splits/{dataset}/overview.tsv"
    description = "One row per fold and part: how many of what are in it, and what is missing."
    key = ("fold", "part")
    columns = (
        Column("fold", "Fold", "integer"),
        Column("part", "train, dev or test"),
        Column("speakers", "Speakers", "integer"),
        Column("female", "Female speakers", "integer"),
        Column("male", "Male speakers", "integer"),
        Column("utterances", "Utterances", "integer"),
        Column("n_*", "Utterances of each class", "integer"),
        Column("warning", "Classes and genders that are missing from this part", blank=True),
    )


TRUST_SER_JSON = "splits/{dataset}/fold{fold}.json"
"""The same fold in trust-ser's format: `{"train": [[key, speaker, gender, path, label], …], "dev": …}`."""
