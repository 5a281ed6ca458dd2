"""Which files belong to which folder, so that a folder can be asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

STAGES = ("corpora", "audio", "splits", "features", "models", "performance")
"""The stages that make results, in the order in which data flows."""

ROOT = "results"
"""How targets are spelled, whatever `project_dir` is."""


@dataclass(frozen=True)
class Target:
    """A folder that can be asked for: `results/performance/demo`, say.

    `files` lie in it for the datasets in `datasets`.
    """

    name: str
    stage: str
    dataset: str | None
    files: tuple[str, ...]

    def spellings(self) -> Iterator[str]:
        """Yield the folder's name without and with a slash at its end, as tab completion writes it."""
        yield self.name
        yield f"{self.name}/"


def folder_targets(finals: Iterable[tuple[str, str, str]], at_hand: Iterable[str]) -> list[Target]:
    """Return every folder above the final files as a target.

    Parameters
    ----------
    finals
        Stage, dataset and path below `project_dir` of every file that a user asks for.
    at_hand
        The datasets whose corpus path is set; a whole stage is asked for only for these.
    """
    ready = set(at_hand)
    below: dict[str, list[str]] = {}
    owner: dict[str, tuple[str, str | None]] = {}
    for stage, dataset, path in finals:
        folders = path.split("/")[:-1]
        if dataset in ready:
            below.setdefault(stage, []).append(path)
        owner[stage] = (stage, None)
        for depth in range(2, min(len(folders), 3) + 1):
            folder = "/".join(folders[:depth])
            below.setdefault(folder, []).append(path)
            owner[folder] = (stage, dataset)
    return [Target(f"{ROOT}/{folder}", *owner[folder], tuple(below.get(folder, ()))) for folder in sorted(owner)]
