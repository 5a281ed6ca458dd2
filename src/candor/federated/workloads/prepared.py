"""What a job hands to a workload, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candor.federated.clients import Client
from candor.federated.workloads.workload import Workload
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Sources:
    """What examples can be made of; each workload takes what it needs.

    Parameters
    ----------
    fold
        The number of the fold.
    table
        Its `FoldTable`.
    pooled, frames
        The `FeatureIndex` and the `FrameIndex` of a backbone.
    store
        Where these features are.
    noised
        Returns rows of a `FeatureIndex` for utterances under the noise of microphones, given each utterance's level in
        dB. It is called only where the run has such microphones.
    folder
        Files that the user owns, such as MNIST's.
    classes
        What is told apart, where that is more than the labels of the table.
    """

    fold: int
    table: pd.DataFrame | None = None
    pooled: pd.DataFrame | None = None
    frames: pd.DataFrame | None = None
    store: Store | None = None
    noised: Callable[[Mapping[str, float]], pd.DataFrame] | None = None
    folder: Path | None = None
    classes: Sequence[str] | None = None


@dataclass(frozen=True)
class Prepared:
    """A federation before its first round: what is learned, and who holds what.

    Parameters
    ----------
    workload
        What is learned.
    rows
        Who and what each example is, in the order of the workload: `utterance`, `speaker`, `gender`, `session`,
        `label`, `part`.
    clients
        Who takes part.
    test
        The examples that no client holds, by number.
    partition
        How the others were divided; never `auto`.
    transductive
        Whether inputs were made with a look at the test speakers, if not at their labels.
    facts
        What else is worth telling of the inputs.
    """

    workload: Workload
    rows: pd.DataFrame
    clients: list[Client]
    test: list[int]
    partition: str
    transductive: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
