"""Faults of the data at clients: wrong labels, poor microphones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from candor.federated.clients import Client
from candor.federated.draws import draws
from candor.federated.shares import nearest


def noisy_labels(
    targets: torch.Tensor, clients: Sequence[Client], rate: float, classes: int, seed: int
) -> torch.Tensor:
    """Return the classes that clients believe in: at each of them the same share of what it learns from is wrong.

    A wrong class is any of the others, with the same probability. What a client judges models on stays right.

    Parameters
    ----------
    targets
        The true class of each example.
    clients
        Who holds which.
    rate
        The share, to the nearest example.
    classes
        How many there are; two at least.
    seed
        Of the run. A client's mistakes depend on it and on the client alone.
    """
    believed = targets.clone()
    for client in clients:
        generator = draws(seed, "label noise", client.name)
        count = nearest(rate, len(client.train))
        wrong = torch.from_numpy(np.sort(generator.permutation(np.asarray(client.train))[:count]))
        steps = torch.from_numpy(generator.integers(1, classes, size=count))
        believed[wrong] = (targets[wrong] + steps) % classes
    return believed


def microphones(clients: Sequence[Client], levels: Sequence[float], seed: int) -> dict[str, float]:
    """Return the microphone of each client: how far speech is above its noise, in dB.

    Microphones are dealt out, so that each has as many clients as any other, or one more.

    Parameters
    ----------
    clients
        Who takes part.
    levels
        The microphones there are.
    seed
        Of the run.
    """
    order = draws(seed, "microphones").permutation(len(clients)).tolist()
    dealt = {clients[place].name: float(levels[turn % len(levels)]) for turn, place in enumerate(order)}
    return {client.name: dealt[client.name] for client in clients}
