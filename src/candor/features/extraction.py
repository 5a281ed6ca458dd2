"""Extract pooled hidden states: once per clip and backbone, resumable, whatever else changes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from candor.audio.conversion import decode
from candor.backbones.interface import Backbone, Family
from candor.runtime import Explained, Progress
from candor.store.ledger import Ledger
from candor.store.objects import Store, digest

POOLING_VERSION = 1
STATISTICS = ("mean", "sd")
PACK = 512
"""Utterances per member of the store; a killed extraction loses at most that many."""

Row = dict[str, str | int]


class FeatureError(Explained, ValueError):
    """A clip has no usable features; the message names it."""


@dataclass(frozen=True)
class Place:
    """Where the features of an utterance are, as the ledger notes it."""

    member: str
    row: int
    frames: int

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return the place that `text` notes."""
        member, row, frames = text.split(" ")
        return cls(member, int(row), int(frames))

    def __str__(self) -> str:
        return f"{self.member} {self.row} {self.frames}"


def identity(name: str, family: Family, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that hidden states depend on besides the audio."""
    return {
        "family": name,
        "features_version": family.FEATURES_VERSION,
        "options": dict(sorted(options.items())),
        "pooling_version": POOLING_VERSION,
    }


def extract(
    audio: Sequence[tuple[str, str]], backbone: Backbone, identified: Mapping[str, Any], store: Store
) -> list[Row]:
    """Return the rows of the index after making what is missing.

    Parameters
    ----------
    audio
        Utterances and the members of the store that hold their audio.
    backbone
        What to run.
    identified
        Its `identity`.
    store
        Where audio is read and features are kept.
    """
    ledger = store.ledger("features")
    mark = json.dumps(identified, sort_keys=True)
    keys = {utterance: digest(f"{mark} {member}".encode()) for utterance, member in audio}
    whole: dict[str, bool] = {}

    def place_of(utterance: str) -> Place | None:
        noted = ledger.get(keys[utterance])
        if noted is None:
            return None
        place = Place.parse(noted)
        if place.member not in whole:
            whole[place.member] = store.intact(place.member)
        return place if whole[place.member] else None

    store.note_use(
        use := f"{mark} {digest(repr(sorted(audio)).encode())}", _members(place_of(name) for name, _ in audio)
    )
    missing = [(utterance, member) for utterance, member in audio if place_of(utterance) is None]
    with Progress(len(missing), f"features {identified['family']}", "clip") as progress:
        for start in range(0, len(missing), PACK):
            batch = missing[start : start + PACK]
            pooled = list(_pool_each(batch, backbone, store, progress))
            _keep(batch, pooled, keys, store, ledger, whole)
    rows: list[Row] = []
    for utterance, _ in audio:
        place = place_of(utterance)
        if place is None:
            raise RuntimeError(f"features of {utterance} vanished from the store while they were being listed")
        rows.append({"utterance": utterance, "member": place.member, "row": place.row, "frames": place.frames})
    store.note_use(use, (str(row["member"]) for row in rows))
    return rows


def _members(places: Iterable[Place | None]) -> Iterator[str]:
    return (place.member for place in places if place is not None)


def _pool_each(
    batch: Sequence[tuple[str, str]], backbone: Backbone, store: Store, progress: Progress
) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the statistics and the number of frames of each clip, run alone so that no neighbour can matter."""
    for utterance, member in batch:
        waveform = torch.from_numpy(decode(store.read(member)))[None]
        with torch.no_grad():
            hidden = backbone(waveform, torch.tensor([waveform.shape[1]]))
        frames = int(hidden.lengths[0])
        if frames < 1:
            raise FeatureError(f"{utterance}: too short for a single frame; raise corpora.min_duration")
        states = hidden.states[:, 0, :frames].double()
        pooled = torch.stack([states.mean(dim=1), states.std(dim=1, correction=0)], dim=1).float().numpy()
        if not np.isfinite(pooled).all():
            raise FeatureError(f"{utterance}: features are not finite")
        yield pooled, frames
        progress.advance()


def _keep(
    batch: Sequence[tuple[str, str]],
    pooled: Sequence[tuple[np.ndarray, int]],
    keys: Mapping[str, str],
    store: Store,
    ledger: Ledger,
    whole: dict[str, bool],
) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.stack([values for values, _ in pooled]), allow_pickle=False)
    member = store.put(buffer.getvalue(), ".npy")
    whole[member] = True
    for row, ((utterance, _), (_, frames)) in enumerate(zip(batch, pooled, strict=True)):
        ledger.put(keys[utterance], str(Place(member, row, frames)))
    ledger.flush()
