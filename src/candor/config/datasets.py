"""The key `datasets`: a corpus, a label policy, a choice of clips and a split scheme under one name."""

from typing import Literal

from pydantic import Field

from candor.config.section import Section
from candor.config.splits import Splits

ManifestColumn = Literal[
    "utterance",
    "path",
    "speaker",
    "gender",
    "session",
    "text",
    "label",
    "arousal",
    "valence",
    "dominance",
]
FilterColumn = Literal["speaker", "gender", "session", "text", "raw_label"]


class TableOptions(Section):
    """How to read your own corpus from a table, for datasets whose `corpus` is `table`."""

    file: str = Field(
        description="The table, below the dataset's `data_dir`: .csv, .tsv or .jsonl, with one row per clip.",
        examples=["labels.csv", "fold_1/train.jsonl"],
    )
    columns: dict[ManifestColumn, str] = Field(
        default={},
        description="Which column of the table holds what. What is not named here is looked for under its own name "
        "and, in .jsonl, under EmoBox's names (`key`, `wav` or `audio`, `spk`, `emo` or `label`).",
        examples=[{"path": "filename", "label": "emotion"}],
    )
    labels: dict[str, str] = Field(
        default={},
        description="Labels of the table on the left, emotions of the common code on the right, for spellings that "
        "are not known anyway. An empty right side leaves the label out.",
        examples=[{"wut": "anger", "langeweile": "boredom"}],
    )


class Dataset(Section):
    """One dataset. A known corpus is a dataset of its own name without an entry here."""

    corpus: str | None = Field(
        None,
        description="The corpus, a name of `data_dir`, or `table` for your own. Empty: the entry's own name.",
        examples=["crema_d", "table"],
    )
    label_policy: str | None = Field(
        None,
        description="Which of the corpus's labels counts, where it has several. Empty: the corpus's default.",
        examples=["voice"],
    )
    classes: Literal["default", "all"] | list[str] = Field(
        "default",
        description="`default` for the classes usual for the corpus, `all`, or a list of emotions of the common code.",
        examples=[["neutral", "anger", "sadness", "happiness"]],
    )
    filter: dict[FilterColumn, list[str]] = Field(
        default={},
        description="Keep only clips whose value in this column is one of these.",
        examples=[{"gender": ["female"]}],
    )
    parity: Literal["trust-ser"] | None = Field(
        None,
        description="Read and split exactly as that system does, its mistakes included, to reproduce its figures.",
    )
    splits: Splits | None = Field(
        None, description="Folds of this dataset. What is not said here is as in the top-level `splits`."
    )
    table: TableOptions | None = Field(None, description="How to read a corpus `table`.")
