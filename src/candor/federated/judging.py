"""How good a model is on the validation data of all clients, and of each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from candor.federated.clients import Client
from candor.federated.errors import FederatedError
from candor.federated.workloads.workload import Workload
from candor.federated.world import World

Numbers = NDArray[np.float64]


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
        Examples of each class over all clients, and those that are right, [2, classes].
    """

    loss: float
    accuracy: float
    uar: float
    clients_uar: float
    per_client: list[dict[str, str | float]]
    counts: Numbers = field(compare=False)


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
        outputs = outputs_of(model, self._workload, self._numbers, self._at_once, self._device)
        losses = self._workload.losses(outputs, self._targets).double().numpy()
        truth, said = self._targets.numpy(), outputs.argmax(dim=1).numpy()
        held, right = self._counts(truth), self._counts(truth, truth == said)
        examples = held.sum(axis=1)
        loss = np.bincount(self._owner, losses) / examples
        accuracy, uar = right.sum(axis=1) / examples, mean_recall(held, right)
        per_client: list[dict[str, str | float]] = [
            {"client": client.name, "examples": int(n), "loss": float(a), "accuracy": float(b), "uar": float(c)}
            for client, n, a, b, c in zip(self._clients, examples, loss, accuracy, uar, strict=True)
        ]
        return Judgement(
            float(losses.mean()),
            float((truth == said).mean()),
            float(mean_recall(held.sum(axis=0), right.sum(axis=0))),
            float(np.average(uar, weights=examples)),
            per_client,
            np.stack([held.sum(axis=0), right.sum(axis=0)]),
        )

    def _counts(self, truth: NDArray[np.int64], which: NDArray[np.bool_] | None = None) -> Numbers:
        """Return how many examples of each class each client has, [clients, classes]."""
        classes = len(self._workload.classes)
        places = self._owner * classes + truth
        weights = None if which is None else which.astype(np.float64)
        counts = np.bincount(places, weights, minlength=len(self._clients) * classes)
        return counts.astype(np.float64).reshape(len(self._clients), classes)


def mean_recall(held: Numbers, right: Numbers) -> Numbers:
    """Return the mean over classes, the last axis, of the share that is right, leaving out classes that nobody has."""
    recall = np.divide(right, held, out=np.zeros_like(held), where=held > 0)
    mean: Numbers = recall.sum(axis=-1) / (held > 0).sum(axis=-1)
    return mean


def outputs_of(
    model: nn.Module, workload: Workload, numbers: Sequence[int], at_once: int, device: str = "cpu"
) -> torch.Tensor:
    """Return what a model says of examples, [examples, classes], on the CPU."""
    model.eval()
    with torch.no_grad():
        parts = [
            model(workload.batch(numbers[start : start + at_once], device)).cpu()
            for start in range(0, len(numbers), at_once)
        ]
    return torch.cat(parts)
