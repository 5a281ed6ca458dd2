"""Audits that ask trained models about test utterances: whose, about which, part by part; are they still the same."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import torch

from candor.features.clips import Clip, clips_of, in_batches
from candor.features.extraction import worthwhile_seconds
from candor.made_of import hashes_of
from candor.models.same_answers import Answer, check_same_answers, same_answers, stored_answers
from candor.models.trained import TrainedSystem
from candor.runtime import Explained, Progress, use_device
from candor.store.objects import Store
from candor.tables.audio import AudioIndex
from candor.tables.base import Table
from candor.tables.splits import FoldTable
from candor.unfinished import Unfinished

if TYPE_CHECKING:
    import pandas as pd

    from candor.backbones.interface import Backbone

PART = 100
"""Utterances that models are asked about before what was found is kept aside."""

VARIANTS = 4
"""Variants of a batch that pay to be run at once by a recurrent network on a CPU, whose steps are small."""

RATED_ALIKE = 1e-3
"""By how much a rating of a clean utterance may deviate, in its own unit."""

Row = dict[str, Any]
Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Utterance:
    """An utterance that a model is tested on.

    Parameters
    ----------
    clip
        Its audio, as much of it as the model is given.
    number
        Its number in the table of the fold.
    label
        The true emotion.
    """

    clip: Clip
    number: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Audit(ABC):
    """An audit of a backbone with a recipe, over the test utterances of all folds.

    Parameters
    ----------
    system
        Whose models are asked.
    folds
        The table of each fold, by its number.
    predictions
        What the models said of the test utterances when they were trained, by fold.
    audio
        The audio index.
    seconds
        The most that is used of a clip; None for all of it.
    seeds
        Whose models are asked.
    store
        Where audio and hidden states are.
    batch_seconds, device
        How models are run.
    aside
        The folder for what is done of an unfinished audit; None keeps nothing.
    made_of
        All that the result depends on besides what is asked.
    """

    error: ClassVar[type[Explained]]

    system: TrainedSystem
    folds: Mapping[int, pd.DataFrame]
    predictions: Mapping[int, pd.DataFrame]
    audio: pd.DataFrame
    seconds: float | None
    seeds: Sequence[int]
    store: Store
    batch_seconds: float = 60.0
    device: str = "cpu"
    aside: Path | None = None
    made_of: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def described(
        run: Mapping[str, str], inputs: Any, params: Any, resources: Any, predictions: type[Table]
    ) -> dict[str, Any]:
        """Return what a rule says of any audit by its wildcards, input, parameters and resources."""
        folds = {number: FoldTable.read(file) for number, file in enumerate(inputs.folds, start=1)}
        return {
            "system": TrainedSystem.of(run["backbone"], list(product(folds, params.seeds)), inputs),
            "folds": folds,
            "predictions": {number: predictions.read(file) for number, file in enumerate(inputs.predictions, start=1)},
            "audio": AudioIndex.read(inputs.audio),
            "seconds": params.seconds,
            "seeds": params.seeds,
            "store": Store(params.store),
            "batch_seconds": resources.batch_seconds,
            "device": use_device(resources.device),
            "aside": Path(params.aside),
            "made_of": {"inputs": hashes_of(inputs), "code": params.code},
        }

    @property
    @abstractmethod
    def asked(self) -> Mapping[str, Any]:
        """Return what is asked of this audit alone."""

    @property
    def unfinished(self) -> Unfinished:
        """Return what of this audit is done."""
        shared = {"seconds": self.seconds, "device": self.device.partition(":")[0]}
        return Unfinished(self.aside, json.dumps({**self.made_of, **shared, **self.asked}, sort_keys=True))

    def utterances(self, fold: int) -> list[Utterance]:
        """Return the test utterances of a fold, the longest first."""
        table = self.folds[fold]
        clips = clips_of(table, self.audio, self.seconds)
        tested = [
            Utterance(clip, number, str(label))
            for number, (clip, label, part) in enumerate(zip(clips, table["label"], table["part"], strict=True))
            if part == "test"
        ]
        return sorted(tested, key=lambda own: (-own.clip.samples, own.clip.member, own.clip.utterance))

    def in_parts(
        self,
        name: str,
        utterances: Sequence[Utterance],
        progress: Progress,
        ask: Callable[[Sequence[Utterance]], list[Row]],
    ) -> list[Row]:
        """Return what is found of utterances; what a killed job has found is not asked again.

        Parameters
        ----------
        name
            What the parts are called.
        utterances
            Of whom.
        progress
            Where it is told how far this is.
        ask
            Finds it out of some of them, and tells the progress.
        """
        unfinished, rows = self.unfinished, []
        for start in range(0, len(utterances), PART):
            part, chosen = f"{name}-{start:06}", utterances[start : start + PART]
            done = unfinished.load(part)
            if done is None:
                done = ask(chosen)
                unfinished.save(part, done)
            else:
                progress.advance(len(chosen))
            rows += done
        return rows

    def check(self, fold: int, seed: int, said: Mapping[str, Answer], because: str = "") -> None:
        """Refuse a model that says something else of clean utterances than when it was trained.

        Parameters
        ----------
        fold, seed
            Which model.
        said
            What it says, by utterance.
        because
            Why a few may differ, for the log.
        """
        same = same_answers(said, stored_answers(self.predictions[fold], seed), RATED_ALIKE)
        whose = f"the model of fold {fold} and seed {seed} on {self.system.backbone}"
        check_same_answers(same, whose, self.error, because)


def batches(
    utterances: Sequence[Utterance], backbones: Sequence[Backbone], device: str, seconds: float
) -> Iterator[list[Utterance]]:
    """Yield utterances of similar length, as many as it pays for all the backbones to run at once.

    Parameters
    ----------
    utterances
        What is to be run.
    backbones, device
        By whom, and on what.
    seconds
        The most that a batch holds.
    """
    most = min(worthwhile_seconds(backbone, device, seconds) for backbone in backbones)
    by_name = {own.clip.utterance: own for own in utterances}
    for batch in in_batches([own.clip for own in utterances], most):
        yield [by_name[clip.utterance] for clip in batch]


def variants_at_once(backbone: Backbone, device: str, seconds: float) -> int:
    """Return how many variants of a batch of so many seconds to run at once where no gradient is wanted."""
    recurrent = worthwhile_seconds(backbone, device, seconds) > 0
    return VARIANTS if recurrent and device == "cpu" else 1


def in_memory(batch: list[Given], do: Callable[[list[Given]], list[Made]]) -> list[Made]:
    """Do something with a batch; one that does not fit into the memory of a GPU is done in halves."""
    try:
        return do(batch)
    except torch.OutOfMemoryError:
        if len(batch) == 1:
            raise
    torch.cuda.empty_cache()
    middle = len(batch) // 2
    return [*in_memory(batch[:middle], do), *in_memory(batch[middle:], do)]
