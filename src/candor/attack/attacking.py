"""Attack one trained model with the utterances that it is tested on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from candor.attack.crafting import Crafted, Settings, Speech, control, craft
from candor.attack.names import ATTACKED, CLEAN, CONTROL, NO_GRADIENT, SILENT, TARGET, TRANSFER, WRONG
from candor.attack.perturb import clipped_share, realised_snr, rms
from candor.models.audit import Utterance, batches, in_memory, variants_at_once
from candor.models.end_to_end import EndToEnd
from candor.store.objects import Store

Row = dict[str, Any]
Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Attack:
    """Who is attacked, by whose gradient, and how.

    Parameters
    ----------
    model
        Who is attacked.
    sources
        Whose gradients are followed: names of backbones, and models that tell the same emotions. A source that is not
        the model itself makes the attack one by transfer.
    classes
        The emotions in the order of the outputs.
    settings
        How.
    seed
        Seed of the model.
    store
        Where audio is.
    batch_seconds
        The most audio to run at once, where that pays.
    device
        What the models are on.
    """

    model: EndToEnd
    sources: tuple[tuple[str, EndToEnd], ...]
    classes: tuple[str, ...]
    settings: Settings
    seed: int
    store: Store
    batch_seconds: float = 60.0
    device: str = "cpu"

    def on(self, utterances: Sequence[Utterance]) -> list[Row]:
        """Return a row for each utterance as it is, and for those that are attacked one per method and ratio."""
        clean: dict[str, Row] = {}
        for batch in self._batches(utterances, [self.model], self._variants):
            for row in in_memory(batch, self._as_they_are):
                clean[row["utterance"]] = row
        todo = [own for own in utterances if clean[own.clip.utterance]["status"] == ATTACKED]
        rows: list[Row] = []
        for batch in self._batches(todo, [self.model, *(model for _, model in self.sources)]):
            rows += in_memory(batch, self._perturbed)
        for row in rows:
            row["before"] = clean[row["utterance"]]["predicted"]
        return [*(clean[own.clip.utterance] for own in utterances), *rows]

    def example(self, own: Utterance, method: str, snr: float) -> tuple[Samples, Samples, str]:
        """Return an utterance's samples as they are and attacked by a method, and what the model says of the latter."""
        speech = self._speech([own])
        for _, source in self.sources:
            for kind in self.settings.methods:
                if self._called(kind, source) == method:
                    for made in craft(kind, source, speech, replace(self.settings, snrs=(snr,))):
                        said = self._said(made.waveforms, speech)[0]
                        return speech.waveforms[0].cpu().numpy(), made.waveforms[0].cpu().numpy(), said
        raise ValueError(f"there is no attack {method} among those by {', '.join(name for name, _ in self.sources)}")

    def _called(self, method: str, source: EndToEnd) -> str:
        return method if source is self.model else f"{TRANSFER}{method}"

    @property
    def _variants(self) -> int:
        """Return how many variants of a batch to judge at once."""
        return variants_at_once(self.model.backbone, self.device, self.batch_seconds)

    def _batches(
        self, utterances: Sequence[Utterance], models: Sequence[EndToEnd], variants: int = 1
    ) -> Iterator[list[Utterance]]:
        backbones = [model.backbone for model in models]
        return batches(utterances, backbones, self.device, variants * self.batch_seconds)

    def _speech(self, batch: Sequence[Utterance]) -> Speech:
        clips = [own.clip for own in batch]
        waveforms = [torch.from_numpy(clip.waveform(self.store)) for clip in clips]
        goals = [self.settings.target or own.label for own in batch]
        return Speech(
            tuple(clip.utterance for clip in clips),
            torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True).to(self.device),
            torch.tensor([len(waveform) for waveform in waveforms]),
            tuple(own.number for own in batch),
            torch.tensor([self.classes.index(goal) for goal in goals], device=self.device),
            self.seed,
        )

    def _said(self, waveforms: torch.Tensor, speech: Speech, variants: int = 1) -> list[str]:
        """Return what the model says of so many variants of a batch, one after the other."""
        with torch.no_grad():
            outputs = self.model(waveforms, speech.lengths.repeat(variants), speech.numbers * variants)
        return [self.classes[place] for place in outputs.argmax(dim=1).tolist()]

    def _as_they_are(self, batch: Sequence[Utterance]) -> list[Row]:
        speech = self._speech(batch)
        loud = (rms(speech.waveforms, speech.lengths) > 0).tolist()
        rows = []
        for own, said, heard in zip(batch, self._said(speech.waveforms, speech), loud, strict=True):
            row = self._row(own, CLEAN, said)
            if said != own.label:
                row["status"] = WRONG
            elif not heard:
                row["status"] = SILENT
            elif own.label == self.settings.target:
                row["status"] = TARGET
            rows.append({**row, "before": said})
        return rows

    def _perturbed(self, batch: Sequence[Utterance]) -> list[Row]:
        speech = self._speech(batch)
        rows: list[Row] = []
        crafted = self._crafted(speech)
        while several := list(islice(crafted, self._variants)):
            said = self._said(torch.cat([made.waveforms for *_, made in several]), speech, len(several))
            for place, (method, source, made) in enumerate(several):
                heard = said[place * len(batch) : (place + 1) * len(batch)]
                rows += self._judged(batch, speech, method, source, made, heard)
        return rows

    def _crafted(self, speech: Speech) -> Iterator[tuple[str, str, Crafted]]:
        """Yield the perturbed utterances of each method and ratio, and by whose gradient."""
        for made in control(speech, self.settings):
            yield CONTROL, "", made
        for name, source in self.sources:
            for method in self.settings.methods:
                for made in craft(method, source, speech, self.settings):
                    yield self._called(method, source), name, made

    def _judged(
        self, batch: Sequence[Utterance], speech: Speech, method: str, source: str, made: Crafted, said: Sequence[str]
    ) -> Iterator[Row]:
        """Yield what the model says of perturbed utterances."""
        ratios = realised_snr(speech.waveforms, made.waveforms, speech.lengths).tolist()
        clipped = clipped_share(made.waveforms, speech.lengths).tolist()
        nowhere = made.no_gradient.tolist()
        for place, own in enumerate(batch):
            row = self._row(own, method, said[place])
            row |= {"snr": made.snr, "source": source, "clipped": clipped[place], "realised_snr": ratios[place]}
            if nowhere[place]:
                row["status"] = NO_GRADIENT
            if ratios[place] == float("inf"):  # nothing was changed
                row["realised_snr"] = None
            yield row

    def _row(self, own: Utterance, method: str, said: str) -> Row:
        return {
            "utterance": own.clip.utterance,
            "seed": self.seed,
            "label": own.label,
            "target": self.settings.target or "",
            "method": method,
            "snr": None,
            "source": "",
            "before": "",
            "predicted": said,
            "realised_snr": None,
            "clipped": None,
            "status": ATTACKED,
        }
