"""What a client does in a round: on which batches, with which optimiser, drawn towards what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

BETAS = (0.9, 0.98)
EPSILON = 1e-9
"""Adam's, as fed-ser-leakage has them."""


@dataclass(frozen=True)
class Local:
    """How every client of a run learns.

    Parameters
    ----------
    optimizer
        ``adam``, ``adamw``, ``sgd``; or ``none``, which takes no step: the client sends the gradient of its batches
        (mean over its examples) at the model that it was given.
    learning_rate, weight_decay, momentum
        Of the optimiser, which is new in every round.
    proximal
        Weight of the pull towards the model of the round, mu of FedProx: mu (w - w_round) is added to the gradient.
    clip
        The Euclidean norm that the gradient of each batch is cut down to, before anything is added to it; None leaves
        gradients as they are.
    """

    optimizer: str
    learning_rate: float
    weight_decay: float = 0.0
    momentum: float = 0.0
    proximal: float = 0.0
    clip: float | None = None


@dataclass(frozen=True)
class Work:
    """What one client does in one round.

    Parameters
    ----------
    client
        Its place in the list of all clients.
    batches
        The examples of each step, by number in the workload.
    seed
        Of torch's generator, which is seeded when the client begins, so that dropout does not depend on who else is
        run, or in which order.
    targets
        The class of each example of each batch; the workload's own but for clients whose labels are wrong.
    shift
        Added to every gradient, [parameters]; what corrects the drift of a client in SCAFFOLD. None adds nothing.
    """

    client: int
    batches: Sequence[Sequence[int]]
    seed: int
    targets: Sequence[torch.Tensor]
    shift: torch.Tensor | None = None

    @property
    def examples(self) -> int:
        """Return how many examples are gone through, each time counted."""
        return sum(map(len, self.batches))


@dataclass(frozen=True)
class Returned:
    """What some clients send back, a row each.

    Parameters
    ----------
    clients
        Their places in the list of all clients.
    updates
        Their parameters less those of the round's model, [clients, parameters]; with the optimiser ``none`` the
        gradient.
    buffers, counters
        The rest of their models as it is after the work, [clients, ...].
    examples, steps
        How many examples each went through, and how many steps it took.
    losses
        Mean loss over those examples, before each step.
    """

    clients: list[int]
    updates: torch.Tensor
    buffers: torch.Tensor
    counters: torch.Tensor
    examples: list[int]
    steps: list[int]
    losses: list[float] = field(default_factory=list)
