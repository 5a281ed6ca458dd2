"""How good a model is on the validation data of all clients, and of each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from candor.federated.clients import Client
from candor.federated.errors import FederatedError
from candor.federated.world import World
from candor.models.outputs import outputs_of
from candor.stats.confusions import accuracy, count_confusions, uar
from candor.stats.intervals import FloatArray


@dataclass(frozen=True)
class Judgement:
    """What a model is worth.

    Parameters
    ----------
    loss, accuracy, uar
        Over the validation examples of all clients together.
    clients_uar
        Mean of the clients' own UAR, weighted by their examples.
    per_client
        Rows of `Judged` without the round: client, examples, loss, accuracy, uar.
    counts
        Confusion counts over all clients, [classes, classes].
    """

    loss: float
    accuracy: float
    uar: float
    clients_uar: float
    per_client: list[dict[str, str | float]]
    counts: FloatArray = field(compare=False)


class Judge:
    """Judges models on what clients keep for that.

    Parameters
    ----------
    world
        What is learned, and by whom.
    at_once
        Examples per step.
    clients
        Whose validation data is used; None for all clients'.

    Raises
    ------
    FederatedError
        When no client has any.
    """

    def __init__(self, world: World, at_once: int, clients: Sequence[Client] | None = None) -> None:
        self._workload, self._at_once, self._device = world.workload, at_once, world.device
        self._clients = [client for client in (world.clients if clients is None else clients) if client.dev]
        if not self._clients:
            raise FederatedError(
                "no client has validation data, as each holds a single clip; set partition to iid, or to another one "
                "that makes fewer clients"
            )
        self._numbers = [number for client in self._clients for number in client.dev]
        self._owner = np.repeat(np.arange(len(self._clients)), [len(client.dev) for client in self._clients])
        self._targets = world.workload.targets[torch.tensor(self._numbers)]

    def __call__(self, model: nn.Module) -> Judgement:
        """Return what a model is worth; it is in evaluation mode then."""
        outputs = outputs_of(model, self._workload, self._numbers, self._device, self._at_once)
        losses = self._workload.losses(outputs, self._targets).double().numpy()
        classes, clients = len(self._workload.classes), len(self._clients)
        codes = [self._owner, self._targets.numpy(), outputs.argmax(dim=1).numpy()]
        counts = count_confusions(codes, [clients, classes, classes])
        examples, uars = counts.sum(axis=(1, 2)), uar(counts)
        figures = (examples, np.bincount(self._owner, losses) / examples, accuracy(counts), uars)
        per_client: list[dict[str, str | float]] = [
            {"client": client.name, "examples": int(n), "loss": float(a), "accuracy": float(b), "uar": float(c)}
            for client, n, a, b, c in zip(self._clients, *figures, strict=True)
        ]
        together = counts.sum(axis=0)
        return Judgement(
            float(losses.mean()),
            float(accuracy(together)),
            float(uar(together)),
            float(np.average(uars, weights=examples)),
            per_client,
            together,
        )
