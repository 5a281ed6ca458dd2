"""Ask the models of a fold about disturbed utterances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from candor.audio.conversion import RATE
from candor.models.as_trained import AsTrained
from candor.models.audit import Utterance, batches, in_memory, variants_at_once
from candor.robustness.names import DISTURBED, SILENT
from candor.robustness.transforms import ADDED, TRANSFORMS, Recording, Samples, as_recorded, realised_snr
from candor.robustness.voices import Voices
from candor.runtime import Progress

Row = dict[str, Any]


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
class Asking:
    """Asks the models of a fold about disturbed utterances.

    Parameters
    ----------
    models
        Who is asked.
    tests
        The strengths of each test.
    voices
        Who speaks in the dataset.
    seconds
        The most that is used of an utterance; None for all of it.
    batch_seconds, device
        How models are run.
    """

    models: AsTrained
    tests: Mapping[str, Sequence[float]]
    voices: Voices
    seconds: float | None
    batch_seconds: float
    device: str

    def about(self, utterances: Sequence[Utterance], progress: Progress) -> list[Row]:
        """Return what the models say of utterances, disturbed in every way."""
        rows: list[Row] = []
        for batch in self._batches(utterances):
            recordings = [self._recording(own) for own in batch]
            for test, strengths in self.tests.items():
                disturbed = [
                    self._disturbed(own, recording, test, strengths)
                    for own, recording in zip(batch, recordings, strict=True)
                ]
                by_strength = [variant for together in zip(*disturbed, strict=True) for variant in together]
                for start in range(0, len(by_strength), step := len(batch) * self._at_once):
                    rows += self._said(by_strength[start : start + step])
            progress.advance(len(batch))
        return rows

    def about_clean(self, utterances: Sequence[Utterance]) -> list[Row]:
        """Return what the models say of utterances as they were recorded."""
        rows: list[Row] = []
        for batch in self._batches(utterances):
            samples = [self._cut(self.voices.samples(own.clip.utterance)) for own in batch]
            rows += self._said(
                [Variant(own, "none", 0.0, heard, None, DISTURBED) for own, heard in zip(batch, samples, strict=True)]
            )
        return rows

    def _said(self, variants: Sequence[Variant]) -> list[Row]:
        """Return what the models say of disturbed utterances; blank of those that are left out."""
        heard = [variant for variant in variants if variant.waveform is not None]
        rows = [
            self._row(variant, seed, None)
            for variant in variants
            if variant.waveform is None
            for seed in self.models.models
        ]
        return rows + (in_memory(heard, self._answers) if heard else [])

    def _batches(self, utterances: Sequence[Utterance]) -> Iterator[list[Utterance]]:
        return batches(utterances, [self.models.backbone], self.device, self.batch_seconds)

    @property
    def _at_once(self) -> int:
        return variants_at_once(self.models.backbone, self.device, self.batch_seconds)

    def _recording(self, own: Utterance) -> Recording:
        voices, name = self.voices, own.clip.utterance
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
        seconds = self.seconds
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
