"""Which batches a client takes in which round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from candor.federated.clients import Client
from candor.federated.draws import draws
from candor.federated.settings import Settings

WHOLE_AT_ONCE = 1000
"""Where a gradient is that of all that a client has, it is summed over pieces of so many examples."""


class Schedule:
    """The batches of all clients, drawn from the run's seed.

    Without `federate_after_n_batches`, a client goes through its data `local_epochs` times per round, in an order that
    depends on seed, client and round. With it, a client has passes of its own that it goes on with, round after round;
    their order depends on seed, client and pass.

    Parameters
    ----------
    settings
        How clients learn.
    clients
        All of them.
    """

    def __init__(self, settings: Settings, clients: Sequence[Client]) -> None:
        self._settings, self._clients = settings, clients
        self.taken = [0] * len(clients)
        """How many batches each client has taken in all rounds, with `federate_after_n_batches`."""

    def batches(self, client: int, round: int) -> list[list[int]]:
        """Return the examples of each step of a client in a round, by number."""
        settings = self._settings
        if settings.optimizer == "none":
            return self._gradient_batches(client, round)
        if settings.federate_after_n_batches is None:
            passes = [self._pass(client, round, again) for again in range(settings.local_epochs)]
            return [batch for one in passes for batch in one]
        first = self.taken[client]
        last = first + settings.federate_after_n_batches
        return [
            batch for place in range(first, int(min(last, self._all(client)))) for batch in self._own(client, place)
        ]

    def took(self, client: int, steps: int) -> None:
        """Note that a client has taken so many batches; without `federate_after_n_batches` nothing hangs on it."""
        if self._settings.federate_after_n_batches is not None:
            self.taken[client] += steps

    def exhausted(self, client: int) -> bool:
        """Tell whether a client has no batch left, or never had one."""
        if self._settings.federate_after_n_batches is None:
            return self._per_pass(client) == 0
        return self.taken[client] >= self._all(client)

    def _gradient_batches(self, client: int, round: int) -> list[list[int]]:
        """Return what a client takes the gradient of that it sends: all it has, or one batch."""
        if self._settings.batch_size is not None:
            return self._pass(client, round, 0)[:1]
        whole = list(self._clients[client].train)
        return [whole[start : start + WHOLE_AT_ONCE] for start in range(0, len(whole), WHOLE_AT_ONCE)]

    def _all(self, client: int) -> float:
        """Return how many batches a client will ever take."""
        per_pass = self._per_pass(client)
        if per_pass and self._settings.on_exhausted == "wrap":
            return float("inf")
        return per_pass * self._settings.local_epochs

    def _own(self, client: int, place: int) -> list[list[int]]:
        number, within = divmod(place, self._per_pass(client))
        return [self._pass(client, 0, number)[within]]

    def _per_pass(self, client: int) -> int:
        held, size = len(self._clients[client].train), self._settings.batch_size
        if size is None:
            return min(held, 1)
        return held // size if self._settings.drop_last else -(-held // size)

    def _pass(self, client: int, round: int, again: int) -> list[list[int]]:
        own = np.asarray(self._clients[client].train, dtype=np.int64)
        if self._settings.shuffle:
            own = draws(self._settings.seed, "pass", client, round, again).permutation(own)
        size = self._settings.batch_size or len(own)
        return [own[start : start + size].tolist() for start in range(0, self._per_pass(client) * size, size)]
