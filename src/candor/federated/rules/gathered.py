"""What a round's answers are gathered in, and what becomes of them together.

Three kinds of numbers come back from a client, and each has its rule:

- trained parameters are combined as the algorithm says: a mean, a median, what is left after a selection;
- other floating numbers of the model, such as the running statistics of batch normalisation, are combined in the same
  way and with the same weights, and the result takes the place of what the global model had. No optimiser of the server
  touches them: a step of momentum can make a variance negative;
- integers, such as the batches that batch normalisation has seen, cannot be averaged: the largest is taken, or, where a
  median or a trimmed mean is asked for, the lower middle one, which a liar cannot move.

A client that went through no example has nothing to say, and is left out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from candor.federated.errors import FederatedError
from candor.federated.local import Returned
from candor.federated.sums import add_weighted
from candor.federated.vectors import Weights


class Gathered(ABC):
    """The answers of a round, as far as they have come.

    Parameters
    ----------
    answered
        How many clients' answers are in it.
    examples
        How many examples these went through.
    """

    def __init__(self) -> None:
        self.answered = self.examples = 0

    def add(self, returned: Returned) -> None:
        """Take in the answers of some clients; they may be changed afterwards."""
        heard = [row for row, examples in enumerate(returned.examples) if examples]
        if not heard:
            return
        if len(heard) < len(returned.examples):
            returned = returned_rows(returned, heard)
        self.answered += len(heard)
        self.examples += sum(returned.examples)
        self._take(returned)

    def combined(self) -> Weights:
        """Return all answers as one: the update of the parameters, and the buffers and counters of the next model.

        Where more answers are added afterwards, the tensors that were returned change with them.

        Raises
        ------
        FederatedError
            When nobody has learned from an example.
        """
        if not self.answered:
            raise FederatedError("no client has gone through an example; there is nothing to aggregate")
        return self._combine()

    def shares(self) -> dict[int, float] | None:
        """Return what part of the combined answer is each client's, once there is one; None where it is no mean."""
        return None

    @abstractmethod
    def _take(self, returned: Returned) -> None:
        """Take in answers, each of at least one example."""

    @abstractmethod
    def _combine(self) -> Weights:
        """Return at least one answer as one."""


Weigh = Callable[[Returned], Sequence[float]]
"""Says how much the answer of each client weighs; only ratios count."""


def by_examples(returned: Returned) -> Sequence[float]:
    """Return the weights of FedAvg: how many examples each client went through in the round.

    Where all clients take the same number of whole passes, these are in the ratio of what they hold, which is what
    Flower calls ``num-examples``. Where one got only a part of its work done, it weighs as much as what it did.
    """
    return returned.examples


def equally(returned: Returned) -> Sequence[float]:
    """Return the same weight for every client."""
    return [1] * len(returned.clients)


class Mean(Gathered):
    """A weighted mean. Answers are summed as they come and not kept, however many there are.

    Parameters
    ----------
    weigh
        How much each weighs.
    """

    def __init__(self, weigh: Weigh = by_examples) -> None:
        super().__init__()
        self._weigh, self._unit, self._total = weigh, 1.0, 0.0
        self._sum: Weights | None = None
        self._weights: dict[int, float] = {}

    def shares(self) -> dict[int, float]:
        """Return the weights of the mean."""
        total = sum(self._weights.values())
        return {client: weight / total for client, weight in self._weights.items()}

    def _take(self, returned: Returned) -> None:
        weights = self._weigh(returned)
        self._weights.update(zip(returned.clients, weights, strict=True))
        if self._sum is None:
            # Weighed against the first, so that of one answer the mean is that answer, to the last bit.
            self._unit = weights[0]
            self._sum = Weights(
                torch.zeros(returned.updates.shape[1]),
                torch.zeros(returned.buffers.shape[1]),
                torch.full(returned.counters.shape[1:], torch.iinfo(torch.int64).min),
            )
        factors = torch.tensor([weight / self._unit for weight in weights])
        self._total += float(factors.double().sum())
        add_weighted(self._sum.parameters, returned.updates.cpu(), factors)
        add_weighted(self._sum.buffers, returned.buffers.cpu(), factors)
        torch.maximum(self._sum.counters, returned.counters.cpu().amax(dim=0), out=self._sum.counters)

    def _combine(self) -> Weights:
        assert self._sum is not None  # somebody answered
        # In place, as models can be large. The sum is one of weight 1 then, and can be asked for, or added to, again.
        self._sum.parameters.div_(self._total)
        self._sum.buffers.div_(self._total)
        self._unit, self._total = self._unit * self._total, 1.0
        return self._sum


class Rows(Gathered):
    """All answers, kept until the last has come."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[Returned] = []

    def _take(self, returned: Returned) -> None:
        # An engine may use its memory again for the next clients.
        self._kept.append(
            replace(
                returned,
                updates=returned.updates.to("cpu", copy=True),
                buffers=returned.buffers.to("cpu", copy=True),
                counters=returned.counters.to("cpu", copy=True),
            )
        )


def returned_rows(returned: Returned, rows: Sequence[int]) -> Returned:
    """Return the answers in these rows alone."""
    some = torch.tensor(rows, dtype=torch.long, device=returned.updates.device)
    losses = [returned.losses[row] for row in rows] if returned.losses else []
    return Returned(
        [returned.clients[row] for row in rows],
        returned.updates[some],
        returned.buffers[some],
        returned.counters[some],
        [returned.examples[row] for row in rows],
        [returned.steps[row] for row in rows],
        losses,
    )
