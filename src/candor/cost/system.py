"""A trained system, and all that is counted of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from candor.audio.conversion import RATE
from candor.cost.counting import Operations, operations, parameters
from candor.cost.lengths import counted_lengths, mean_over
from candor.features.clips import cut_clips
from candor.models.end_to_end import EndToEnd
from candor.models.ensemble import Ensemble
from candor.models.listening import Listener
from candor.runtime import Progress

SIX_SECONDS = 6 * RATE
"""Samples of what trust-ser counts for."""

Row = dict[str, Any]


@dataclass(frozen=True)
class System:
    """One model of a backbone with a recipe; in what is counted all its models are alike.

    Parameters
    ----------
    model
        The model with its backbone.
    tuned
        Names of the tensors of the backbone that were trained with it.
    """

    model: EndToEnd
    tuned: frozenset[str]


def load_system(head: str | Path, weights: str | Path | None, device: str = "cpu") -> System:
    """Return a system; where each speaker has a normalisation of his own, without one, which costs next to nothing.

    Parameters
    ----------
    head
        The file of a model.
    weights
        The table of the backbone's files; None for one that has none.
    device
        What it is run on.
    """
    ensemble = Ensemble.of([Path(head)])
    model = ensemble.models[0]
    listener = Listener(ensemble, Path(weights).parent if weights else None, device)
    return System(EndToEnd(listener.backbone_of(model), model).to(device), frozenset(model.tuned))


def used_samples(samples: Sequence[int], seconds: float | None) -> list[int]:
    """Return how many samples of each utterance a recipe uses."""
    return [clip.samples for clip in cut_clips([("", "", int(own)) for own in samples], seconds)]


@dataclass(frozen=True)
class Counted:
    """What was counted of a system.

    Parameters
    ----------
    system
        The system.
    samples
        How many samples the recipe uses of each utterance.
    at
        What the system does with an utterance of each of several lengths: some of those in `samples`, and 6 s.
    """

    system: System
    samples: Sequence[int]
    at: Mapping[int, Operations]

    @classmethod
    def of(cls, system: System, samples: Sequence[int], name: str) -> Counted:
        """Count a system's operations; `name` is what it is called in the log."""
        lengths = sorted({*counted_lengths(samples), SIX_SECONDS})
        at = {}
        with Progress(len(lengths), f"count {name}", "length") as progress:
            for length in lengths:
                at[length] = operations(system.model, length)
                progress.advance()
        return cls(system, samples, at)

    @property
    def reason(self) -> str:
        """Return why there is no figure of operations; blank where there is one."""
        missing = sorted({name for own in self.at.values() for name in own.uncounted})
        if missing:
            return f"operations not counted: no formula for {', '.join(missing)}"
        if not any(own.backbone for own in self.at.values()):
            return "operations not counted: what the backbone does is not done by torch"
        return ""

    def row(self) -> Row:
        """Return the row of `SystemCost`, without the names."""
        used = frozenset().union(*(own.used for own in self.at.values()))
        sizes = parameters(self.system.model, self.system.tuned, used)
        return {
            "parameters": sizes.backbone + sizes.head,
            "trainable": sizes.trained,
            "backbone_parameters": sizes.backbone,
            "head_parameters": sizes.head,
            "mean_seconds": float(np.mean(self.samples)) / RATE,
            "utterances": len(self.samples),
            **self._operations(),
            "note": self.reason,
        }

    def _operations(self) -> Row:
        names = ("flops_per_clip", "flops_6s", "flops_per_second")
        parts = ("backbone_flops_6s", "head_flops_6s", "fft_flops_6s")
        if self.reason:
            return dict.fromkeys((*names, *parts))
        six = self.at[SIX_SECONDS]
        lengths = sorted(self.at)
        mean = mean_over(self.samples, lengths, [self.at[length].total for length in lengths])
        whole = (mean, six.total, mean / (float(np.mean(self.samples)) / RATE))
        return dict(zip((*names, *parts), (*whole, six.backbone, six.head, six.fourier), strict=True))

    def lengths(self) -> list[Row]:
        """Return the rows of `CostLengths`."""
        there = {
            int(length): int(count) for length, count in zip(*np.unique(self.samples, return_counts=True), strict=True)
        }
        return [
            {
                "samples": length,
                "seconds": length / RATE,
                "backbone_flops": None if self.reason else own.backbone,
                "head_flops": None if self.reason else own.head,
                "fft_flops": None if self.reason else own.fourier,
                "utterances": there.get(length, 0),
            }
            for length, own in sorted(self.at.items())
        ]

    def as_trust_ser(self) -> dict[str, dict[str, float | None]]:
        """Return multiply-adds for 6 s in 10⁹ and parameters of the backbone in 10⁶, in trust-ser's format.

        Without Fourier transforms, which that system does not count.
        """
        row = self.row()
        macs = None if self.reason else (row["flops_6s"] - row["fft_flops_6s"]) / 2 / 1e9
        return {"1": {"flops": macs, "params": row["backbone_parameters"] / 1e6}}
