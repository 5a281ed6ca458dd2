"""Datasets as the workflow sees them: every known corpus, every entry of the config, with all choices made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from candor.config.datasets import Dataset as Entry
from candor.config.loading import ConfigError, refuse, refuse_key
from candor.config.project import DIGITS, SYNTHESISE
from candor.config.root import Config
from candor.corpora import registry
from candor.corpora.emotions import EMOTIONS
from candor.corpora.reader import CorpusError
from candor.plan.cross_corpus import check_entry, is_joined, parts_of
from candor.plan.splits import Plan, plan_joined, plan_splits

Value = TypeVar("Value")

TABLE, FOLDER = "table", "folder"
OWN = (TABLE, FOLDER)
"""Readers of people's own corpora, whose paths go by the names of their datasets."""

NOTHING = "nothing"
UNLABELLED = "demo_unlabelled"
SYNTHESISED = ("demo", UNLABELLED)
"""What the workflow can make itself."""


@dataclass(frozen=True)
class Dataset:
    """A dataset with all choices made.

    Parameters
    ----------
    name
        Its name, which is that of its folders.
    corpus
        The reader; blank for a cross-corpus dataset.
    key
        The entry of `data_dir` that says where the corpus is; blank for a cross-corpus dataset.
    raw
        The corpus folder, or None where `data_dir` does not say, and for a cross-corpus dataset.
    synthesised
        Whether the workflow makes the corpus itself.
    pred
        What is predicted: ``emotion``, ``arousal``, ``valence``, or ``nothing`` where there are no labels.
    choices
        The options of the manifest: label policy, classes, filter, parity, and those of the reader.
    splits
        How it is split: scheme, number of folds, seed and so on.
    alias
        The same name with hyphens, where the corpus is also written so.
    train_on, test_on
        For a cross-corpus dataset, those that it is joined from.
    """

    name: str
    corpus: str
    key: str
    raw: Path | None
    synthesised: bool
    pred: str
    choices: Mapping[str, Any]
    splits: Plan
    alias: str = ""
    train_on: tuple[Dataset, ...] = ()
    test_on: tuple[Dataset, ...] = ()

    @property
    def parts(self) -> tuple[Dataset, ...]:
        """Return the datasets that a cross-corpus one is joined from; none for the others."""
        return (*self.train_on, *self.test_on)

    @property
    def folds(self) -> int:
        """Return the number of folds; 0 where neither config nor corpus says how many."""
        options = self.splits.options
        return int(options["folds"] * (options["text_folds"] if options["scheme"] == "texts" else 1))


def resolve(config: Config) -> dict[str, Dataset]:
    """Return all datasets by name, whether or not their corpus is at hand.

    Raises
    ------
    ConfigError
        When an entry names a corpus, class or policy that does not exist.
    """
    corpora = registry.names()
    paths = _by_corpus_name("data_dir", config.data_dir, corpora)
    own = _by_corpus_name("datasets", config.datasets, corpora)
    if DIGITS in own:
        raise ConfigError(
            f"config: datasets.{DIGITS} has the name under which handwritten digits are federated; give it another one"
        )
    known = {name: Entry() for name in corpora if name not in OWN} | {UNLABELLED: Entry(corpus=FOLDER)}
    entries = dict(sorted((known | own).items()))
    joined = {name: entry for name, entry in entries.items() if is_joined(entry)}
    read = {
        name: _resolve_one(name, entry, config, paths, corpora) for name, entry in entries.items() if name not in joined
    }
    keys = sorted({DIGITS, *(dataset.key for dataset in read.values())})
    for key, path in paths.items():
        # An empty path asks for nothing: an entry of another file, dropped with `false`, may have left it behind.
        if key not in keys and path is not None:
            raise refuse_key(f"data_dir.{key}", keys)
    across = {name: _resolve_joined(name, entry, config, read, joined) for name, entry in joined.items()}
    return {name: across[name] if name in across else read[name] for name in entries}


def require(dataset: Dataset, *, splits: bool = False) -> None:
    """Raise unless the corpus of `dataset` is where the config says.

    Parameters
    ----------
    dataset
        The dataset.
    splits
        Whether its folds are needed too.

    Raises
    ------
    ConfigError
        One line with the key, the path and what was looked for inside it.
    """
    if splits and dataset.splits.problem:
        raise ConfigError(dataset.splits.problem)
    if dataset.parts:
        _require_parts(dataset)
        return
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
    """Return the names of the datasets whose corpus path is set, of cross-corpus ones all paths."""
    return [
        name for name, dataset in datasets.items() if all(part.raw is not None for part in dataset.parts or (dataset,))
    ]


def _corpus_name(name: str, corpora: Collection[str]) -> str:
    """Return the reader's name for a corpus that may be written with hyphens, as the corpora's authors do."""
    spelled = name.replace("-", "_")
    return spelled if spelled in corpora else name


def _by_corpus_name(key: str, entries: Mapping[str, Value], corpora: Collection[str]) -> dict[str, Value]:
    """Return entries under the readers' names of their corpora."""
    renamed: dict[str, Value] = {}
    spelled: dict[str, str] = {}
    for name, entry in entries.items():
        own = _corpus_name(name, corpora)
        # An empty path, as the shipped config has them, gives way to one that is set.
        if entry is None and own in renamed:
            continue
        if renamed.get(own) is not None:
            raise ConfigError(f"config: {key}.{name} is there twice, as {key}.{spelled[own]} as well; keep one of them")
        renamed[own], spelled[own] = entry, name
    return renamed


def _resolve_one(
    name: str, entry: Entry, config: Config, paths: Mapping[str, str | None], corpora: Collection[str]
) -> Dataset:
    corpus = _corpus_name(entry.corpus or name, corpora)
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
    for asked in ("pred", "classes", "label_policy", "splits") if not card.labelled else ():
        if asked in entry.model_fields_set:
            raise ConfigError(f"config: {where}.{asked} does nothing, as a {corpus} has no labels; leave it out")
    if entry.pred != "emotion" and corpus != TABLE and entry.pred not in card.dimensions:
        raise refuse(f"{where}.pred", entry.pred, ("emotion", *card.dimensions), f", which {corpus} does not rate")
    if entry.parity and not card.parities:
        raise ConfigError(f"config: {where}.parity is {entry.parity!r}; leave it out, as {corpus} has only one reading")
    if entry.parity and entry.parity not in card.parities:
        raise refuse(f"{where}.parity", entry.parity, card.parities, f" for {corpus}")
    key = name if corpus in OWN else corpus
    path = paths.get(key)
    synthesised = key in SYNTHESISED and path == SYNTHESISE
    pred = entry.pred if card.labelled else NOTHING
    return Dataset(
        name=name,
        corpus=corpus,
        key=key,
        raw=_raw(key, path, synthesised, config.project_dir),
        synthesised=synthesised,
        pred=pred,
        choices={
            "dataset": name,
            "corpus": corpus,
            "pred": pred,
            "label_policy": policy,
            "classes": entry.classes if isinstance(entry.classes, str) else list(entry.classes),
            "filter": {column: sorted(values) for column, values in sorted(entry.filter.items())},
            "parity": entry.parity,
            "options": entry.table.model_dump() if entry.table else {},
        },
        splits=plan_splits(name, entry, config.splits, card) if card.labelled else Plan({"scheme": "", "folds": 0}),
        alias=name.replace("_", "-") if name in corpora and "_" in name else "",
    )


def _resolve_joined(
    name: str, entry: Entry, config: Config, read: Mapping[str, Dataset], joined: Collection[str]
) -> Dataset:
    corpora = registry.names()
    check_entry(name, entry, corpora)
    train_on, test_on = parts_of(
        name,
        [_corpus_name(part, corpora) for part in entry.train_on],
        [_corpus_name(part, corpora) for part in entry.test_on],
        read,
        joined,
    )
    sides = [*((part, "train") for part in train_on), *((part, "test") for part in test_on)]
    return Dataset(
        name=name,
        corpus="",
        key="",
        raw=None,
        synthesised=False,
        pred="emotion",
        choices={
            "parts": [{"name": part.name, "key": part.key, "side": side} for part, side in sides],
            "classes": entry.classes if isinstance(entry.classes, str) else list(entry.classes),
        },
        splits=plan_joined(
            name, entry, config.splits, [part.name for part in train_on if registry.load(part.corpus).CARD.dyads]
        ),
        train_on=train_on,
        test_on=test_on,
    )


def _require_parts(dataset: Dataset) -> None:
    for part in dataset.parts:
        try:
            require(part)
        except ConfigError as error:
            raise ConfigError(f"{error}; datasets.{dataset.name} needs it") from None


def _raw(key: str, path: str | None, synthesised: bool, project_dir: str) -> Path | None:
    if synthesised:
        return Path(project_dir).expanduser() / "corpora" / key / "raw"
    return Path(path).expanduser() if path else None
