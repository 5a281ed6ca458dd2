"""All that is measured of a system: run here on some of the dataset's clips, and noted by the jobs that made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from candor.audio.conversion import decode
from candor.cost.measuring import Row, measured_row, sample
from candor.cost.spent import extraction_row, pretraining_row, training_row
from candor.cost.system import load_system, used_samples
from candor.store.objects import Store
from candor.tables.audio import AudioIndex

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TimingJob:
    """What is measured of a system.

    Parameters
    ----------
    head
        The file of a model.
    weights
        The table of its backbone's files; None for one that has none.
    audio
        The audio index.
    seconds
        The most that is used of a clip; None for all of it.
    measured_seconds
        How long it is run.
    store
        Where audio is.
    device
        What it is run on.
    extraction
        What the extraction says it has run, None where the backbone is tuned and nothing extracted; its benchmark file.
    trainings
        What the trainings of each fold say they have run; their benchmark files.
    pretraining
        The benchmark file of the backbone's pretraining; None if it was not pretrained here.
    """

    head: Path
    weights: Path | None
    audio: pd.DataFrame
    seconds: float | None
    measured_seconds: float
    store: Store
    device: str
    extraction: tuple[str | None, str]
    trainings: tuple[Sequence[str], Sequence[str]]
    pretraining: str | None

    @classmethod
    def of(cls, inputs: Any, params: Any, device: str) -> TimingJob:
        """Return the job that a rule describes by its input and parameters."""
        return cls(
            head=Path(inputs.head),
            weights=Path(inputs.weights) if inputs.get("weights") else None,
            audio=AudioIndex.read(inputs.audio),
            seconds=params.seconds,
            measured_seconds=params.measured_seconds,
            store=Store(params.store),
            device=device,
            extraction=(inputs.get("extraction"), params.extraction_benchmark),
            trainings=(list(inputs.trainings), params.training_benchmarks),
            pretraining=params.pretraining_benchmark,
        )

    def row(self) -> Row:
        """Return the row of `SystemTiming`, without the names."""
        system = load_system(self.head, self.weights, self.device)
        measured = measured_row(system.model, self.waveforms(), self.measured_seconds, self.device)
        parts = [self._extracted(), training_row(*self.trainings), pretraining_row(self.pretraining)]
        spent = {name: value for row, _ in parts for name, value in row.items()}
        return {**measured, **spent, "note": "; ".join(note for _, notes in parts for note in notes)}

    def waveforms(self) -> list[torch.Tensor]:
        """Return what the system is given: clips whose lengths are spread as those of all, as the recipe cuts them."""
        samples = used_samples(self.audio["samples"].tolist(), self.seconds)
        members = self.audio["member"].tolist()
        return [
            torch.from_numpy(decode(self.store.read(members[number]))[: samples[number]]) for number in sample(samples)
        ]

    def _extracted(self) -> tuple[Row, list[str]]:
        timing, bench = self.extraction
        if timing is None:
            blank = dict.fromkeys(("extraction_seconds", "extraction_audio", "extraction_memory"))
            return blank, ["extraction: none, the backbone is run in training"]
        return extraction_row(timing, bench)
