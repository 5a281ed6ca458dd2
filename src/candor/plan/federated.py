"""Which federations are run on which dataset, with the features of which backbone, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from candor.config.federated import FederatedRun
from candor.config.loading import ConfigError, refuse
from candor.config.project import DIGITS
from candor.config.root import Config
from candor.plan.systems import span_name
from candor.plan.targets import offered

if TYPE_CHECKING:
    from candor.plan.datasets import Dataset

FOLDS_OF_DIGITS = 5
"""Of scikit-learn's; MNIST comes with a test set of its own."""

OF_MNIST = ("train-images", "train-labels", "t10k-images", "t10k-labels")
"""How the names of MNIST's four files begin."""


@dataclass(frozen=True)
class Run:
    """An entry of `federated` on one dataset, and on the features of one backbone where it learns from features.

    Parameters
    ----------
    dataset
        Its name; `digits` for handwritten digits.
    name
        That of the run and its folder.
    entry
        The entry of `federated`.
    variant
        The entry and, where that has several budgets, the one of this run: two runs with the same variant differ in
        their features alone.
    settings
        What the entry says, with one budget.
    backbone, span
        Whose features of how much of each clip; blank for digits.
    folds
        How many there are.
    """

    dataset: str
    name: str
    entry: str
    variant: str
    settings: FederatedRun
    backbone: str
    span: str
    folds: int

    @property
    def reads_frames(self) -> bool:
        """Whether it learns from the hidden states of every frame, not only from pooled ones."""
        return bool(self.backbone) and self.settings.downstream_model == "cnn"

    @property
    def hears_noise(self) -> bool:
        """Whether clients' audio is noised, and their features are made anew."""
        return bool(self.settings.faults.microphone_noise)


Runs = Mapping[str, Mapping[str, Run]]
"""All runs, by dataset and name."""


def runs(config: Config, datasets: Mapping[str, Dataset]) -> Runs:
    """Return all federations that there are, by dataset and name.

    Raises
    ------
    ConfigError
        When an entry names what there is not or what has no classes, or two runs would share a name.
    """
    for name, entry in config.federated.items():
        _check(name, entry, config, datasets)
    found = {dataset: _by_name(_on_speech(config, datasets[dataset])) for dataset in datasets}
    found[DIGITS] = _by_name(_on_digits(config))
    return {dataset: own for dataset, own in found.items() if own}


def _check(name: str, entry: FederatedRun, config: Config, datasets: Mapping[str, Dataset]) -> None:
    open_to = [dataset for dataset, plan in datasets.items() if offered("federated", plan.pred)]
    for asked in entry.dataset or ():
        if asked == DIGITS:
            raise ConfigError(
                f"config: federated.{name}.dataset names {DIGITS}, which are no dataset of speech; set workload to "
                f"'{DIGITS}' instead"
            )
        if asked in datasets and asked not in open_to:
            pred = datasets[asked].pred
            why = "has no labels" if pred == "nothing" else f"predicts {pred}, but clients learn classes"
            raise ConfigError(f"config: federated.{name}.dataset names {asked}, which {why}; name datasets of emotions")
        if asked not in datasets:
            raise refuse(f"federated.{name}.dataset", asked, open_to)
    for asked in entry.feature_type or ():
        if asked not in config.backbones:
            raise refuse(f"federated.{name}.feature_type", asked, config.backbones)


def _on_speech(config: Config, dataset: Dataset) -> Iterator[Run]:
    if not offered("federated", dataset.pred):
        return
    for name, entry in config.federated.items():
        if entry.workload != "emotion" or dataset.name not in (entry.dataset or (dataset.name,)):
            continue
        for backbone in config.backbones:
            if backbone in (entry.feature_type or (backbone,)):
                span = span_name(entry.audio_duration)
                for ending, own in entry.variants():
                    variant = f"{name}{ending}"
                    yield Run(dataset.name, f"{backbone}_{variant}", name, variant, own, backbone, span, dataset.folds)


def _on_digits(config: Config) -> Iterator[Run]:
    folds = 1 if folder_of_digits(config) else FOLDS_OF_DIGITS
    for name, entry in config.federated.items():
        if entry.workload == DIGITS:
            for ending, own in entry.variants():
                variant = f"{name}{ending}"
                yield Run(DIGITS, variant, name, variant, own, "", "", folds)


def _by_name(runs: Iterator[Run]) -> dict[str, Run]:
    named: dict[str, Run] = {}
    for run in runs:
        other = named.setdefault(run.name, run)
        if other is not run:
            both = (f"federated.{one.entry} on {one.backbone}" for one in (other, run))
            raise ConfigError(
                f"config: {' and '.join(both)} would both be called {run.name}; give one of the entries another name"
            )
    return named


def folder_of_digits(config: Config) -> Path | None:
    """Return the folder of the user's MNIST, or None where scikit-learn's digits are learned."""
    path = config.data_dir.get(DIGITS)
    return Path(path).expanduser() if path else None


def files_of_digits(config: Config) -> list[Path]:
    """Return the files of the user's MNIST; none where scikit-learn's digits are learned.

    Raises
    ------
    ConfigError
        When they are not where the config says: one line with the key, the path and what was looked for inside it.
    """
    folder = folder_of_digits(config)
    if folder is None:
        return []
    where = f"config: data_dir.{DIGITS} is '{folder}'"
    if not folder.is_dir():
        raise ConfigError(f"{where}; there is no such folder; leave it empty for scikit-learn's digits")
    found = {name: sorted(folder.glob(f"{name}*")) for name in OF_MNIST}
    missing = [name for name, files in found.items() if not files]
    if missing:
        raise ConfigError(
            f"{where}; it holds no file {' nor '.join(f'{name}…' for name in missing)}; set it to the folder of "
            "MNIST's four files, or leave it empty for scikit-learn's digits"
        )
    return [file for files in found.values() for file in files]
