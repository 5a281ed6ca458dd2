"""Datasets as the workflow sees them: every known corpus, every entry of the config, with all choices made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from candor.config.datasets import Dataset as Entry
from candor.config.loading import ConfigError, refuse, refuse_key
from candor.config.project import SYNTHESISE
from candor.config.root import Config
from candor.corpora import registry
from candor.corpora.emotions import EMOTIONS
from candor.corpora.reader import CorpusError

TABLE = "table"
DEMO = "demo"


@dataclass(frozen=True)
class Dataset:
    """A dataset with all choices made.

    Parameters
    ----------
    name
        Its name, which is that of its folders.
    corpus
        The reader.
    key
        The entry of `data_dir` that says where the corpus is.
    raw
        The corpus folder, or None where `data_dir` does not say.
    synthesised
        Whether the workflow makes the corpus itself.
    choices
        The options of the manifest: label policy, classes, filter, parity, and those of the reader.
    folds, split_seed, parity
        The options of the splits.
    """

    name: str
    corpus: str
    key: str
    raw: Path | None
    synthesised: bool
    choices: Mapping[str, Any]
    folds: int
    split_seed: int
    parity: str | None


def resolve(config: Config) -> dict[str, Dataset]:
    """Return all datasets by name, whether or not their corpus is at hand.

    Raises
    ------
    ConfigError
        When an entry names a corpus, class or policy that does not exist.
    """
    corpora = registry.names()
    entries = {name: Entry() for name in corpora if name != TABLE} | dict(config.datasets)
    resolved = {name: _resolve_one(name, entry, config, corpora) for name, entry in sorted(entries.items())}
    keys = sorted({dataset.key for dataset in resolved.values()})
    for key in config.data_dir:
        if key not in keys:
            raise refuse_key(f"data_dir.{key}", keys)
    return resolved


def require(dataset: Dataset) -> None:
    """Raise unless the corpus of `dataset` is where the config says.

    Raises
    ------
    ConfigError
        One line with the key, the path and what was looked for inside it.
    """
    if dataset.synthesised:
        return
    if dataset.raw is None:
        layout = registry.load(dataset.corpus).CARD.layout
        raise ConfigError(f"config: data_dir.{dataset.key} is empty; set it to the folder that holds {layout}")
    try:
        registry.locate(dataset.raw, dataset.corpus)
    except CorpusError as error:
        raise ConfigError(f"config: data_dir.{dataset.key} is '{dataset.raw}'; {error}") from None
    file = dataset.choices["options"].get("file", "")
    if file and Path(file).anchor == "" and not next(dataset.raw.glob(file), None):
        raise ConfigError(f"config: datasets.{dataset.name}.table.file is {file!r}; there is none in '{dataset.raw}'")


def at_hand(datasets: Mapping[str, Dataset]) -> list[str]:
    """Return the names of the datasets whose corpus path is set."""
    return [name for name, dataset in datasets.items() if dataset.raw is not None]


def _corpus_of(name: str, entry: Entry) -> str:
    return entry.corpus or name


def _resolve_one(name: str, entry: Entry, config: Config, corpora: list[str]) -> Dataset:
    corpus = _corpus_of(name, entry)
    where = f"datasets.{name}"
    if corpus not in corpora:
        raise refuse(f"{where}.corpus", corpus, corpora)
    card = registry.load(corpus).CARD
    policy = entry.label_policy or card.policies[0]
    if policy not in card.policies:
        raise refuse(f"{where}.label_policy", policy, card.policies, f" for {corpus}")
    for emotion in [] if isinstance(entry.classes, str) else entry.classes:
        if emotion not in EMOTIONS:
            raise refuse(f"{where}.classes", emotion, EMOTIONS)
    for label, emotion in entry.table.labels.items() if entry.table else ():
        if emotion and emotion not in EMOTIONS:
            raise refuse(f"{where}.table.labels.{label}", emotion, EMOTIONS, " (empty would leave the label out)")
    if corpus == TABLE and entry.table is None:
        raise ConfigError(f"config: {where}.table is missing; it says which file holds the labels (table.file)")
    if corpus != TABLE and entry.table is not None:
        raise ConfigError(f"config: {where}.table is only for datasets whose corpus is 'table', not {corpus!r}")
    key = name if corpus == TABLE else corpus
    path = config.data_dir.get(key)
    synthesised = corpus == DEMO and path == SYNTHESISE
    own_splits = entry.splits.model_dump(exclude_unset=True) if entry.splits else {}
    splits = config.splits.model_copy(update=own_splits)
    return Dataset(
        name=name,
        corpus=corpus,
        key=key,
        raw=_raw(path, synthesised, config.project_dir),
        synthesised=synthesised,
        choices={
            "dataset": name,
            "corpus": corpus,
            "label_policy": policy,
            "classes": entry.classes if isinstance(entry.classes, str) else list(entry.classes),
            "filter": {column: sorted(values) for column, values in sorted(entry.filter.items())},
            "parity": entry.parity,
            "options": entry.table.model_dump() if entry.table else {},
        },
        folds=splits.folds,
        split_seed=splits.seed,
        parity=entry.parity,
    )


def _raw(path: str | None, synthesised: bool, project_dir: str) -> Path | None:
    if synthesised:
        return Path(project_dir).expanduser() / "corpora" / DEMO / "raw"
    return Path(path).expanduser() if path else None
