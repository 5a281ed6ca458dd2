"""One client after the other with one model: what every other engine must equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from candor.federated.engines.engine import Engine
from candor.federated.local import Local, Returned, Work
from candor.federated.optimisers import make_optimiser, trained_parameters
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.workload import Workload
from candor.models.seeding import seeded

CLIENTS_AT_ONCE = 4
"""How many clients' answers are handed back together, and so in memory at once."""


class LoopEngine(Engine):
    """Runs any model of any workload on any device."""

    name = "loop"

    def __init__(self, workload: Workload, layout: Layout, local: Local, device: str = "cpu") -> None:
        super().__init__(workload, layout, local, device)
        with seeded(0):  # what a new model holds is never used
            self._model = workload.make().to(device)

    @classmethod
    def lacks(cls, workload: Workload, model: nn.Module, local: Local) -> str:
        """Return that it lacks nothing."""
        return ""

    def run(self, start: Weights, work: Sequence[Work]) -> Iterator[Returned]:
        """Yield what clients send back, in the order of the work."""
        for first in range(0, len(work), CLIENTS_AT_ONCE):
            yield self._some(start, work[first : first + CLIENTS_AT_ONCE])

    def _some(self, start: Weights, work: Sequence[Work]) -> Returned:
        returned = Returned(
            [own.client for own in work],
            torch.empty(len(work), len(start.parameters)),
            torch.empty(len(work), len(start.buffers)),
            torch.empty(len(work), len(start.counters), dtype=torch.int64),
            [own.examples for own in work],
            [len(own.batches) for own in work],
        )
        stepping = self.local.optimizer != "none"
        with torch.random.fork_rng(devices=[] if self.device == "cpu" else [self.device]):
            for row, own in enumerate(work):
                start.to_model(self._model, self.layout).train()
                seed_torch(own.seed, self.device)
                returned.losses.append(self._learn(own) if stepping else self._differentiate(own))
                after = Weights.of(self._model, self.layout)
                returned.updates[row] = after.parameters.sub_(start.parameters) if stepping else self._gradient()
                returned.buffers[row], returned.counters[row] = after.buffers, after.counters
        return returned

    def _learn(self, work: Work) -> float:
        """Let the model learn from the batches; return the mean loss over their examples, each before its step."""
        trained = trained_parameters(self._model)
        optimiser = make_optimiser(trained, self.local)
        pull = self.local.proximal
        start = [parameter.detach().clone() for parameter in trained] if pull else []
        shift = self._pieces(work.shift)
        losses = []
        for batch, targets in zip(work.batches, work.targets, strict=True):
            optimiser.zero_grad()
            loss = self._loss(batch, targets)
            loss.backward()  # type: ignore[no-untyped-call]
            if self.local.clip is not None:
                nn.utils.clip_grad_norm_(trained, self.local.clip)
            if start:
                _add(
                    trained,
                    [parameter.detach() - origin for parameter, origin in zip(trained, start, strict=True)],
                    pull,
                )
            if shift:
                _add(trained, shift)
            optimiser.step()
            losses.append(loss.detach() * len(batch))
        return _mean(losses, work.examples)

    def _differentiate(self, work: Work) -> float:
        """Leave in the model the gradient of the mean loss over all examples of the batches; return that loss."""
        self._model.zero_grad()
        losses = []
        for batch, targets in zip(work.batches, work.targets, strict=True):
            loss = self._loss(batch, targets) * (len(batch) / work.examples)
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        if work.batches and work.shift is not None:
            _add(trained_parameters(self._model), self._pieces(work.shift))
        return _mean(losses, 1)

    def _loss(self, batch: Sequence[int], targets: torch.Tensor) -> torch.Tensor:
        outputs = self._model(self.workload.batch(batch, self.device))
        return self.workload.loss(outputs, targets.to(self.device))

    def _gradient(self) -> torch.Tensor:
        """Return the gradient of the model's parameters as one vector; 0 where nothing depends on them."""
        gradients = [parameter.grad for parameter in trained_parameters(self._model)]
        flat = torch.zeros(self.layout.size)
        for piece, gradient in zip(self.layout.parameters, gradients, strict=True):
            if gradient is not None:
                flat[piece.start : piece.end] = gradient.flatten()
        return flat

    def _pieces(self, vector: torch.Tensor | None) -> list[torch.Tensor]:
        """Return a vector as tensors in the shapes of the trained parameters; none of none."""
        if vector is None:
            return []
        vector = vector.to(self.device)
        return [vector[piece.start : piece.end].view(piece.shape) for piece in self.layout.parameters]


def seed_torch(seed: int, device: str) -> None:
    """Seed what a model draws from; torch.manual_seed also notes down a trace of calls, which takes longer."""
    torch.default_generator.manual_seed(seed)
    if device != "cpu":
        torch.cuda.default_generators[torch.device(device).index or 0].manual_seed(seed)


def _add(parameters: Sequence[nn.Parameter], vectors: Sequence[torch.Tensor], weight: float = 1.0) -> None:
    """Add something to the gradients; a parameter that has none, as the loss does not depend on it, goes without."""
    for parameter, vector in zip(parameters, vectors, strict=True):
        if parameter.grad is not None:
            parameter.grad.add_(vector, alpha=weight)


def _mean(losses: Sequence[torch.Tensor], examples: int) -> float:
    """Return the sum of losses over the number of examples; 0 where there are none."""
    return float(torch.stack(list(losses)).double().sum()) / examples if losses else 0.0
