"""All that a job of the stage does: find what is missing, load the backbone only then, run it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from candor.backbones.interface import Backbone, load_family
from candor.backbones.weights import identity as weights_identity
from candor.backbones.weights import verify
from candor.features.clips import Clip, cut_clips, in_batches
from candor.features.extraction import Extraction, Way, identity, run_batch, worthwhile_seconds
from candor.runtime import DeviceError, use_device
from candor.store.objects import Store
from candor.tables.backbones import Weights

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

COMPARED = 20
"""Clips that are run in both precisions to see how far the lower one deviates."""


@dataclass(frozen=True)
class Job:
    """Which backbone is run, and how.

    Parameters
    ----------
    name
        The backbone's name in the config.
    family, options
        Its family, and what its hidden states depend on besides the weights.
    weights
        The table of its files; None for a family that has none.
    seconds
        The most that is used of a clip; None for all of it.
    precision, batch_seconds, device
        As the config says.
    store
        Where audio is read and features are kept.
    """

    name: str
    family: str
    options: Mapping[str, Any]
    weights: Path | None
    seconds: float | None
    precision: str
    batch_seconds: float
    device: str
    store: Store

    @classmethod
    def of(cls, name: str, weights: str | None, params: Any, resources: Any) -> Job:
        """Return the job that a rule describes by its input, parameters and resources."""
        return cls(
            name=name,
            family=params.family,
            options=params.options,
            weights=Path(weights) if weights else None,
            seconds=params.seconds,
            precision=params.precision,
            batch_seconds=resources.batch_seconds,
            device=resources.device,
            store=Store(params.store),
        )

    def identified(self) -> dict[str, Any]:
        """Return all that hidden states depend on besides the audio."""
        family = load_family(self.family)
        hashes = weights_identity(Weights.read(self.weights)) if self.weights else None
        return identity(self.family, family.FEATURES_VERSION, self.options, hashes, self.precision)


def extract(job: Job, audio: pd.DataFrame, *, frames: bool) -> tuple[Extraction, dict[str, float]]:
    """Make what the store lacks of the hidden states of a dataset.

    Parameters
    ----------
    job
        The backbone and how it is run.
    audio
        The audio index.
    frames
        Whether the states of every frame are kept as well.

    Returns
    -------
    extraction : Extraction
        With everything in the store.
    deviation : dict
        How far states in lower precision are from those in full, where that was measured.
    """
    rows = audio[["utterance", "member", "samples"]].itertuples(index=False, name=None)
    clips = cut_clips([(str(name), str(member), int(samples)) for name, member, samples in rows], job.seconds)
    extraction = Extraction(clips, job.identified(), job.store, frames=frames)
    extraction.note_use()
    missing = extraction.missing()
    deviation: dict[str, float] = {}
    if missing:
        backbone, way = load_backbone(job)
        if job.precision != "float32":
            deviation = deviation_of(backbone, clips[:COMPARED], job.store, way)
        extraction.run(backbone, way, f"features {job.name}")
    else:
        logger.info("features %s: all %d clips are in the store", job.name, len(clips))
    return extraction, deviation


def load_backbone(job: Job) -> tuple[Backbone, Way]:
    """Return a backbone with verified weights on its device, and how to run it."""
    folder = job.weights.parent / Weights.FOLDER if job.weights else None
    if job.weights is not None and folder is not None:
        verify(folder, Weights.read(job.weights))
    device = use_device(job.device)
    if job.precision != "float32" and device == "cpu":
        raise DeviceError("config: features.precision is 'bfloat16', which needs a GPU; set it to 'float32'")
    backbone = load_family(job.family).load(job.options, folder).to(device)
    return backbone, Way(worthwhile_seconds(backbone, device, job.batch_seconds), job.precision, device)


def deviation_of(backbone: Backbone, clips: list[Clip], store: Store, way: Way) -> dict[str, float]:
    """Return how far the states of some clips are from those in full precision, relative to their size."""
    apart, size = 0.0, 0.0
    for batch in in_batches(clips, way.batch_seconds):
        lower, full = (
            run_batch(backbone, batch, store, Way(way.batch_seconds, precision, way.device))
            for precision in (way.precision, "float32")
        )
        for number, frames in enumerate(full.lengths.tolist()):
            exact = full.states[:, number, :frames]
            apart += float(torch.sum((lower.states[:, number, :frames] - exact) ** 2))
            size += float(torch.sum(exact**2))
    return {"relative_deviation": (apart / size) ** 0.5 if size else 0.0}
