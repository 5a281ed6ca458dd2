"""One round of a federation: choose, let learn, reject, aggregate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from candor.federated.defences.registry import treatment_of
from candor.federated.engines.engine import Engine
from candor.federated.errors import FederatedError
from candor.federated.happened import Happened, Row
from candor.federated.local import Returned, Work
from candor.federated.mishaps import ANSWERED, DROPPED_OUT, IN_PART, LATE, NOT_FINITE, Mishaps
from candor.federated.rules.gathered import Gathered, returned_rows
from candor.federated.rules.rule import Rule, State
from candor.federated.sampling import check_asked, how_many
from candor.federated.schedule import Schedule
from candor.federated.settings import Settings
from candor.federated.shares import whole_part
from candor.federated.vectors import Weights
from candor.federated.world import World

SILENT_ROUNDS = 10
"""So many rounds in a row in which nobody answers end a run."""

Keep = Callable[[int, Returned], None]
"""Is given what clients have sent in a round, as far as it was accepted."""


class Federation:
    """Clients who learn together under a rule.

    Parameters
    ----------
    settings
        How.
    world
        Who, and from which model on.
    rule
        The algorithm.
    engine
        What runs the clients.
    keep
        Is given what clients have sent, as far as it is accepted.
    """

    def __init__(
        self,
        settings: Settings,
        world: World,
        rule: Rule,
        engine: Engine,
        keep: Keep | None = None,
    ) -> None:
        clients = world.clients
        check_asked(len(clients), settings.clients_per_round)
        rule.check_answers(how_many(len(clients), settings.clients_per_round))
        self._settings, self._clients, self._targets = settings, clients, world.targets
        self._rule, self._engine, self._keep = rule, engine, keep
        self.treatment = treatment_of(settings, world.layout, len(clients))
        """What is done to updates before anybody sees them."""
        self._down = world.layout.bytes + rule.bytes_beside
        self._up = self.treatment.bytes_up + rule.bytes_beside
        self._mishaps = Mishaps(settings.faults, len(clients), settings.seed)
        self._poisoned = self._mishaps.poisoned()
        self._schedule = Schedule(settings, clients)
        self._memory: State = rule.begin(len(clients))
        self._silent = 0
        self.weights = world.start

    @property
    def over(self) -> bool:
        """Return whether no client has anything left to learn from, or may send any more."""
        return self.treatment.over or not self._able()

    def round(self, number: int) -> Happened:
        """Run a round, counted from 1; `weights` are those of the next model then.

        Raises
        ------
        FederatedError
            When nobody has answered for long, or the model has left the numbers.
        """
        happened, began = Happened(down_each=self._down, up_each=self._up), time.monotonic()
        work = list(self._work(number, happened))
        broken = {row["client"] for row in happened.participants if row["outcome"] == "broken"}
        gathered = self.treatment.gather(self._rule, number)
        aggregating = 0.0
        for returned in self._engine.run(self.weights, work):
            sent = self._as_sent(self.treatment.treat(returned, number), broken, number)
            sound = self._noted(sent, happened)
            if sound.clients:
                before = time.monotonic()
                gathered.add(sound)
                self._rule.remember(self._memory, sound)
                aggregating += time.monotonic() - before
                if self._keep is not None:
                    self._keep(number, sound)
        before = time.monotonic()
        self._silent = 0 if happened.answered else self._silent + 1
        if happened.answered or self.treatment.steps_alone:
            after = self._rule.step(self.weights, gathered, self._memory, number)
            happened.update_norm = float((after.parameters - self.weights.parameters).norm())
            if not all(bool(torch.isfinite(own).all()) for own in (after.parameters, after.buffers)):
                raise FederatedError(f"round {number}: the model has left the numbers; lower learning_rate")
            self.weights = after
            self._note_shares(gathered, happened)
        elif self._silent >= SILENT_ROUNDS:
            raise FederatedError(self._why_silent(number, happened))
        aggregating += time.monotonic() - before
        happened.aggregating_seconds = aggregating
        happened.training_seconds = time.monotonic() - began - aggregating
        for row in happened.participants:
            row["client"] = self._clients[row["client"]].name
        return happened

    def state(self) -> dict[str, Any]:
        """Return all that the next round depends on."""
        return {
            "weights": [self.weights.parameters, self.weights.buffers, self.weights.counters],
            "memory": self._memory,
            "taken": list(self._schedule.taken),
            "silent": self._silent,
            "treatment": self.treatment.state(),
        }

    def take_up(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has returned."""
        self.weights = Weights(*state["weights"])
        self._memory, self._silent = state["memory"], state["silent"]
        self._schedule.taken = list(state["taken"])
        self.treatment.take_up(state["treatment"])

    def _able(self) -> list[int]:
        """Return who could take part in a round: who has something left to learn from, and may send once more."""
        return [
            client
            for client in range(len(self._clients))
            if not self._schedule.exhausted(client) and self.treatment.admits(client)
        ]

    def _work(self, number: int, happened: Happened) -> Iterator[Work]:
        """Yield the work of those who take part; note those who were chosen."""
        settings = self._settings
        fates = self._mishaps.fates(self.treatment.begin(self._able(), number), number)
        for client, fate in fates.items():
            batches = self._schedule.batches(client, number)
            row: Row = {"round": number, "client": client, "outcome": fate, "examples": 0, "steps": 0}
            row |= {"train_loss": None, "update_norm": None, "share": None}
            happened.participants.append(row)
            if fate == "drops out":
                row["outcome"] = DROPPED_OUT
                continue
            if fate == "slow":
                batches = batches[: whole_part(settings.faults.straggler_work, len(batches))]
                if not batches:
                    row["outcome"] = LATE
                    continue
            self._schedule.took(client, len(batches))
            yield Work(
                client,
                batches,
                seed_of(settings.seed, number, client),
                [self._targets[torch.tensor(batch)] for batch in batches],
                self._rule.shift(self._memory, client),
            )

    def _as_sent(self, returned: Returned, broken: set[int], number: int) -> Returned:
        """Return what reaches the server: poison from some, what is no number from others."""
        updates = returned.updates
        if broken.isdisjoint(returned.clients) and self._poisoned.isdisjoint(returned.clients):
            return returned
        updates = updates.clone()
        for row, client in enumerate(returned.clients):
            if client in self._poisoned:
                updates[row] = self._mishaps.poison(updates[row], client, number)
            if client in broken:
                updates[row] = float("nan")
        return replace(returned, updates=updates)

    def _noted(self, sent: Returned, happened: Happened) -> Returned:
        """Return what is accepted of what was sent, and note what became of it."""
        rows = {row["client"]: row for row in happened.participants}
        norms = sent.updates.norm(dim=1)
        finite = (torch.isfinite(norms) & torch.isfinite(sent.buffers).all(dim=1)).tolist()
        accepted = []
        for place, client in enumerate(sent.clients):
            row = rows[client]
            slow = row["outcome"] == "slow"
            row.update(examples=sent.examples[place], steps=sent.steps[place], train_loss=sent.losses[place])
            if not finite[place]:
                row.update(outcome=NOT_FINITE, train_loss=None)
                continue
            row.update(outcome=IN_PART if slow else ANSWERED, update_norm=float(norms[place]))
            accepted.append(place)
            happened.examples += sent.examples[place]
            happened.losses += sent.losses[place] * sent.examples[place]
        return sent if len(accepted) == len(sent.clients) else returned_rows(sent, accepted)

    def _note_shares(self, gathered: Gathered, happened: Happened) -> None:
        """Note what part of the step of the model is each client's, where the algorithm takes a mean."""
        shares = gathered.shares()
        for row in happened.participants if shares is not None else ():
            row["share"] = (shares or {}).get(row["client"])

    def _why_silent(self, number: int, happened: Happened) -> str:
        outcomes = [row["outcome"] for row in happened.participants]
        told = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in dict.fromkeys(outcomes))
        return (
            f"nobody has answered in rounds {number - SILENT_ROUNDS + 1} to {number} (in the last one: {told}); "
            "there is nothing to aggregate. Lower the shares in `faults`, or learning_rate where answers are not finite"
        )


def seed_of(seed: int, round: int, client: int) -> int:
    """Return the seed of a client's generator in a round."""
    return ((seed * 1_000_003 + round) * 1_000_003 + client) % 2**63
