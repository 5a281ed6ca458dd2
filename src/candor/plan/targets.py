"""Which files belong to which folder, so that a folder can be asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from candor.config.loading import did_you_mean

if TYPE_CHECKING:
    from candor.plan.datasets import Dataset

_FEATURES_AND_SPLITS = ("corpora", "audio", "splits", "backbones", "features")
_MODELS = (*_FEATURES_AND_SPLITS, "models")
_AUDITS = ("performance", "fairness", "attack", "privacy", "robustness", "cost")

STAGES: dict[str, tuple[str, ...]] = {
    "corpora": (),
    "audio": ("corpora",),
    "splits": ("corpora",),
    "backbones": (),
    "features": ("corpora", "audio", "backbones"),
    "models": _FEATURES_AND_SPLITS,
    "performance": _MODELS,
    "fairness": _MODELS,
    "attack": _MODELS,
    "privacy": _MODELS,
    "robustness": _MODELS,
    "cost": (*_MODELS, "performance"),
    "trust": (*_MODELS, *_AUDITS),
    "federated": _FEATURES_AND_SPLITS,
    "leakage": (*_FEATURES_AND_SPLITS, "federated"),
    "report": (*_MODELS, *_AUDITS, "trust", "federated", "leakage"),
}
"""The stages that make results, in the order in which data flows, and the stages that each one rests on."""

ROOT = "results"
"""How targets are spelled, whatever `project_dir` is."""


WITHOUT_LABELS = ("corpora", "audio")
"""The stages that are offered for datasets without labels."""

OF_CLASSES = {
    "attack": "an attack is on classes",
    "federated": "clients learn classes",
    "leakage": "clients learn classes",
}
"""The stages that are offered only where classes are predicted, not ratings, and why."""


@dataclass(frozen=True)
class Final:
    """A file that a user asks for.

    Parameters
    ----------
    path
        Where it lies below `project_dir`.
    stage
        Which one makes it.
    dataset, backbone
        Of which it is: `backbone` is blank for files of a whole dataset, `dataset` for those of a backbone, both for
        those that set all datasets side by side.
    run
        The federation that it is of; blank for what is of none.
    readers
        The stages that read it, where some that rest on its stage have no use for it. Empty: all of them read it.
    """

    path: str
    stage: str
    dataset: str
    backbone: str = ""
    run: str = ""
    readers: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Return the folder inside that of its stage and dataset by which it can be asked for; blank if none."""
        return self.run or self.backbone

    def is_for(self, stage: str) -> bool:
        """Tell whether a stage rests on it."""
        read = any(rests_on(stage, reader) for reader in self.readers) if self.readers else True
        return self.stage in STAGES[stage] and read


@dataclass(frozen=True)
class Target:
    """A folder that can be asked for, such as `results/performance/demo`.

    `files` lie in it or are what these rest on. Snakemake does not miss an intermediate file while the final
    one is there, not even when a job that was to renew both has failed; so a folder asks for both.
    """

    name: str
    stage: str
    dataset: str | None
    files: tuple[str, ...]
    alias: str = ""

    def spellings(self) -> Iterator[str]:
        """Yield the folder's names without and with a slash at its end, as tab completion writes it."""
        for name in filter(None, (self.name, self.alias)):
            yield name
            yield f"{name}/"


def offered(stage: str, pred: str) -> bool:
    """Tell whether a stage can be asked for with a dataset that predicts `pred`."""
    if pred == "nothing":
        return stage in WITHOUT_LABELS
    return pred == "emotion" or stage not in OF_CLASSES


def rests_on(stage: str, other: str) -> bool:
    """Tell whether a stage needs what another one makes, or is that one."""
    return other in (stage, *STAGES[stage])


def folder_targets(
    finals: Iterable[Final], at_hand: Iterable[str], aliases: Mapping[str, str] | None = None
) -> list[Target]:
    """Return every folder above the final files as a target: stages, datasets in them, backbones or runs in these.

    Parameters
    ----------
    finals
        Every file that a user asks for.
    at_hand
        The datasets whose corpus path is set; a whole stage is asked for only for these.
    aliases
        Other spellings of datasets, under which their folders can be asked for too.
    """
    aliases = aliases or {}
    finals = list(finals)
    ready = set(at_hand)
    targets = []
    for stage in STAGES:
        own = [final for final in finals if final.stage == stage]
        below = [final for final in finals if final.is_for(stage)]
        across = [final for final in [*own, *below] if _is_across(final)]
        own, below = ([final for final in some if not _is_across(final)] for some in (own, below))
        targets.append(_target(stage, None, [*_of(own, ready), *across, *_of(below, ready)]))
        for backbone in dict.fromkeys(final.backbone for final in own if not final.dataset):
            targets.append(_target(stage, None, [final for final in own if final.backbone == backbone], "", backbone))
        for dataset in dict.fromkeys(final.dataset for final in own if final.dataset):
            mine, needed = [final for final in own if final.dataset == dataset], _of(below, {dataset})
            also = aliases.get(dataset, "")
            targets.append(_target(stage, dataset, [*mine, *needed], also))
            for folder in dict.fromkeys(final.folder for final in mine if final.folder):
                files = [final for final in mine if final.folder == folder]
                backbones, runs = ({"", *(getattr(final, of) for final in files)} for of in ("backbone", "run"))
                files += [final for final in needed if final.backbone in backbones and final.run in runs]
                targets.append(_target(stage, dataset, files, also, folder))
    return targets


def _is_across(final: Final) -> bool:
    return not final.dataset and not final.backbone


def _of(finals: list[Final], datasets: Collection[str]) -> list[Final]:
    """Return the files of datasets, and those of the backbones that are run on them."""
    own = [final for final in finals if final.dataset in datasets]
    run = {final.backbone for final in own}
    alone = all(not final.dataset for final in finals)
    return [*own, *(final for final in finals if not final.dataset and (alone or final.backbone in run))]


def _target(stage: str, dataset: str | None, finals: Iterable[Final], alias: str = "", *deeper: str) -> Target:
    name = "/".join([ROOT, stage, *([dataset] if dataset else []), *deeper])
    also = "/".join([ROOT, stage, alias, *deeper]) if alias else ""
    return Target(name, stage, dataset, tuple(final.path for final in finals), also)


def unknown_target(
    name: str,
    targets: Iterable[Target],
    datasets: Mapping[str, Dataset] | None = None,
    left_out: Mapping[str, str] | None = None,
) -> str:
    """Return one line that says where the name of a folder goes wrong, and what there is instead.

    Parameters
    ----------
    name
        What the user asks for.
    targets
        Every folder that can be asked for.
    datasets
        All datasets, to tell of one that the stage is not offered for.
    left_out
        Folders that there could be, and why there are not.
    """
    if why := (left_out or {}).get(name.rstrip("/")):
        return f"target: {name} is not offered, as {why}"
    targets = list(targets)
    known = [target.name for target in targets]
    parts = name.split("/")
    dataset = (datasets or {}).get(parts[2]) if len(parts) > 2 else None
    if dataset and not offered(parts[1], dataset.pred):
        open_to = ", ".join(stage for stage in STAGES if offered(stage, dataset.pred))
        unlabelled = dataset.pred == "nothing"
        why = "has no labels" if unlabelled else f"predicts {dataset.pred}, and {OF_CLASSES[parts[1]]}"
        return f"target: {name} is not offered, as {dataset.name} {why}; there are {open_to}"
    elsewhere = [target.name for target in targets if len(parts) > 2 and target.dataset == parts[2]]
    if datasets is not None and dataset is None and elsewhere and not any(map(name.startswith, elsewhere)):
        return f"target: {name} is not offered, as {parts[2]} is no dataset of speech; there are {', '.join(elsewhere)}"
    right = ROOT
    while (deeper := "/".join(parts[: right.count("/") + 2])) in known:
        right = deeper
    inside = [folder.removeprefix(f"{right}/") for folder in known if folder.rpartition("/")[0] == right]
    allowed = f"allowed in {right}: {', '.join(inside)}" if inside else f"{right} has no folders that can be asked for"
    hint = " To make everything, name no target." if name == ROOT else did_you_mean(name, known)
    return f"target: {name} is not known; {allowed}.{hint}"
