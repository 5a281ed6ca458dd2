"""What every algorithm says: how clients learn, what they remember, how the next model comes about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch

from candor.federated.local import Local, Returned
from candor.federated.rules.gathered import Gathered, Mean
from candor.federated.settings import USER_DP, Settings
from candor.federated.vectors import Layout, Weights

State = dict[str, torch.Tensor]
"""All that lives on from round to round, of the server and of the clients; saved and restored with the run."""


class Rule(ABC):
    """An algorithm of federated training.

    A round goes: each chosen client learns as `local` says, with `shift` added to its gradients; what it sends is added
    to what `gather` has returned, and shown to `remember`; at last `step` makes the next model.

    What an algorithm has beyond FedAvg is all that it needs to override.

    Parameters
    ----------
    settings
        Of the run.
    layout
        Of the model.
    """

    name: ClassVar[str]

    def __init__(self, settings: Settings, layout: Layout) -> None:
        self.settings, self.layout = settings, layout

    def check_answers(self, most: int) -> None:  # noqa: B027 - most can do with any number
        """Refuse a run in whose rounds there are so many answers at most, if these are too few."""

    @property
    def bytes_beside(self) -> int:
        """Return the bytes that travel beside a model, each way: to a client who is chosen, and back."""
        return 0

    @property
    def local(self) -> Local:
        """Return how clients learn."""
        settings = self.settings
        clip = settings.defence.clip if settings.defence.kind == USER_DP else None
        rate, decay = settings.learning_rate, settings.weight_decay
        return Local(settings.optimizer, rate, decay, settings.momentum, clip=clip)

    def begin(self, clients: int) -> State:
        """Return what is remembered before the first round, with so many clients in all."""
        return {}

    def shift(self, state: State, client: int) -> torch.Tensor | None:
        """Return what is added to every gradient of a client in the coming round, [parameters]; None for nothing."""
        return None

    def gather(self) -> Gathered:
        """Return what the answers of a round are gathered in."""
        return Mean()

    def remember(self, state: State, returned: Returned) -> None:  # noqa: B027 - most have nothing to remember
        """Bring up to date what is remembered of clients that have sent this."""

    def step(self, start: Weights, gathered: Gathered, state: State, round: int) -> Weights:
        """Return the next global model, and bring what is remembered of the server up to date.

        Parameters
        ----------
        start
            The model that the clients were given.
        gathered
            Their answers.
        state
            What is remembered.
        round
            Its number, counted from 1.

        Raises
        ------
        FederatedError
            When nobody has learned from an example.
        """
        answer = gathered.combined()
        return Weights(start.parameters + self.move(answer.parameters, state, round), answer.buffers, answer.counters)

    @abstractmethod
    def move(self, update: torch.Tensor, state: State, round: int) -> torch.Tensor:
        """Return what the server adds to the parameters, given the clients' combined update."""
