"""The key `datasets`: a corpus, a label policy, a choice of clips and a split scheme under one name."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section
from candor.config.splits import Splits

ManifestColumn = Literal[
    "utterance",
    "path",
    "speaker",
    "gender",
    "session",
    "scenario",
    "text",
    "language",
    "age",
    "race",
    "ethnicity",
    "split",
    "label",
    "arousal",
    "valence",
    "dominance",
]
FilterColumn = Literal["speaker", "gender", "session", "scenario", "text", "language", "split", "raw_label"]


class TableOptions(Section):
    """How to read your own corpus from a table, for datasets whose `corpus` is `table`."""

    file: str = Field(
        description="The table, inside the dataset's `data_dir`: .csv, .tsv or .jsonl, with one row per clip. A "
        "pattern with `*`, `?` or `**` takes all files that match; a clip that several of them list alike counts once.",
        examples=["labels.csv", "fold_1/*.jsonl"],
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


DatasetNames = Annotated[list[str], Field(min_length=1)]


class Dataset(Section):
    """One dataset. A known corpus is a dataset of its own name without an entry here."""

    corpus: str | None = Field(
        None,
        description="A known corpus, or `table` or `folder` for recordings of your own, whose path then goes by the "
        "name of this entry in `data_dir`. Empty: the entry's own name.",
        examples=["crema_d", "msp-improv", "table", "folder"],
    )
    pred: Literal["emotion", "arousal", "valence"] = Field(
        "emotion",
        description="What is predicted. With `arousal` or `valence` every clip with that rating takes part, whatever "
        "its emotion, unless `classes` names some.",
    )
    label_policy: str | None = Field(
        None,
        description="Which of the corpus's labels counts, where it has several. Empty: the corpus's default.",
        examples=["voice"],
    )
    classes: Literal["default", "all"] | Annotated[list[str], Field(json_schema_extra={"minItems": 1})] = Field(
        "default",
        description="`default` for the classes usual for the corpus, `all`, or a list of emotions of the common code. "
        "With `train_on` and `test_on`: `default` for the classes that all of these datasets have, `all` for those "
        "that are on both sides, though not in every dataset.",
        examples=[["neutral", "anger", "sadness", "happiness"]],
    )
    filter: dict[FilterColumn, Annotated[list[str], Field(min_length=1)]] = Field(
        default={},
        description="Keep only clips whose value in this column is one of these.",
        examples=[{"gender": ["female"]}, {"scenario": ["impro"]}],
    )
    parity: Literal["trust-ser", "fed-ser-leakage"] | None = Field(
        None,
        description="Read and split exactly as that system does, its mistakes included, to reproduce its figures. "
        "For the corpora that it reads: `candor corpora NAME` names the systems.",
    )
    splits: Splits | None = Field(
        None, description="Splits of this dataset. What is not said here is as in the top-level `splits`."
    )
    table: TableOptions | None = Field(None, description="How to read a corpus `table`.")
    train_on: DatasetNames = Field(
        default=[],
        description="For an evaluation across corpora: the datasets that are trained on, a fifth of whose speakers "
        "selects. Together with `test_on`, and with no other keys than `classes` and `splits.seed`.",
        examples=[["emodb"], ["crema_d", "iemocap"]],
    )
    test_on: DatasetNames = Field(
        default=[],
        description="For an evaluation across corpora: the datasets that are tested, all clips of them.",
        examples=[["ravdess"]],
    )

    @field_validator("classes")
    @classmethod
    def _some_class(cls, classes: str | list[str]) -> str | list[str]:
        # Not a bound of the list, whose message would be that of the literal beside it.
        if not classes:
            raise PydanticCustomError("empty", "name at least one emotion, or write 'default' or 'all'")
        return classes
