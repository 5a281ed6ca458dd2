"""Models that each client trains on its own data alone, to set the federated one beside."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from candor.federated.centre import Centre
from candor.federated.clients import Client
from candor.federated.judging import Judge, Judgement
from candor.federated.settings import Settings
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.workload import Workload
from candor.models.resume import Resume
from candor.runtime import Progress

logger = logging.getLogger(__name__)

Row = dict[str, Any]


@dataclass(frozen=True)
class Standalone:
    """The models of all clients.

    Parameters
    ----------
    rows
        Of the table `StandaloneModels`.
    models
        The numbers of each client's model, by the client's name.
    """

    rows: list[Row]
    models: dict[str, Weights]


def train_alone(
    settings: Settings,
    workload: Workload,
    clients: Sequence[Client],
    start: Weights,
    layout: Layout,
    federated: Weights,
    targets: torch.Tensor,
    aside: Path,
    made_of: Mapping[str, Any],
    device: str = "cpu",
) -> Standalone:
    """Train a model at each client from the same start, for as many rounds as the run has, and keep the best.

    The best is the one with the highest UAR on the client's own validation data, between equals the one with the lower
    loss; the last one where a client has no validation data.

    Parameters
    ----------
    settings, workload, clients, start, layout, targets, device
        As of the run.
    federated
        The run's selected model, which is judged beside them.
    aside
        The folder where it is kept which clients are done.
    made_of
        All that the run depends on.
    """
    rows: list[Row] = []
    models: dict[str, Weights] = {}
    with Progress(len(clients), "train alone", "client") as progress:
        for place, client in enumerate(clients):
            mark = json.dumps({**made_of, "standalone": client.name}, sort_keys=True)
            resume = Resume(aside / f"standalone{place}.pt", mark)
            kept = resume.load()
            if kept is None:
                epoch, weights = _best(settings, workload, client, start, layout, targets, device)
                numbers = [weights.parameters, weights.buffers, weights.counters]
                resume.save({"epoch": epoch, "weights": numbers}, now=True)
            else:
                epoch, weights = kept["epoch"], Weights(*kept["weights"])
            models[client.name] = weights
            own, shared = (_judged(settings, workload, client, some, layout, device) for some in (weights, federated))
            rows.append(
                {
                    "client": client.name,
                    "round": epoch,
                    "examples": len(client.dev),
                    "uar": own and own.uar,
                    "accuracy": own and own.accuracy,
                    "federated_uar": shared and shared.uar,
                    "federated_accuracy": shared and shared.accuracy,
                }
            )
            progress.advance()
    return Standalone(rows, models)


def _best(
    settings: Settings,
    workload: Workload,
    client: Client,
    start: Weights,
    layout: Layout,
    targets: torch.Tensor,
    device: str,
) -> tuple[int, Weights]:
    alone = Centre(settings, workload, [client], start, layout, targets, device)
    judge = Judge(workload, [client], settings.test_batch_size, device) if client.dev else None
    model = workload.make().to(device)
    best, kept, number = (-1.0, 0.0), (0, start), 0
    while number < settings.num_epochs and not alone.over:
        number += 1
        alone.round(number)
        weights = alone.weights
        if judge is None:
            kept = (number, weights)
            continue
        judgement = judge(weights.to_model(model, layout))
        if (score := (judgement.uar, -judgement.loss)) > best:
            best, kept = score, (number, weights)
    return kept


def _judged(
    settings: Settings, workload: Workload, client: Client, weights: Weights, layout: Layout, device: str
) -> Judgement | None:
    if not client.dev:
        return None
    judge = Judge(workload, [client], settings.test_batch_size, device)
    return judge(weights.to_model(workload.make().to(device), layout))
