"""Emotions from features of a speech backbone, by a dense network on pooled states or the cnn head on frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from candor.corpora.emotions import classes_in
from candor.features.reading import Frames
from candor.federated.clients import Client
from candor.federated.data_faults import microphones
from candor.federated.errors import FederatedError
from candor.federated.partitions.partition import among_people, clients_of
from candor.federated.settings import Settings
from candor.federated.workloads.mlp import Mlp
from candor.federated.workloads.prepared import Prepared, Sources
from candor.federated.workloads.scaling import scaled, speakers_apart
from candor.federated.workloads.states import mean_states
from candor.federated.workloads.workload import InMemory, Workload
from candor.models.inputs import FrameBatch, FrameInputs
from candor.models.networks import FrameNetwork
from candor.models.normalising import groups_of
from candor.models.prepare import normalisation_of
from candor.models.recipe import Recipe
from candor.models.tasks import encode

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["utterance", "speaker", "gender", "session", "label", "part"]
TEST = "test"

CNN_WIDTH = 128
"""Width of the cnn head where none is given, as in `recipes`."""


class Pooled(InMemory):
    """Emotions from one vector per utterance.

    Parameters
    ----------
    classes, targets, inputs
        As for every workload in memory; inputs are [utterances, dimensions].
    hidden_size, dropout
        Of the dense network.
    """

    def __init__(
        self,
        classes: Sequence[str],
        targets: torch.Tensor,
        inputs: torch.Tensor,
        hidden_size: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__(classes, targets, inputs)
        self.hidden_size, self.dropout = list(hidden_size), dropout

    def make(self) -> nn.Module:
        """Return an untrained dense network."""
        return Mlp(self.inputs.shape[1], self.hidden_size, len(self.classes), self.dropout)


class OfFrames(Workload):
    """Emotions from the hidden states of every frame, which stay in the store until they are asked for.

    Parameters
    ----------
    classes, targets
        As for every workload.
    inputs
        The frames, and how they are normalised.
    recipe
        Which head reads them.
    """

    def __init__(self, classes: Sequence[str], targets: torch.Tensor, inputs: FrameInputs, recipe: Recipe) -> None:
        super().__init__(classes, targets)
        self.inputs, self.recipe = inputs, recipe

    def make(self) -> nn.Module:
        """Return an untrained mix of layers with a head."""
        frames = self.inputs.frames
        return FrameNetwork(frames.layers, frames.dimensions, len(self.classes), self.recipe)

    def batch(self, numbers: Sequence[int], device: str) -> FrameBatch:
        """Return the frames of these examples."""
        return self.inputs.batch(numbers, device)


def prepare(settings: Settings, sources: Sources) -> Prepared:
    """Return the federation of a fold.

    Parameters
    ----------
    settings
        The run.
    sources
        The fold's table, features, and their store.

    Raises
    ------
    FederatedError
        When the fold cannot be divided as asked, or has no such features.
    """
    assert sources.table is not None
    rows = sources.table[COLUMNS].fillna("").reset_index(drop=True)
    classes = sources.classes or classes_in(rows["label"])
    if len(classes) < 2:
        raise FederatedError(f"fold {sources.fold}: only the class {classes[0]!r} is there; at least two are needed")
    in_test = (rows["part"] == TEST).to_numpy()
    trained_on, test = np.flatnonzero(~in_test).tolist(), np.flatnonzero(in_test).tolist()
    partition = among_people(settings.partition, rows, settings.shards)
    clients = clients_of(rows, trained_on, partition, settings)
    by_speaker = settings.norm != "nonorm" and settings.norm_scope == "speaker"
    if by_speaker:
        _require_speakers(rows["speaker"].tolist(), settings)
    targets = encode(rows["label"].tolist(), classes)
    # Of who speaks, what follows asks only whose scale an example is brought to.
    apart = speakers_apart(rows["speaker"].tolist(), clients) if settings.defence.guarantees else rows["speaker"]
    make = _of_frames if settings.downstream_model == "cnn" else _pooled
    workload, facts = make(settings, sources, rows.assign(speaker=apart), classes, targets, clients)
    return Prepared(workload, rows, clients, test, partition, by_speaker, facts)


def _require_speakers(speakers: Sequence[str], settings: Settings) -> None:
    way_out = "Set norm to nonorm" if settings.defence.guarantees else "Set it to train, or norm to nonorm"
    if unknown := sum(not speaker for speaker in speakers):
        raise FederatedError(
            f"norm_scope 'speaker' needs the speaker of every clip, but {unknown} of {len(speakers)} have none. "
            f"{way_out}"
        )


def _learned_from(rows: pd.DataFrame, clients: Sequence[Client]) -> list[bool]:
    """Return of each example whether a client learns from it; what is kept to judge models on does not count."""
    numbers = {number for client in clients for number in client.train}
    return [number in numbers for number in range(len(rows))]


def _pooled(
    settings: Settings,
    sources: Sources,
    rows: pd.DataFrame,
    classes: Sequence[str],
    targets: torch.Tensor,
    clients: Sequence[Client],
) -> tuple[Workload, Mapping[str, Any]]:
    """Return what the dense network learns from."""
    assert sources.store is not None
    noise, names = settings.faults.microphone_noise, rows["utterance"].tolist()
    heard_by = microphones(clients, noise, settings.seed) if noise else {}
    index = _as_recorded(sources, heard_by, names, clients)
    states = mean_states(index, names, sources.store, settings.layer)
    measured, group = groups_of(rows["speaker"].tolist(), _learned_from(rows, clients), settings.norm_scope)
    members = [np.flatnonzero(np.asarray(group) == number).tolist() for number in range(len(measured))]
    values = scaled(states, settings.norm, list(zip(measured, members, strict=True)))
    inputs = torch.from_numpy(values).float()
    workload = Pooled(classes, targets, inputs, settings.hidden_size, settings.dropout)
    facts = {"dimensions": inputs.shape[1], "layer": settings.layer}
    return workload, {**facts, "microphones": heard_by} if heard_by else facts


def _as_recorded(
    sources: Sources, heard_by: Mapping[str, float], names: Sequence[str], clients: Sequence[Client]
) -> pd.DataFrame:
    """Return where the features of utterances are: of clients as their microphones record them, of others as they were.

    Parameters
    ----------
    sources
        Where features come from.
    heard_by
        The microphone of each client; none for all as they were.
    names
        The utterances, by number.
    clients
        Who holds which.
    """
    import pandas as pd

    assert sources.pooled is not None
    if not heard_by:
        return sources.pooled
    assert sources.noised is not None
    levels = {names[number]: heard_by[own.name] for own in clients for number in own.train + own.dev}
    clean = sources.pooled[~sources.pooled["utterance"].isin(list(levels))]
    return pd.concat([clean, sources.noised(levels)], ignore_index=True)


def _of_frames(
    settings: Settings,
    sources: Sources,
    rows: pd.DataFrame,
    classes: Sequence[str],
    targets: torch.Tensor,
    clients: Sequence[Client],
) -> tuple[Workload, Mapping[str, Any]]:
    """Return what the cnn head learns from."""
    if settings.faults.microphone_noise:
        raise FederatedError(
            "faults.microphone_noise changes pooled features only, which downstream_model 'cnn' does not read; "
            "set that to mlp, or leave out the noise"
        )
    assert sources.store is not None
    assert sources.frames is not None
    recipe = cnn_recipe(settings)
    # The normalisation is measured on what is called train in the table: here, what clients learn from.
    measured_on = np.where(_learned_from(rows, clients), "train", "")
    frames = Frames(sources.frames, rows["utterance"].tolist(), sources.store)
    affine = normalisation_of(rows.assign(part=measured_on), recipe, sources.store, sources.pooled, frames)
    workload = OfFrames(classes, targets, FrameInputs(frames, affine), recipe)
    return workload, {"layers": frames.layers, "dimensions": frames.dimensions, "width": recipe.hidden_size}


def cnn_recipe(settings: Settings) -> Recipe:
    """Return the recipe of the cnn head with the width, the dropout and the normalisation of a run."""
    given = len(settings.hidden_size) == 1
    return Recipe(
        "cnn",
        settings.learning_rate,
        settings.num_epochs,
        settings.batch_size or 0,
        norm=settings.norm,
        norm_scope=settings.norm_scope,
        conv_layers=2,
        num_layers=2,
        hidden_size=settings.hidden_size[0] if given else CNN_WIDTH,
        dropout=settings.dropout,
    )
