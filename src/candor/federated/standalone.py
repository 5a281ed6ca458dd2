"""Models that each client trains on its own data alone, to set the federated one beside.

How long they train is chosen once for all clients of a fold, on the validation data of all of them, as the federated
model is. Were it chosen by each client on its few validation clips, these would praise what chance has picked on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from candor.federated.centre import Centre
from candor.federated.clients import Client
from candor.federated.judging import Judge, Judgement
from candor.federated.settings import Settings
from candor.federated.vectors import Weights
from candor.federated.world import World
from candor.models.resume import Resume
from candor.runtime import Progress
from candor.stats.confusions import uar

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
    settings: Settings, world: World, federated: Weights, aside: Path, made_of: Mapping[str, Any]
) -> Standalone:
    """Train a model at each client from the same start, for as many rounds as the run has, and keep that of the best.

    The best round is the one with the highest UAR over the validation examples of all clients, each judged by its own
    client's model; between equals the first.

    Parameters
    ----------
    settings, world
        Of the run.
    federated
        The run's selected model, which is judged beside them.
    aside
        The folder where it is kept which clients are done.
    made_of
        All that the run depends on.
    """
    clients = world.clients
    with Progress(2 * len(clients), "train alone", "client") as progress:
        counts = []
        for place, client in enumerate(clients):
            resume = _resume(aside, f"judged{place}", made_of)
            kept = resume.load()
            if kept is None:
                kept = {"counts": [judged.counts.tolist() for judged in _judged_rounds(settings, world, client)]}
                resume.save(kept, now=True)
            if client.dev:
                counts.append(np.asarray(kept["counts"]))
            progress.advance()
        best = best_round(counts, settings.num_epochs)
        rows, models = [], {}
        for place, client in enumerate(clients):
            resume = _resume(aside, f"alone{place}", {**made_of, "rounds": best})
            kept = resume.load()
            if kept is None:
                weights, number = world.start, 0
                for number, weights in _rounds(settings, world, client, best):  # noqa: B007 - the last one counts
                    pass
                kept = {"round": number, "weights": [weights.parameters, weights.buffers, weights.counters]}
                resume.save(kept, now=True)
            models[client.name] = Weights(*kept["weights"])
            rows.append(_row(settings, world, client, kept["round"], models[client.name], federated))
            progress.advance()
    return Standalone(rows, models)


def best_round(counts: list[np.ndarray], rounds: int) -> int:
    """Return after which round, counted from 1, the models of all clients together are best.

    Parameters
    ----------
    counts
        Of each client, confusion counts after each round, [rounds, classes, classes]. Who has fewer rounds than others,
        as nothing is left to learn from, stays as it is then.
    rounds
        How many there are at most, which is returned where nobody can be judged.
    """
    longest = max(map(len, counts), default=0)
    if not longest:
        return rounds
    filled = [np.concatenate([own, np.repeat(own[-1:], longest - len(own), axis=0)]) for own in counts if len(own)]
    return int(np.argmax(uar(np.sum(filled, axis=0)))) + 1


def _resume(aside: Path, name: str, made_of: Mapping[str, Any]) -> Resume:
    return Resume(aside / f"{name}.pt", json.dumps({**made_of, "standalone": name}, sort_keys=True))


def _rounds(settings: Settings, world: World, client: Client, rounds: int) -> Iterator[tuple[int, Weights]]:
    """Yield the model of a client after each round that it trains alone."""
    alone = Centre(settings, replace(world, clients=[client]))
    for number in range(1, rounds + 1):
        if alone.over:
            return
        alone.round(number)
        yield number, alone.weights


def _judged_rounds(settings: Settings, world: World, client: Client) -> Iterator[Judgement]:
    """Yield what the model of a client is worth after each round; nothing where it has no validation data."""
    if not client.dev:
        return
    judge, model = Judge(world, settings.test_batch_size, [client]), world.model()
    for _, weights in _rounds(settings, world, client, settings.num_epochs):
        yield judge(weights.to_model(model, world.layout))


def _row(settings: Settings, world: World, client: Client, round: int, alone: Weights, federated: Weights) -> Row:
    row: Row = {"client": client.name, "round": round, "examples": len(client.dev)}
    judge = Judge(world, settings.test_batch_size, [client]) if client.dev else None
    for prefix, weights in (("", alone), ("federated_", federated)):
        judged = judge(world.model(weights)) if judge else None
        row |= {f"{prefix}uar": judged and judged.uar, f"{prefix}accuracy": judged and judged.accuracy}
    return row
