"""All that a job of the stage does: attack the models of every fold, part by part, and check that they are the ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import torch

from candor.attack.attacking import Attack, Row
from candor.attack.crafting import Settings
from candor.attack.names import CLEAN, CONTROL
from candor.models.audit import Audit, Utterance
from candor.models.end_to_end import EndToEnd
from candor.models.seeding import seed_everything
from candor.models.tasks import Emotion
from candor.models.trained import TrainedSystem
from candor.runtime import Explained, Progress
from candor.tables.models import Predictions


class AttackError(Explained, RuntimeError):
    """Models cannot be attacked; the message says why."""


@dataclass(frozen=True, kw_only=True)
class AttackJob(Audit):
    """The attack on a backbone with a recipe, over all folds.

    Parameters
    ----------
    settings
        How.
    own_gradient
        Whether the models' own gradient is followed.
    surrogate
        Another backbone with the same recipe, whose gradient is followed; None for none.
    """

    error = AttackError

    settings: Settings
    own_gradient: bool
    surrogate: TrainedSystem | None

    @classmethod
    def of(cls, run: Mapping[str, str], inputs: Any, params: Any, resources: Any) -> AttackJob:
        """Return the job that a rule describes by its wildcards, input, parameters and resources."""
        described = cls.described(run, inputs, params, resources, Predictions)
        runs = list(product(described["folds"], params.seeds))
        return cls(
            **described,
            settings=Settings.of(params.settings),
            own_gradient=params.own_gradient,
            surrogate=TrainedSystem.of(params.surrogate, runs, inputs, "surrogate_") if params.surrogate else None,
        )

    @property
    def asked(self) -> Mapping[str, Any]:
        """Return how models are attacked."""
        return {"settings": asdict(self.settings)}

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
                    clean = {row["utterance"]: row["predicted"] for row in found if row["method"] == CLEAN}
                    self.check(fold, seed, clean, because="as hidden states are not rounded here")
                    rows += self._in_order(fold, found)
        return rows

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
        attack: Attack | None = None

        def ask(chosen: Sequence[Utterance]) -> list[Row]:
            nonlocal attack
            attack = attack or self.attack(fold, seed)
            found = attack.on(chosen)
            progress.advance(len(chosen))
            return found

        return self.in_parts(f"fold{fold}-seed{seed}", self.utterances(fold), progress, ask)

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


def _rank(method: str) -> int:
    return {CLEAN: 0, CONTROL: 1}.get(method, 2)
