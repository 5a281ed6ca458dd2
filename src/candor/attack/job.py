"""All that a job of the stage does: attack the models of every fold, part by part, and check that they are the ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from candor.attack.attacking import Attack, Row
from candor.attack.crafting import Settings
from candor.attack.names import CLEAN, CONTROL
from candor.made_of import hashes_of
from candor.models.auditing import Utterance, check_same_answers, tested_utterances
from candor.models.end_to_end import EndToEnd
from candor.models.seeding import seed_everything
from candor.models.tasks import Emotion
from candor.models.trained import TrainedSystem
from candor.runtime import Explained, Progress, use_device
from candor.store.objects import Store
from candor.tables.audio import AudioIndex
from candor.tables.models import Predictions
from candor.tables.splits import FoldTable
from candor.unfinished import Unfinished

if TYPE_CHECKING:
    import pandas as pd

PART = 100
"""Utterances that are attacked before what was found is kept aside."""


class AttackError(Explained, RuntimeError):
    """Models cannot be attacked; the message says why."""


@dataclass(frozen=True)
class AttackJob:
    """The attack on a backbone with a recipe, over all folds.

    Parameters
    ----------
    system
        Who is attacked.
    folds
        The table of each fold, by its number.
    predictions
        What the models said of the test utterances when they were trained, by fold.
    audio
        The audio index.
    seconds
        The most that is used of a clip; None for all of it.
    seeds
        Whose models are attacked.
    settings
        How.
    own_gradient
        Whether the models' own gradient is followed.
    surrogate
        Another backbone with the same recipe, whose gradient is followed; None for none.
    store
        Where audio and hidden states are.
    batch_seconds, device
        How models are run.
    aside
        The folder for what is done of an unfinished job.
    made_of
        All that the result depends on besides the settings.
    """

    system: TrainedSystem
    folds: Mapping[int, pd.DataFrame]
    predictions: Mapping[int, pd.DataFrame]
    audio: pd.DataFrame
    seconds: float | None
    seeds: Sequence[int]
    settings: Settings
    own_gradient: bool
    surrogate: TrainedSystem | None
    store: Store
    batch_seconds: float = 60.0
    device: str = "cpu"
    aside: Path | None = None
    made_of: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Mapping[str, str], inputs: Any, params: Any, resources: Any) -> AttackJob:
        """Return the job that a rule describes by its wildcards, input, parameters and resources."""
        folds = {number: FoldTable.read(file) for number, file in enumerate(inputs.folds, start=1)}
        runs = list(product(folds, params.seeds))
        surrogate = TrainedSystem.of(params.surrogate, runs, inputs, "surrogate_") if params.surrogate else None
        return cls(
            system=TrainedSystem.of(run["backbone"], runs, inputs),
            folds=folds,
            predictions={number: Predictions.read(file) for number, file in enumerate(inputs.predictions, start=1)},
            audio=AudioIndex.read(inputs.audio),
            seconds=params.seconds,
            seeds=params.seeds,
            settings=Settings.of(params.settings),
            own_gradient=params.own_gradient,
            surrogate=surrogate,
            store=Store(params.store),
            batch_seconds=resources.batch_seconds,
            device=use_device(resources.device),
            aside=Path(params.aside),
            made_of={"inputs": hashes_of(inputs), "code": params.code},
        )

    def run(self) -> list[Row]:
        """Return the rows of `Attacked`, fold by fold and seed by seed."""
        if self.device != "cpu":
            seed_everything(0)
            # Some front-ends have no deterministic gradient on a GPU: that is told, and no reason to give up.
            torch.use_deterministic_algorithms(True, warn_only=True)
        tested = sum(len(self.utterances(fold)) for fold in self.folds) * len(self.seeds)
        rows: list[Row] = []
        with Progress(tested, f"attack {self.system.backbone}", "utterance") as progress:
            for fold in self.folds:
                for seed in self.seeds:
                    found = self._attack(fold, seed, progress)
                    self._compare(fold, seed, found)
                    rows += self._in_order(fold, found)
        return rows

    def clear_away(self) -> None:
        """Forget what was kept aside, once the result is written."""
        self._unfinished().remove()

    def utterances(self, fold: int) -> list[Utterance]:
        """Return the test utterances of a fold, the longest first."""
        return tested_utterances(self.folds[fold], self.audio, self.seconds)

    def attack(self, fold: int, seed: int) -> Attack:
        """Return the attack on the model of a fold and seed."""
        table = self.folds[fold]
        model = self.system.model(fold, seed, table, self.store, self.device)
        sources: list[tuple[str, EndToEnd]] = [(self.system.backbone, model)] if self.own_gradient else []
        classes = self._classes(model)
        if self.surrogate is not None:
            other = self.surrogate.model(fold, seed, table, self.store, self.device)
            sources.append((self.surrogate.backbone, other))
        return Attack(model, tuple(sources), classes, self.settings, seed, self.store, self.batch_seconds, self.device)

    def _classes(self, model: EndToEnd) -> tuple[str, ...]:
        if not isinstance(model.task, Emotion):
            raise AttackError(f"{self.system.backbone}: a model of ratings tells no emotion that could be mistaken")
        if self.settings.target is not None and self.settings.target not in model.task.classes:
            raise AttackError(
                f"config: attack.target is {self.settings.target!r}, but models choose from "
                f"{', '.join(model.task.classes)}"
            )
        return tuple(model.task.classes)

    def _attack(self, fold: int, seed: int, progress: Progress) -> list[Row]:
        utterances, unfinished, attack = self.utterances(fold), self._unfinished(), None
        rows: list[Row] = []
        for start in range(0, len(utterances), PART):
            part, chosen = f"fold{fold}-seed{seed}-{start:06}", utterances[start : start + PART]
            done = unfinished.load(part)
            if done is None:
                attack = attack or self.attack(fold, seed)
                done = attack.on(chosen)
                unfinished.save(part, done)
            rows += done
            progress.advance(len(chosen))
        return rows

    def _compare(self, fold: int, seed: int, rows: Sequence[Row]) -> None:
        """Refuse a model that says something else of clean utterances than when it was trained."""
        table = self.predictions[fold]
        stored = table[table["seed"] == seed].set_index("utterance")["predicted"].to_dict()
        said = {
            row["utterance"]: stored.get(row["utterance"]) == row["predicted"] for row in rows if row["method"] == CLEAN
        }
        whose = f"the model of fold {fold} and seed {seed} on {self.system.backbone}"
        check_same_answers(said, whose, AttackError, because="as hidden states are not rounded here")

    def _in_order(self, fold: int, rows: Sequence[Row]) -> list[Row]:
        """Return the rows in the order of the fold's table, with who speaks."""
        columns = ["utterance", "speaker", "gender", "session"]
        who = self.folds[fold][columns].itertuples(index=False, name=None)
        people = {person[0]: (place, dict(zip(columns, person, strict=True))) for place, person in enumerate(who)}
        order = list(dict.fromkeys(row["method"] for row in sorted(rows, key=lambda row: _rank(row["method"]))))
        ordered = sorted(
            rows, key=lambda row: (people[row["utterance"]][0], order.index(row["method"]), -(row["snr"] or 0.0))
        )
        return [{**people[row["utterance"]][1], "fold": fold, **row} for row in ordered]

    def _unfinished(self) -> Unfinished:
        of = {**self.made_of, "settings": asdict(self.settings), "device": self.device.partition(":")[0]}
        return Unfinished(self.aside, json.dumps(of, sort_keys=True))


def _rank(method: str) -> int:
    return {CLEAN: 0, CONTROL: 1}.get(method, 2)
