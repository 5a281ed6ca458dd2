"""Datasets for evaluation across corpora: which datasets they are joined from, and what cannot be joined."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from candor.config.loading import ConfigError, refuse
from candor.corpora.emotions import EMOTIONS

if TYPE_CHECKING:
    from candor.config.datasets import Dataset as Entry
    from candor.plan.datasets import Dataset

OWN_KEYS = ("train_on", "test_on", "classes", "splits")
"""What such an entry may say; everything else is said of the datasets that it names."""


def is_joined(entry: Entry) -> bool:
    """Tell whether an entry of the config is an evaluation across corpora."""
    return bool(entry.train_on or entry.test_on)


def check_entry(name: str, entry: Entry, corpora: Collection[str]) -> None:
    """Raise unless a cross-corpus entry says what it must, and nothing that would have no effect.

    Parameters
    ----------
    name, entry
        The dataset, and what the config says of it.
    corpora
        The names of the known corpora, which are datasets of their own.
    """
    where = f"config: datasets.{name}"
    if name in corpora:
        raise ConfigError(f"{where} has train_on and test_on, but {name} is a corpus; give the entry another name")
    for given, missing in (("train_on", "test_on"), ("test_on", "train_on")):
        if not getattr(entry, missing):
            raise ConfigError(f"{where}.{missing} is missing; {given} is of use only together with it")
    if entry.pred != "emotion":
        raise ConfigError(
            f"{where}.pred is {entry.pred!r}; across corpora only 'emotion' can be predicted, as each corpus rates on "
            "a scale of its own"
        )
    for key in sorted(entry.model_fields_set - {*OWN_KEYS, "pred"}):
        raise ConfigError(f"{where}.{key} does nothing beside train_on; say it of a dataset that train_on names")
    for emotion in [] if isinstance(entry.classes, str) else entry.classes:
        if emotion not in EMOTIONS:
            raise refuse(f"datasets.{name}.classes", emotion, EMOTIONS)


def parts_of(
    name: str, train_on: Sequence[str], test_on: Sequence[str], datasets: Mapping[str, Dataset], joined: Collection[str]
) -> tuple[tuple[Dataset, ...], tuple[Dataset, ...]]:
    """Return the datasets that are trained on and those that are tested.

    Parameters
    ----------
    name
        The cross-corpus dataset.
    train_on, test_on
        The names that it gives.
    datasets
        All datasets that are read from a corpus.
    joined
        The names of the cross-corpus datasets.
    """
    emotional = [known for known, dataset in datasets.items() if dataset.pred == "emotion"]
    seen: dict[str, str] = {}
    for key, names in (("train_on", train_on), ("test_on", test_on)):
        where = f"datasets.{name}.{key}"
        for part in names:
            if part in joined:
                raise ConfigError(f"config: {where} names {part}, which is cross-corpus itself; name what it names")
            if part not in datasets:
                raise refuse(where, part, emotional)
            if part not in emotional:
                pred = datasets[part].pred
                why = "has no labels" if pred == "nothing" else f"predicts {pred}, for which scales differ by corpus"
                raise ConfigError(f"config: {where} names {part}, which {why}; name datasets of emotions")
            if part in seen:
                also = f"in {seen[part]} as well" if seen[part] != key else "twice"
                raise ConfigError(f"config: {where} names {part}, which is there {also}; name each dataset once")
            seen[part] = key
    return tuple(datasets[part] for part in train_on), tuple(datasets[part] for part in test_on)
