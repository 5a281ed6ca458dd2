"""All that a job of the stage does: disturb the test utterances of every fold and ask its models, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from candor.models.audit import Audit, Row, Utterance
from candor.robustness.asking import Asking
from candor.robustness.sample import drawn_evenly
from candor.robustness.voices import Voices
from candor.runtime import Explained, Progress
from candor.tables.models import predictions_table

CHECKED = 32
"""Clean utterances per fold of which models must say what they said when they were trained."""


class RobustnessError(Explained, RuntimeError):
    """Models cannot be tested; the message says why."""


@dataclass(frozen=True, kw_only=True)
class RobustnessJob(Audit):
    """The tests of a backbone with a recipe, over all folds.

    Parameters
    ----------
    tests
        The strengths of each test.
    most
        How many utterances are disturbed, at most; None for all.
    """

    error = RobustnessError

    tests: Mapping[str, Sequence[float]]
    most: int | None

    @classmethod
    def of(cls, run: Mapping[str, str], inputs: Any, params: Any, resources: Any) -> RobustnessJob:
        """Return the job that a rule describes by its wildcards, input, parameters and resources."""
        described = cls.described(run, inputs, params, resources, predictions_table(params.pred))
        return cls(**described, tests=params.tests, most=params.utterances)

    @property
    def asked(self) -> Mapping[str, Any]:
        """Return which tests are made, of how many, with whom."""
        return {"tests": dict(self.tests), "utterances": self.most, "seeds": list(self.seeds)}

    def run(self) -> list[Row]:
        """Return the rows of `Disturbed` or `DisturbedRatings`, fold by fold."""
        utterances = {fold: self.utterances(fold) for fold in self.folds}
        rows: list[Row] = []
        with Progress(sum(map(len, utterances.values())), f"disturb {self.system.backbone}", "utterance") as progress:
            for fold, own in utterances.items():
                rows += self._in_order(fold, self._disturb(fold, own, progress))
        return rows

    def utterances(self, fold: int) -> list[Utterance]:
        """Return the test utterances of a fold that are disturbed, the longest first."""
        return [own for own in super().utterances(fold) if own.clip.utterance in self._drawn]

    @cached_property
    def _drawn(self) -> frozenset[str]:
        tables = [table[table["part"] == "test"] for table in self.folds.values()]
        return drawn_evenly(pd.concat(tables), self.most)

    @cached_property
    def voices(self) -> Voices:
        """All who speak in the dataset, tested or not."""
        everyone = pd.concat(self.folds.values()).drop_duplicates("utterance")
        return Voices(everyone, dict(zip(self.audio["utterance"], self.audio["member"], strict=True)), self.store)

    def _disturb(self, fold: int, utterances: Sequence[Utterance], progress: Progress) -> list[Row]:
        asking: Asking | None = None

        def ask(chosen: Sequence[Utterance]) -> list[Row]:
            nonlocal asking
            asking = asking or self._asking(fold, utterances)
            return asking.about(chosen, progress)

        return [{"fold": fold, **row} for row in self.in_parts(f"fold{fold}", utterances, progress, ask)]

    def _asking(self, fold: int, utterances: Sequence[Utterance]) -> Asking:
        """Return who asks the models of a fold, which were seen to be the ones that were trained."""
        models = self.system.as_trained(fold, self.seeds, self.folds[fold], self.store, self.device)
        asking = Asking(models, self.tests, self.voices, self.seconds, self.batch_seconds, self.device)
        clean = asking.about_clean(utterances[:: max(1, len(utterances) // CHECKED)][:CHECKED])
        for seed in self.seeds:
            self.check(fold, seed, {row["utterance"]: row["predicted"] for row in clean if row["seed"] == seed})
        return asking

    def _in_order(self, fold: int, rows: Sequence[Row]) -> list[Row]:
        """Return the rows in the order of the fold's table."""
        places = {name: place for place, name in enumerate(self.folds[fold]["utterance"])}
        tests = list(self.tests)
        return sorted(
            rows,
            key=lambda row: (
                *(places[row["utterance"]], row["seed"], tests.index(row["test"])),
                self.tests[row["test"]].index(row["strength"]),
            ),
        )
