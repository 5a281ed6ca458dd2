"""Which clients are run side by side, and the steps that they take together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from candor.federated.local import Work

LEAST = 4
"""Clients at once, where caches are small: what a step costs besides its arithmetic is to be shared by some."""

LEAST_BYTES = 2**28
"""But never more than this for the sake of `LEAST`."""

UNKNOWN_CACHE = 2**21
"""Of a core, where the system does not tell."""


@dataclass(frozen=True)
class Step:
    """One step of the clients of a chunk that take it; shorter batches are filled up with rows of no weight.

    Parameters
    ----------
    clients
        How many take it: the first ones of the chunk.
    rows
        How many examples each of them has.
    numbers, targets, weights
        The examples, their classes, and what each counts in its client's mean, [clients, rows].
    """

    clients: int
    rows: list[int]
    numbers: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor


def chunks(work: Sequence[Work], room: Callable[[int], int]) -> Iterator[list[Work]]:
    """Yield clients that are run side by side, those with most steps first, in a chunk as well.

    So those that are done with all their steps are always the last ones of a chunk. Those whose largest batch is less
    than half the chunk's go with the next one: more than half the arithmetic on them would be on rows of no weight.

    Parameters
    ----------
    work
        Of all clients.
    room
        Says how many clients may be in a chunk whose largest batch has so many examples.
    """
    order = sorted(work, key=lambda own: (len(own.batches), _widest(own)), reverse=True)
    chunk: list[Work] = []
    most = least = 0
    for own in order:
        widest = _widest(own)
        most, least = max(most, widest), min(least, widest)
        if chunk and (len(chunk) >= room(most) or 2 * least < most):
            yield chunk
            chunk = []
        if not chunk:
            most = least = widest
        chunk.append(own)
    if chunk:
        yield chunk


def steps_of(chunk: Sequence[Work], over_all: bool, device: str) -> Iterator[Step]:
    """Yield the steps of clients, those with most steps first.

    Parameters
    ----------
    chunk
        The clients.
    over_all
        Whether the mean that an example counts in is over all batches of its client, or over its batch.
    device
        Where the tensors are to be.
    """
    for number in range(len(chunk[0].batches) if chunk else 0):
        taking = [own for own in chunk if len(own.batches) > number]
        batches = [own.batches[number] for own in taking]
        rows = [len(batch) for batch in batches]
        shape = len(taking), max(rows)
        numbers, targets = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        weights = np.zeros(shape, dtype=np.float32)
        for row, (own, batch) in enumerate(zip(taking, batches, strict=True)):
            count = rows[row]
            numbers[row, :count], targets[row, :count] = batch, own.targets[number].numpy()
            weights[row, :count] = 1 / (own.examples if over_all else count)
            if count < shape[1]:
                # Filled up with an example of the client's own: where that gives no numbers, the client's loss is none.
                numbers[row, count:], targets[row, count:] = numbers[row, 0], targets[row, 0]
        yield Step(len(taking), rows, *(torch.from_numpy(array).to(device) for array in (numbers, targets, weights)))


def clients_at_once(bytes_per_client: int, device: str) -> int:
    """Return how many clients to run side by side.

    As many as half the cache holds of what belongs to them, since the batches and what is handed back pass through it
    as well: a step goes over all of a client's numbers several times, and from memory that takes far longer than the
    arithmetic. On a GPU, whose memory is as fast as it is, as many as a quarter of that holds: of all of it, as what is
    free just then would show in the last digits of results.

    Parameters
    ----------
    bytes_per_client
        What a client has of its own: parameters, gradients, moments, activations.
    device
        What to run on.
    """
    if device.startswith("cuda"):
        return max(1, torch.cuda.get_device_properties(torch.device(device)).total_memory // 4 // bytes_per_client)
    at_least = min(LEAST, LEAST_BYTES // bytes_per_client)
    return max(1, at_least, cache_of_a_core() * torch.get_num_threads() // 2 // bytes_per_client)


@cache
def cache_of_a_core(folder: str = "/sys/devices/system/cpu") -> int:
    """Return the bytes of cache that a core has: its own of the second level, and its share of what it shares.

    Parameters
    ----------
    folder
        Where Linux tells.
    """
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    total = 0
    for part in Path(folder, f"cpu{core}", "cache").glob("index*"):
        told = {key: (part / key).read_text().strip() for key in ("level", "size", "shared_cpu_list")}
        if int(told["level"]) > 1:
            total += int(told["size"].removesuffix("K")) * 1024 // _count(told["shared_cpu_list"])
    return total or UNKNOWN_CACHE


def _count(cores: str) -> int:
    """Return how many cores a list such as 0-3,8 has."""
    ends = [part.split("-") for part in cores.split(",")]
    return sum(int(end[-1]) - int(end[0]) + 1 for end in ends)


def _widest(work: Work) -> int:
    return max(map(len, work.batches), default=0)
