"""Which federations are attacked, and whom the attacker learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from candor.config.federated_defence import PRIVATE, Defence
from candor.config.loading import ConfigError, refuse
from candor.config.root import Config
from candor.leakage.names import DOES_NOT_KNOW, KNOWS, UNDEFENDED
from candor.plan.federated import Run, Runs
from candor.plan.targets import ROOT, offered

if TYPE_CHECKING:
    from candor.plan.datasets import Dataset

PEOPLE = ("auto", "speaker", "speaker_shards")
"""Partitions whose clients hold the data of one person each."""

NONE = "none"
"""The kind of no defence."""

PLAIN = ".plain"
"""What the name of shadow federations ends in that lack the defence of the runs they imitate; no entry's has it."""

OTHERS = "others"
"""The people of other datasets, who are the same in all folds."""


@dataclass(frozen=True)
class Shadow:
    """A kind of shadow federations.

    Parameters
    ----------
    name
        That of its folder.
    run
        The run whose clients they imitate.
    options
        How they learn.
    datasets
        Whose people take part; none for those of the same dataset who are no clients.
    """

    name: str
    run: Run
    options: Mapping[str, Any]
    datasets: tuple[str, ...]

    @property
    def imitates_noise(self) -> bool:
        """Whether it takes over the noise of the run."""
        return self.options["defence"]["kind"] in PRIVATE

    def people(self, fold: int) -> str:
        """Return what the people are called who stand for the victims of a fold."""
        return OTHERS if self.datasets else f"fold{fold}"


@dataclass(frozen=True)
class Attacked:
    """A run that is attacked.

    Parameters
    ----------
    run
        The run.
    shadows
        Whom the attacker learns from, by what he knows of its defence.
    folds
        Clients of which folds are attacked.
    """

    run: Run
    shadows: Mapping[str, Shadow]
    folds: tuple[int, ...]

    @property
    def inverted(self) -> bool:
        """Whether its clients send gradients of a dense network, and models are kept, so that they may be inverted.

        What a microphone's noise has changed is not: its features are not there to compare with.
        """
        settings, run = self.run.settings, self.run
        dense = not run.reads_frames and not run.hears_noise and not settings.keep.layers
        return settings.model_type == "fed_sgd" and dense and bool(settings.keep.models_every)


Plan = Mapping[str, Mapping[str, Attacked]]
"""All runs that are attacked, by dataset and name."""


def attacked(config: Config, datasets: Mapping[str, Dataset], runs: Runs) -> Plan:
    """Return which runs are attacked, and how.

    Raises
    ------
    ConfigError
        When the config names what there is not, or what cannot be attacked.
    """
    _check(config, datasets)
    found: dict[str, dict[str, Attacked]] = {}
    for dataset, own in runs.items():
        if dataset not in datasets:  # handwritten digits, which nobody has spoken
            continue
        for run in own.values():
            if _is_named(config, run) and not _why_not(run.settings):
                found.setdefault(dataset, {})[run.name] = _attacked(config, datasets, run, own)
    return found


def left_out(config: Config, datasets: Mapping[str, Dataset], runs: Runs) -> dict[str, str]:
    """Return why a run is not attacked, by the folder that it would have, for each that is not."""
    found = {}
    for dataset, own in runs.items():
        for run in own.values() if dataset in datasets else ():
            why = _why_not(run.settings)
            if why or not _is_named(config, run):
                named = "which `leakage.runs` and `leakage.feature_type` do not name"
                found[f"{ROOT}/leakage/{dataset}/{run.name}"] = f"it is of federated.{run.entry}, {why or named}"
    return found


def shadows(plan: Plan) -> dict[str, dict[str, Shadow]]:
    """Return all kinds of shadow federations, by the dataset of their victims and their name."""
    found: dict[str, dict[str, Shadow]] = {}
    for dataset, runs in plan.items():
        for own in runs.values():
            found.setdefault(dataset, {}).update({shadow.name: shadow for shadow in own.shadows.values()})
    return found


def shadow_datasets(config: Config, datasets: Mapping[str, Dataset], dataset: str) -> tuple[str, ...]:
    """Return the datasets whose people stand for those of a dataset: of those that are named, of other corpora."""
    own = _corpora(datasets[dataset])
    return tuple(name for name in config.leakage.shadows if not own & _corpora(datasets[name]))


def _corpora(dataset: Dataset) -> set[str]:
    return {part.key for part in dataset.parts or (dataset,)}


def _check(config: Config, datasets: Mapping[str, Dataset]) -> None:
    asked = config.leakage
    for name in asked.runs:
        entry = config.federated.get(name)
        if entry is None:
            raise refuse("leakage.runs", name, config.federated)
        if why := _why_not(entry):
            raise ConfigError(f"config: leakage.runs names {name}, {why}")
    for name in asked.feature_type:
        if name not in config.backbones:
            raise refuse("leakage.feature_type", name, config.backbones)
    open_to = [name for name, dataset in datasets.items() if offered("federated", dataset.pred)]
    seen: dict[str, str] = {}
    for name in asked.shadows:
        if name not in open_to:
            raise refuse("leakage.shadows", name, open_to)
        for corpus in _corpora(datasets[name]):
            if corpus in seen:
                raise ConfigError(
                    f"config: leakage.shadows names {seen[corpus]} and {name}, which are both of {corpus}: one person "
                    "would be two; leave one of them out"
                )
            seen[corpus] = name


def _why_not(entry: Any) -> str:
    """Say why the runs of an entry cannot be attacked; blank if they can."""
    if entry.workload != "emotion":
        return f"which learns {entry.workload}, that nobody has spoken; name federations of emotions"
    if entry.model_type == "central":
        return "which has no clients; name federations"
    if not entry.keeps_updates:
        return "which keeps no updates; set its keep.updates_every to 1 or more"
    if entry.partition not in PEOPLE:
        return f"whose clients (partition '{entry.partition}') are no people; set that to {' or '.join(PEOPLE)}"
    return ""


def _is_named(config: Config, run: Run) -> bool:
    asked = config.leakage
    return run.entry in (asked.runs or (run.entry,)) and run.backbone in (asked.feature_type or (run.backbone,))


def _attacked(config: Config, datasets: Mapping[str, Dataset], run: Run, runs: Mapping[str, Run]) -> Attacked:
    folds = range(1, 2 if config.leakage.folds == "first" else run.folds + 1)
    others = shadow_datasets(config, datasets, run.dataset)
    return Attacked(run, dict(_shadows(run, runs, others)), tuple(folds))


def _shadows(run: Run, runs: Mapping[str, Run], others: tuple[str, ...]) -> Iterator[tuple[str, Shadow]]:
    """Yield whom an attacker learns from, by what he knows."""
    options = run.settings.options()
    if run.settings.defence.kind == NONE:
        yield UNDEFENDED, Shadow(run.name, run, options, others)
        return
    yield KNOWS, Shadow(run.name, run, options, others)
    without = {**options, "defence": Defence().options()}
    twin = next((own.name for own in runs.values() if _same(own, run, without)), f"{run.backbone}_{run.entry}{PLAIN}")
    yield DOES_NOT_KNOW, Shadow(twin, run, without, others)


def _same(own: Run, run: Run, without: Mapping[str, Any]) -> bool:
    """Tell whether a run is another one without its defence."""
    return own.backbone == run.backbone and own.settings.options() == without
