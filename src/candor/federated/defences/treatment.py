"""What every defence says: who takes part, what becomes of an update, how answers are gathered, what it guarantees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch

from candor.federated.defences.noise import gaussian
from candor.federated.errors import FederatedError
from candor.federated.local import Returned
from candor.federated.rules.gathered import Gathered
from candor.federated.rules.rule import Rule
from candor.federated.sampling import chosen, how_many
from candor.federated.settings import Settings
from candor.federated.vectors import Layout

Facts = dict[str, Any]

TOLD = ("epsilon", "epsilon_updates", "claimed_epsilon", "delta", "clip", "noise", "sampling_rate", "rounds", "note")
"""What the facts of a defence tell besides its kind and its unit, null where it has no such thing."""


class Treatment:
    """What is done to updates on their way from clients to the server; this one leaves all as it is.

    A round goes: `begin` says who takes part; what each of them has learned goes through `treat` before anything else
    happens to it, and so before anybody sees it; `gather` returns what the answers are gathered in. What a defence
    does beyond this is all that it needs to override.

    Parameters
    ----------
    settings
        Of the run.
    layout
        Of the model.
    clients
        How many there are in all.
    """

    kind: ClassVar[str] = "none"

    steps_alone: ClassVar[bool] = False
    """Whether the model takes a step in a round without an answer."""

    def __init__(self, settings: Settings, layout: Layout, clients: int) -> None:
        self.settings, self.defence, self.layout, self.clients = settings, settings.defence, layout, clients
        self.rounds = 0
        """How many rounds have begun."""

    @property
    def rate(self) -> float:
        """Return with which probability a client takes part in a round."""
        return how_many(self.clients, self.settings.clients_per_round) / self.clients

    @property
    def over(self) -> bool:
        """Return whether the run must end here."""
        return False

    def admits(self, client: int) -> bool:
        """Return whether a client may take part once more."""
        return True

    def begin(self, able: Sequence[int], round: int) -> list[int]:
        """Return who takes part in a round that begins, of those who are able to; it is asked once per round."""
        self.rounds += 1
        return self.choose(able, round)

    def choose(self, able: Sequence[int], round: int) -> list[int]:
        """Return who takes part in a round."""
        places = chosen(len(able), self.settings.clients_per_round, self.settings.seed, round)
        return [able[place] for place in places]

    def treat(self, returned: Returned, round: int) -> Returned:
        """Return what clients send in place of what they have learned; the latter is left as it is."""
        return returned

    def deviation(self, examples: int) -> float:
        """Return how strong the noise is, in this round, on the update of a client that went through so many examples.

        That is its standard deviation on each number of the update; 0 where there is none. Of clients who imitate
        others it is that on an update of theirs.
        """
        return 0.0

    @property
    def hushed(self) -> float:
        """By what noise is multiplied: for clients who imitate others, as many or not, so that the model has as much.

        A mean of k updates holds the noise of one over the square root of k; too much of it would spoil a model that
        fewer take part in.
        """
        others = self.defence.imitated
        if others is None:
            return 1.0
        return math.sqrt(how_many(self.clients, self.settings.clients_per_round) / others.per_round)

    def noise_of(self, client: int, examples: int, round: int) -> torch.Tensor:
        """Return the noise that a client adds to its update, [parameters]."""
        deviation = self.hushed * self.deviation(examples)
        return gaussian(self.layout.size, deviation, self.settings.seed, round, client)

    def noised(self, updates: torch.Tensor, returned: Returned, round: int) -> Returned:
        """Return what clients send in place of what they have learned: these updates, which change, with noise."""
        for update, client, examples in zip(updates, returned.clients, returned.examples, strict=True):
            update += self.noise_of(client, examples, round)
        return replace(returned, updates=updates)

    def gather(self, rule: Rule, round: int) -> Gathered:
        """Return what the answers of a round are gathered in."""
        return rule.gather()

    @property
    def bytes_up(self) -> int:
        """Return the bytes of what a client sends of its model."""
        return self.layout.bytes

    def announcement(self) -> str:
        """Return in a sentence what is done and what it guarantees; blank where nothing is done."""
        return ""

    def caution(self) -> str:
        """Return in a sentence why it is worth less than one might think; blank where it is not."""
        return ""

    def ending(self) -> str:
        """Return in words what has kept a run from going on; blank where nothing has."""
        return ""

    def state(self) -> dict[str, Any]:
        """Return all that the next round depends on."""
        return {"rounds": self.rounds}

    def take_up(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has returned."""
        self.rounds = state["rounds"]

    def guarantee(self) -> Facts:
        """Return those of `TOLD` that this defence has, for the rounds that there have been."""
        return {}

    def facts(self, unit: str) -> Facts:
        """Return what stands of it in the facts of a run.

        Parameters
        ----------
        unit
            In words what the guarantee, if there is one, is of.
        """
        guaranteed = unit if self.defence.guarantees else None
        return {"kind": self.kind, **dict.fromkeys(TOLD), **self.guarantee(), "unit": guaranteed}

    def refuse_buffers(self) -> None:
        """Refuse a model whose clients send more than what is clipped and noised.

        Raises
        ------
        FederatedError
            One line with what they would send.
        """
        if beside := [piece.name for piece in (*self.layout.buffers, *self.layout.counters)]:
            raise FederatedError(
                f"defence.kind {self.kind!r} does not reach {', '.join(beside)}, which are no trained parameters but "
                "would be sent all the same; choose a model without them, or leave defence out"
            )
