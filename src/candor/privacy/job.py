"""All that the jobs of the stage do: attack layer by layer, or model by model, part by part."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from candor.made_of import hashes_of
from candor.models.same_answers import check_same_answers, same_answers, stored_answers
from candor.models.tasks import Rating
from candor.privacy.attackers import Attacker, CnnAttacker, LinearAttacker
from candor.privacy.attacks import Ready, attack_closed_set, attack_gender, attack_verification
from candor.privacy.membership import member_rows
from candor.privacy.names import (
    ALL_LAYERS,
    CNN,
    EMBEDDING,
    FRAMES,
    GENDER,
    LINEAR,
    METRIC_OF,
    POOLED,
    SPEAKER,
    VECTOR,
    layer_name,
)
from candor.privacy.outcomes import Row, What
from candor.privacy.people import Deal, People, deal
from candor.privacy.settings import Settings
from candor.privacy.states import LayerStates, vectors
from candor.privacy.trained import Kept, Models, OnAudio, OnStates, by_fold_and_seed
from candor.runtime import Explained, Progress, use_device
from candor.stats.clustering import clusters
from candor.store.objects import Store
from candor.tables.audio import AudioIndex
from candor.tables.corpora import Utterances
from candor.tables.features import FeatureIndex, FrameIndex
from candor.tables.models import predictions_table
from candor.tables.splits import FoldTable
from candor.unfinished import Unfinished

if TYPE_CHECKING:
    from candor.stats.intervals import FloatArray

logger = logging.getLogger(__name__)

TOLERANCE = 0.02
"""By how much a rating may differ from what the model said when it was trained, in deviations of the ratings."""

ONE_LAYER = "the only layer there is"


class PrivacyError(Explained, RuntimeError):
    """Models cannot be attacked; the message says why."""


@dataclass(frozen=True)
class LayersJob:
    """The attacks on the layers of a backbone.

    Parameters
    ----------
    people
        The utterances.
    states
        Returns their hidden states.
    settings
        What is attacked and how.
    device
        What networks run on.
    unfinished
        What of an unfinished job is done.
    """

    people: People
    states: Callable[[], LayerStates]
    settings: Settings
    device: str
    unfinished: Unfinished

    @classmethod
    def of(cls, inputs: Any, params: Any, resources: Any) -> LayersJob:
        """Return the job that a rule describes by its input, parameters and resources."""
        folds = {number: FoldTable.read(file) for number, file in enumerate(inputs.folds, start=1)}
        people, settings = People.of(Utterances.read(inputs.utterances), folds), Settings.of(params.settings)
        frames, device = inputs.get("frames"), use_device(resources.device)

        def states() -> LayerStates:
            index = FrameIndex.read(frames) if frames else None
            pooled, store = FeatureIndex.read(inputs.features), Store(params.store)
            return LayerStates(pooled, index, people.utterances, store, settings.max_frames, Path(params.aside))

        return cls(people, states, settings, device, _unfinished(params, inputs, device))

    def run(self) -> list[Row]:
        """Return the rows of `PrivacyLayers`, layer by layer, and all layers together at the end."""
        states, rows = self.states(), []
        several = states.layers > 1
        sources = [*range(states.layers), *([None] if several else [])]
        parts = len(sources) * len(self.settings.attackers)
        with Progress(parts, "attack layers", "attack") as progress:
            for layer in sources:
                source = ALL_LAYERS if layer is None else layer_name(layer)
                for attacker in self.settings.attackers:
                    rows += self._part(states, layer, source, attacker)
                    progress.advance()
        if not several:
            rows += [{**row, "source": ALL_LAYERS, "note": _with(row["note"], ONE_LAYER)} for row in rows]
        return rows

    def _part(self, states: LayerStates, layer: int | None, source: str, attacker: str) -> list[Row]:
        name = f"{attacker}-{'all' if layer is None else layer}"
        done = self.unfinished.load(name)
        if done is None:
            made = _attacker_on_layer(states, layer, attacker, self.settings, self.device)
            reads = FRAMES if attacker == CNN and states.of_frames else POOLED
            done = list(_attacks(self.people, self.settings, lambda *_: made, [0], source, attacker, reads, [None]))
            self.unfinished.save(name, done)
        return done


@dataclass(frozen=True)
class ModelsJob:
    """The attacks on the trained models of a backbone and recipe.

    Parameters
    ----------
    people
        The utterances.
    folds
        The table of each fold.
    predictions
        What the models said of test utterances when they were trained, by fold.
    models
        Returns what a model keeps.
    seeds
        Whose models are attacked.
    settings, device, unfinished
        As for `LayersJob`.
    slow
        Whether a model takes long to say what it keeps, so that this is kept aside too.
    """

    people: People
    folds: Mapping[int, pd.DataFrame]
    predictions: Mapping[int, pd.DataFrame]
    models: Models
    seeds: Sequence[int]
    settings: Settings
    device: str
    unfinished: Unfinished
    slow: bool = False
    _seen: dict[tuple[int, int], Kept] = field(default_factory=dict)

    @classmethod
    def of(cls, inputs: Any, params: Any, resources: Any) -> ModelsJob:
        """Return the job that a rule describes by its input, parameters and resources."""
        folds = {number: FoldTable.read(file) for number, file in enumerate(inputs.folds, start=1)}
        table = predictions_table(params.pred)
        device = use_device(resources.device)
        return cls(
            People.of(Utterances.read(inputs.utterances), folds),
            folds,
            {number: table.read(file) for number, file in enumerate(inputs.predictions, start=1)},
            _models(folds, inputs, params, device),
            params.seeds,
            Settings.of(params.settings),
            device,
            _unfinished(params, inputs, device),
            params.reads == "audio",
        )

    def run(self) -> tuple[list[Row], list[Row]]:
        """Return the rows of `PrivacyEmbedding` and of `MemberLosses`."""
        losses: list[Row] = []
        with Progress(len(self.folds) * len(self.seeds), "look into models", "model") as progress:
            for fold, table in self.folds.items():
                for seed in self.seeds:
                    kept = self._kept(fold, seed)
                    self._compare(fold, seed, kept)
                    if self.settings.of_members:
                        losses += member_rows(fold, seed, table, clusters(table), kept.losses(table))
                    progress.advance()
        return list(self._rows()), losses

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.people.utterances)}

    def _rows(self) -> Iterator[Row]:
        for attacker in self.settings.attackers if self.settings.of_states else ():
            done = self.unfinished.load(attacker)
            if done is None:
                ready = self._ready(attacker)
                attacks = _attacks(
                    self.people, self.settings, ready, self.seeds, EMBEDDING, attacker, VECTOR, list(self.folds)
                )
                done = list(attacks)
                self.unfinished.save(attacker, done)
            yield from done

    def _ready(self, attacker: str) -> Ready:
        made: dict[tuple[int, int], Attacker] = {}

        def ready(fold: int, seed: int) -> Attacker:
            if (fold, seed) not in made:
                states = self._of_all(fold, self._kept(fold, seed).embedding)
                if attacker == LINEAR:
                    made[fold, seed] = LinearAttacker(states)
                else:
                    made[fold, seed] = CnnAttacker(vectors(states), self.settings.effort, self.device)
            return made[fold, seed]

        return ready

    def _of_all(self, fold: int, embedding: FloatArray) -> FloatArray:
        """Return embeddings by the number of each utterance; those that are not in the fold are NaN, and not used."""
        states = np.full((len(self.people), embedding.shape[1]), np.nan)
        states[[self._places[name] for name in self.folds[fold]["utterance"]]] = embedding
        return states

    def _kept(self, fold: int, seed: int) -> Kept:
        if (fold, seed) not in self._seen:
            self._seen[fold, seed] = self._look(fold, seed)
        return self._seen[fold, seed]

    def _look(self, fold: int, seed: int) -> Kept:
        if not self.slow:
            return self.models(fold, seed)
        part = f"kept-fold{fold}-seed{seed}"
        done = self.unfinished.load(part)
        if done is None:
            kept = self.models(fold, seed)
            self.unfinished.save(part, kept.rows())
            return kept
        return Kept.of_rows(done)

    def _compare(self, fold: int, seed: int, kept: Kept) -> None:
        """Refuse a model that says something else of test utterances than when it was trained."""
        apart = TOLERANCE * kept.task.deviation if isinstance(kept.task, Rating) else 0.0
        same = same_answers(kept.said(self.folds[fold]), stored_answers(self.predictions[fold], seed), apart)
        check_same_answers(same, f"the model of fold {fold} and seed {seed}", PrivacyError)


def _attacks(
    people: People,
    settings: Settings,
    ready: Ready,
    seeds: Sequence[int],
    source: str,
    attacker: str,
    reads: str,
    folds: Sequence[int | None],
) -> Iterator[Row]:
    """Yield a row for each attack on a source."""
    dealt: Deal | None = None
    for attribute in settings.of_states:
        what = What(attribute, source, attacker, METRIC_OF[attribute], reads)
        if attribute == GENDER:
            yield attack_gender(people, ready, seeds, what)
            continue
        dealt = dealt or deal(people)
        if attribute == SPEAKER:
            yield attack_closed_set(people, dealt, ready, seeds, what, folds)
        else:
            yield attack_verification(people, dealt, ready, seeds, what)


def _attacker_on_layer(
    states: LayerStates, layer: int | None, attacker: str, settings: Settings, device: str
) -> Attacker:
    if attacker == LINEAR:
        return LinearAttacker(states.pooled(layer))
    return CnnAttacker(states.bags(layer), settings.effort, device)


def _models(folds: Mapping[int, pd.DataFrame], inputs: Any, params: Any, device: str) -> Models:
    heads = [inputs.heads] if isinstance(inputs.heads, str) else inputs.heads
    files, store = by_fold_and_seed(heads, list(folds), params.seeds), Store(params.store)
    if params.reads == "audio":
        weights = Path(inputs.weights).parent if inputs.get("weights") else None
        return OnAudio(files, folds, AudioIndex.read(inputs.audio), params.seconds, weights, store, device)
    frames = FrameIndex.read(inputs.frames) if params.reads == "frames" else None
    return OnStates(files, folds, FeatureIndex.read(inputs.features), frames, store, device)


def _unfinished(params: Any, inputs: Any, device: str) -> Unfinished:
    of = {
        "inputs": hashes_of(inputs),
        "settings": params.settings,
        "code": params.code,
        "device": device.partition(":")[0],
    }
    return Unfinished(Path(params.aside), json.dumps(of, sort_keys=True))


def _with(note: str, more: str) -> str:
    return f"{note}; {more}" if note else more
