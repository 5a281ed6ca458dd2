"""Invert the gradients that clients of a run have sent, and hold what comes of it against what they have."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from candor.federated.schedule import Schedule
from candor.federated.settings import Settings as Federation
from candor.federated.workloads import emotion
from candor.federated.workloads.prepared import Prepared, Sources
from candor.leakage.dense_gradients import DenseNetwork, one_hot
from candor.leakage.inversion import Inversion, Inverted, invert
from candor.leakage.likeness import compare, without_inversion
from candor.made_of import hashes_of
from candor.runtime import Progress
from candor.store.objects import Store
from candor.tables.features import FeatureIndex
from candor.tables.federated_history import FederatedHistory
from candor.tables.splits import FoldTable
from candor.unfinished import Unfinished

logger = logging.getLogger(__name__)

Row = dict[str, Any]

CLOSE = 0.9
"""Above this cosine a reconstruction counts as close."""

DIGITS = 4
"""Of cosines. Further ones hang on where matrices happen to lie in memory, and say nothing."""

FREEDOM = 0.1
"""How little the classifier of gender is held back, scikit-learn's C: there are more dimensions than people."""


@dataclass(frozen=True)
class InversionJob:
    """The inversion of some gradients of each fold of a run.

    Parameters
    ----------
    folds
        Histories and examples of the folds.
    number
        How many gradients of each fold, evenly spread over rounds.
    unfinished
        What of an unfinished job is done.
    """

    folds: Sequence[Fold]
    number: int
    unfinished: Unfinished

    @classmethod
    def of(cls, inputs: Any, params: Any) -> InversionJob:
        """Return the job that a rule describes by its input and parameters."""
        pooled, store = FeatureIndex.read(inputs.features), Store(params.store)
        folds = [
            Fold(
                number,
                FederatedHistory(Path(facts).parent),
                Sources(number, FoldTable.read(table), pooled, store=store),
            )
            for number, facts, table in zip(params.folds, inputs.facts, inputs.tables, strict=True)
        ]
        of = {"inputs": hashes_of(inputs), "number": params.number, "code": params.code}
        return cls(folds, params.number, Unfinished(Path(params.aside), json.dumps(of, sort_keys=True)))

    def run(self) -> list[Row]:
        """Return rows of `Inversions`."""
        chosen = {fold.number: fold.some(self.number) for fold in self.folds}
        rows: list[Row] = []
        with Progress(sum(map(len, chosen.values())), "invert gradients", "gradient") as progress:
            for fold in self.folds:
                for round, client in chosen[fold.number]:
                    rows += self._one(fold, round, client)
                    progress.advance()
        return rows

    def _one(self, fold: Fold, round: int, client: str) -> list[Row]:
        part = f"fold{fold.number}-round{round}-{client.replace('/', '-')}"
        done = self.unfinished.load(part)
        if done is None:
            done = [fold.inverted(round, client)]
            self.unfinished.save(part, done)
        return done


@dataclass(frozen=True)
class Fold:
    """A fold whose gradients are inverted.

    Parameters
    ----------
    number
        Its number.
    history
        What clients sent, and the models that they were given.
    sources
        What their examples are made of: the truth, which only the comparison sees.
    """

    number: int
    history: FederatedHistory
    sources: Sources

    def some(self, number: int) -> list[tuple[int, str]]:
        """Return round and client of some gradients, evenly spread over rounds, of which the models are kept."""
        kept = set(self.history.model_rounds)
        usable = [(round, client) for round, client in self.history.updates() if round - 1 in kept]
        if not usable:
            logger.warning(
                "fold %d: of no kept update is the model kept that its client was given; set keep.models_every to "
                "keep.updates_every or a divisor of it",
                self.number,
            )
            return []
        if not self._strangers:
            logger.warning("fold %d: all who are tested are clients; there is nobody to begin with", self.number)
            return []
        places = np.unique(np.linspace(0, len(usable) - 1, min(number, len(usable))).round().astype(int))
        return [usable[place] for place in places]

    def inverted(self, round: int, client: str) -> Row:
        """Return a row of `Inversions`."""
        examples = [number for batch in self._schedule.batches(self._places[client], round) for number in batch]
        gradients = self.history.update(round, client)
        given = {name: torch.from_numpy(values) for name, values in self.history.model(round - 1).items()}
        network = DenseNetwork.of(given, self._settings.dropout)
        found = invert(network, gradients, len(examples), self._others, Inversion())
        truth, others = self._inputs[examples], without_inversion(gradients, len(examples), self._others, round)
        match, plain = compare(found.embeddings, truth), {name: compare(own, truth) for name, own in others.items()}
        gender = self._rows["gender"].iloc[examples[0]]
        return {
            "fold": self.number,
            "round": round,
            "client": client,
            "person": self._prepared.clients[self._places[client]].person,
            "examples": len(examples),
            "cosine": _told(match.mean),
            "close": match.share_above(CLOSE),
            "exact": float(found.exact.double().mean()),
            "cosine_of_others": _told(plain["others"].mean),
            "cosine_of_mean": _told(plain["mean"].mean),
            "labels": self._labels_told(found, examples),
            "gender": gender,
            "read": self._read(found.embeddings, found.labels),
            "read_off_truth": self._read(truth, self._prepared.workload.targets[examples]),
        }

    @cached_property
    def _settings(self) -> Federation:
        return Federation.of(self.history.facts["options"])

    @cached_property
    def _prepared(self) -> Prepared:
        return emotion.prepare(self._settings, self.sources)

    @cached_property
    def _schedule(self) -> Schedule:
        return Schedule(self._settings, self._prepared.clients)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {client.name: place for place, client in enumerate(self._prepared.clients)}

    @property
    def _rows(self) -> Any:
        return self._prepared.rows

    @cached_property
    def _inputs(self) -> torch.Tensor:
        inputs: torch.Tensor = self._prepared.workload.inputs  # type: ignore[attr-defined]
        return inputs

    @cached_property
    def _strangers(self) -> list[int]:
        """Examples of people who are no clients; where an official partition tests clients too, those are left out."""
        speakers, clients = self._rows["speaker"].tolist(), self._prepared.clients
        known = {speakers[number] for own in clients for number in (*own.train, *own.dev)} - {""}
        return [number for number in self._prepared.test if speakers[number] not in known]

    @property
    def _others(self) -> torch.Tensor:
        """Embeddings of people who are no clients, which an attacker may have."""
        return self._inputs[self._strangers]

    def _labels_told(self, found: Inverted, examples: Sequence[int]) -> float:
        """Return which share of the classes of examples was told right, whatever their order."""
        classes = len(self._prepared.workload.classes)
        said, true = (
            torch.bincount(labels, minlength=classes)
            for labels in (found.labels, self._prepared.workload.targets[list(examples)])
        )
        return float(torch.minimum(said, true).sum()) / len(examples)

    @cached_property
    def _classifier(self) -> Any:
        """Tells genders apart by what people who are no clients said; None where they are not of both."""
        genders = self._rows["gender"].to_numpy()[self._strangers]
        known = np.flatnonzero(genders != "")
        if len(set(genders[known])) < 2:
            return None
        numbers = np.asarray(self._strangers)[known]
        seen = self._by_class(self._inputs[numbers], self._prepared.workload.targets[numbers])
        return LogisticRegression(C=FREEDOM, class_weight="balanced", max_iter=2000).fit(seen, genders[known])

    def _by_class(self, embeddings: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
        """Return each embedding in the place of its class, zeros in those of others.

        Where features are normalised speaker by speaker, women and men differ in nothing over all that they say, but
        still in how they are angry.
        """
        placed = one_hot(labels, len(self._prepared.workload.classes))[:, :, None] * embeddings[:, None].double()
        return np.asarray(placed.flatten(1).numpy())

    def _read(self, embeddings: torch.Tensor, labels: torch.Tensor) -> str:
        """Return the gender that embeddings of one person speak for together; blank where it cannot be told."""
        if self._classifier is None:
            return ""
        together = self._classifier.decision_function(self._by_class(embeddings, labels)).mean()
        return str(self._classifier.classes_[int(together > 0)])


def _told(cosine: float) -> float:
    """Return a cosine with the digits that mean something."""
    return round(cosine, DIGITS)
