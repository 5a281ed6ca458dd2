"""All that a job of the stage does: disturb test utterances, ask the models of every fold, part by part."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from candor.audio.conversion import RATE, decode
from candor.features.clips import in_batches
from candor.features.extraction import worthwhile_seconds
from candor.made_of import hashes_of
from candor.models.as_trained import AsTrained
from candor.models.auditing import Utterance, check_same_answers, in_memory, tested_utterances
from candor.models.trained import TrainedSystem
from candor.robustness.names import DISTURBED, SILENT
from candor.robustness.sample import drawn_evenly
from candor.robustness.transforms import ADDED, TRANSFORMS, Recording, Samples, as_recorded, realised_snr
from candor.runtime import Explained, Progress, use_device
from candor.stats.clustering import clusters
from candor.store.objects import Store
from candor.tables.audio import AudioIndex
from candor.tables.models import Predictions, RatingPredictions
from candor.tables.splits import FoldTable
from candor.unfinished import Unfinished

if TYPE_CHECKING:
    import pandas as pd

PART = 100
"""Utterances that are disturbed before what was found is kept aside."""

CHECKED = 32
"""Clean utterances per fold of which models must say what they said when they were trained."""

VARIANTS = 4
"""Variants of a batch that pay to be run at once by a recurrent network on a CPU, whose steps are small."""

FEWEST_VOICES, MOST_VOICES = 4, 7
"""Speakers of a babble, as in ser-tests; fewer where the dataset has fewer others."""

RATED_ALIKE = 1e-3
"""By how much a rating of a clean utterance may deviate, in its own unit."""

Row = dict[str, Any]


class RobustnessError(Explained, RuntimeError):
    """Models cannot be tested; the message says why."""


@dataclass(frozen=True)
class Variant:
    """A disturbed utterance, as much of it as a model is given; or why there is none."""

    own: Utterance
    test: str
    strength: float
    waveform: torch.Tensor | None
    snr: float | None
    status: str


@dataclass(frozen=True)
class RobustnessJob:
    """The tests of a backbone with a recipe, over all folds.

    Parameters
    ----------
    system
        Whose models are tested.
    folds
        The table of each fold, by its number.
    predictions
        What the models said of the test utterances when they were trained, by fold.
    audio
        The audio index.
    seconds
        The most that is used of a clip; None for all of it.
    seeds
        Whose models are tested.
    tests
        The strengths of each test.
    most
        How many utterances are disturbed, at most; None for all.
    store
        Where audio and hidden states are.
    batch_seconds, device
        How models are run.
    aside
        The folder for what is done of an unfinished job.
    made_of
        All that the result depends on besides the tests.
    """

    system: TrainedSystem
    folds: Mapping[int, pd.DataFrame]
    predictions: Mapping[int, pd.DataFrame]
    audio: pd.DataFrame
    seconds: float | None
    seeds: Sequence[int]
    tests: Mapping[str, Sequence[float]]
    most: int | None
    store: Store
    batch_seconds: float = 60.0
    device: str = "cpu"
    aside: Path | None = None
    made_of: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Mapping[str, str], inputs: Any, params: Any, resources: Any) -> RobustnessJob:
        """Return the job that a rule describes by its wildcards, input, parameters and resources."""
        folds = {number: FoldTable.read(file) for number, file in enumerate(inputs.folds, start=1)}
        said = Predictions if params.pred == "emotion" else RatingPredictions
        return cls(
            system=TrainedSystem.of(run["backbone"], list(product(folds, params.seeds)), inputs),
            folds=folds,
            predictions={number: said.read(file) for number, file in enumerate(inputs.predictions, start=1)},
            audio=AudioIndex.read(inputs.audio),
            seconds=params.seconds,
            seeds=params.seeds,
            tests=params.tests,
            most=params.utterances,
            store=Store(params.store),
            batch_seconds=resources.batch_seconds,
            device=use_device(resources.device),
            aside=Path(params.aside),
            made_of={"inputs": hashes_of(inputs), "code": params.code},
        )

    def run(self) -> list[Row]:
        """Return the rows of `Disturbed` or `DisturbedRatings`, fold by fold."""
        utterances = {fold: self.utterances(fold) for fold in self.folds}
        rows: list[Row] = []
        with Progress(sum(map(len, utterances.values())), f"disturb {self.system.backbone}", "utterance") as progress:
            for fold, own in utterances.items():
                rows += self._in_order(fold, self._fold(fold, own, progress))
        return rows

    def clear_away(self) -> None:
        """Forget what was kept aside, once the result is written."""
        self._unfinished().remove()

    def utterances(self, fold: int) -> list[Utterance]:
        """Return the test utterances of a fold that are disturbed, the longest first."""
        tested = tested_utterances(self.folds[fold], self.audio, self.seconds)
        return [own for own in tested if own.clip.utterance in self._drawn]

    @cached_property
    def _drawn(self) -> frozenset[str]:
        import pandas as pd

        tables = [table[table["part"] == "test"] for table in self.folds.values()]
        return drawn_evenly(pd.concat(tables), self.most)

    def _fold(self, fold: int, utterances: Sequence[Utterance], progress: Progress) -> list[Row]:
        unfinished, asked = self._unfinished(), None
        rows: list[Row] = []
        for start in range(0, len(utterances), PART):
            part, chosen = f"fold{fold}-{start:06}", utterances[start : start + PART]
            done = unfinished.load(part)
            if done is None:
                if asked is None:
                    asked = self.system.as_trained(fold, self.seeds, self.folds[fold], self.store, self.device)
                    self._check(fold, asked, utterances[:: max(1, len(utterances) // CHECKED)][:CHECKED])
                done = Asking(self, asked).about(chosen, progress)
                unfinished.save(part, done)
            else:
                progress.advance(len(chosen))
            rows += done
        return [{"fold": fold, **row} for row in rows]

    def _check(self, fold: int, asked: AsTrained, utterances: Sequence[Utterance]) -> None:
        """Refuse models that say something else of clean utterances than when they were trained."""
        asking = Asking(self, asked)
        found = [
            row for batch in asking.batches(utterances) for row in asking.said([asking.clean(own) for own in batch])
        ]
        table = self.predictions[fold]
        for seed in self.seeds:
            stored = table[table["seed"] == seed].set_index("utterance")["predicted"].to_dict()
            own = {row["utterance"]: row["predicted"] for row in found if row["seed"] == seed}
            same = {name: _alike(said, stored.get(name)) for name, said in own.items()}
            whose = f"the model of fold {fold} and seed {seed} on {self.system.backbone}"
            check_same_answers(same, whose, RobustnessError)

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

    def _unfinished(self) -> Unfinished:
        asked = {"tests": dict(self.tests), "utterances": self.most, "seeds": list(self.seeds), "seconds": self.seconds}
        of = {**self.made_of, **asked, "device": self.device.partition(":")[0]}
        return Unfinished(self.aside, json.dumps(of, sort_keys=True))

    @cached_property
    def voices(self) -> Voices:
        """All who speak in the dataset, tested or not."""
        import pandas as pd

        everyone = pd.concat(self.folds.values()).drop_duplicates("utterance")
        return Voices(everyone, dict(zip(self.audio["utterance"], self.audio["member"], strict=True)), self.store)


class Voices:
    """Who speaks in a dataset, to be heard behind others.

    Parameters
    ----------
    everyone
        Rows of fold tables, each utterance once.
    members
        Where the audio of each utterance is.
    store
        Where that is read.
    """

    def __init__(self, everyone: pd.DataFrame, members: Mapping[str, str], store: Store) -> None:
        self._members, self._store = members, store
        self._speaker = dict(zip(everyone["utterance"], clusters(everyone), strict=True))
        self._said: dict[str, list[str]] = defaultdict(list)
        for name, speaker in sorted(self._speaker.items()):
            self._said[speaker].append(name)
        self._speakers = sorted(self._said)

    def behind(self, utterance: str, draws: np.random.Generator) -> list[Samples]:
        """Return recordings of other speakers than that of an utterance, one of each; fewer where there are few."""
        others = [speaker for speaker in self._speakers if speaker != self._speaker[utterance]]
        wanted = int(draws.integers(FEWEST_VOICES, MOST_VOICES + 1))
        chosen = draws.permutation(len(others))[:wanted]
        names = [said[int(draws.integers(len(said)))] for said in (self._said[others[place]] for place in chosen)]
        return [self.samples(name) for name in names]

    def samples(self, utterance: str) -> Samples:
        """Return the whole recording of an utterance."""
        return decode(self._store.read(self._members[utterance]))


class Asking:
    """Asks the models of a fold about disturbed utterances.

    Parameters
    ----------
    job
        What is to be asked.
    models
        Who is asked.
    """

    def __init__(self, job: RobustnessJob, models: AsTrained) -> None:
        self.job, self.models = job, models

    def about(self, utterances: Sequence[Utterance], progress: Progress) -> list[Row]:
        """Return what the models say of utterances, disturbed in every way."""
        rows: list[Row] = []
        for batch in self.batches(utterances):
            recordings = [self._recording(own) for own in batch]
            for test, strengths in self.job.tests.items():
                disturbed = [
                    self._disturbed(own, recording, test, strengths)
                    for own, recording in zip(batch, recordings, strict=True)
                ]
                by_strength = [variant for together in zip(*disturbed, strict=True) for variant in together]
                for start in range(0, len(by_strength), step := len(batch) * self._at_once):
                    rows += self.said(by_strength[start : start + step])
            progress.advance(len(batch))
        return rows

    def batches(self, utterances: Sequence[Utterance]) -> Iterator[list[Utterance]]:
        """Yield utterances of similar length, as many as it pays to run at once."""
        seconds = worthwhile_seconds(self.models.backbone, self.job.device, self.job.batch_seconds)
        by_name = {own.clip.utterance: own for own in utterances}
        for batch in in_batches([own.clip for own in utterances], seconds):
            yield [by_name[clip.utterance] for clip in batch]

    def clean(self, own: Utterance) -> Variant:
        """Return an utterance as it was recorded."""
        return Variant(own, "none", 0.0, self._cut(self.job.voices.samples(own.clip.utterance)), None, DISTURBED)

    def said(self, variants: Sequence[Variant]) -> list[Row]:
        """Return what the models say of disturbed utterances; blank of those that are left out."""
        heard = [variant for variant in variants if variant.waveform is not None]
        rows = [
            self._row(variant, seed, None)
            for variant in variants
            if variant.waveform is None
            for seed in self.job.seeds
        ]
        return rows + (in_memory(heard, self._answers) if heard else [])

    @property
    def _at_once(self) -> int:
        recurrent = worthwhile_seconds(self.models.backbone, self.job.device, self.job.batch_seconds) > 0
        return VARIANTS if recurrent and self.job.device == "cpu" else 1

    def _recording(self, own: Utterance) -> Recording:
        voices, name = self.job.voices, own.clip.utterance
        return Recording(name, voices.samples(name), lambda draws: voices.behind(name, draws))

    def _disturbed(
        self, own: Utterance, recording: Recording, test: str, strengths: Sequence[float]
    ) -> Iterator[Variant]:
        loud = bool(recording.samples.any())
        for strength, made in zip(strengths, TRANSFORMS[test](recording, strengths), strict=True):
            if isinstance(made, str):
                yield Variant(own, test, strength, None, None, made)
                continue
            written = as_recorded(made)
            snr = realised_snr(recording.samples, written) if test in ADDED else None
            yield Variant(own, test, strength, self._cut(written), snr, DISTURBED if loud else SILENT)

    def _cut(self, samples: Samples) -> torch.Tensor:
        seconds = self.job.seconds
        return torch.from_numpy(samples if seconds is None else samples[: max(1, round(seconds * RATE))])

    def _answers(self, variants: list[Variant]) -> list[Row]:
        waveforms = [variant.waveform for variant in variants if variant.waveform is not None]
        numbers = [variant.own.number for variant in variants]
        said = self.models.answers(waveforms, numbers, [variant.own.clip.utterance for variant in variants])
        return [
            self._row(variant, seed, answer)
            for seed, answers in said.items()
            for variant, answer in zip(variants, list[str | float](answers), strict=True)
        ]

    def _row(self, variant: Variant, seed: int, said: str | float | None) -> Row:
        return {
            "utterance": variant.own.clip.utterance,
            "seed": seed,
            "test": variant.test,
            "strength": variant.strength,
            "predicted": said,
            "realised_snr": variant.snr,
            "status": variant.status,
        }


def _alike(said: str | float, stored: str | float | None) -> bool:
    if isinstance(said, str) or stored is None:
        return said == stored
    return abs(said - float(stored)) < RATED_ALIKE
