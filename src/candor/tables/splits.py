"""What the stage `splits` hands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candor.tables.base import Column, Table

if TYPE_CHECKING:
    import pandas as pd


class FoldTable(Table):
    """One fold of a dataset."""

    name = "fold"
    version = 2
    path = "splits/{dataset}/fold{fold}.tsv"
    description = "One row per utterance of the fold and the part that it belongs to; those set aside are not in it."
    key = ("utterance",)
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("speaker", "Who speaks; blank where not known", blank=True),
        Column("gender", "female or male; blank where not known", blank=True),
        Column("session", "Recording session, dyad or podcast", blank=True),
        Column("label", "True emotion; blank only where ratings are predicted", blank=True),
        Column("value", "The rating that is predicted, with `pred: arousal` or `valence`", "number", blank=True),
        Column("part", "train, dev or test"),
    )


class SplitOverview(Table):
    """All folds of a dataset at a glance."""

    name = "splits"
    version = 2
    path = "splits/{dataset}/overview.tsv"
    description = "One row per fold and part: how many of what are in it, and what is missing."
    key = ("fold", "part")
    columns = (
        Column("fold", "Fold", "integer"),
        Column("part", "train, dev, test, or aside for what has no part in the fold"),
        Column("speakers", "Speakers who are known", "integer"),
        Column("speakers_in_train", "Of these, how many are also in train; 0 for disjoint folds", "integer"),
        Column("sessions", "Sessions, where the corpus has any", "integer"),
        Column("female", "Female speakers", "integer"),
        Column("male", "Male speakers", "integer"),
        Column("utterances", "Utterances", "integer"),
        Column("n_*", "Utterances of each class", "integer"),
        Column(
            "warning",
            "What this part shares with train, what it lacks, and what is not known of its clips",
            blank=True,
        ),
    )

    @staticmethod
    def speakers_in_train(overview: pd.DataFrame) -> int:
        """Return how many speakers are tested by a model that was trained on them."""
        return int(overview.loc[overview["part"] == "test", "speakers_in_train"].sum())


TRUST_SER_JSON = "splits/{dataset}/fold{fold}.json"
"""The same fold in trust-ser's format: `{"train": [[key, speaker, gender, path, label], …], "dev": …}`."""
