"""Many clients at once: all that is the same whatever computes their gradients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from candor.federated.engines.buffers import Buffers
from candor.federated.engines.chunks import Step, chunks, clients_at_once, steps_of
from candor.federated.engines.engine import Engine
from candor.federated.engines.fused import FusedSteps, first_of
from candor.federated.local import Local, Returned, Work
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.workload import InMemory, Workload
from candor.models.seeding import seeded

VECTORS = 4
"""What a client has of its own: parameters, gradients, and two moments at most, or the sum of gradients."""

COPIES_OF_ACTIVATIONS = 3
"""What comes out of a layer, what is made of it, and its gradient."""

CLIP_SLACK = 1e-6
"""What torch adds to the norm of a gradient before it divides by it."""


class SideBySide(Engine):
    """Runs clients that hold parameters of their own in tensors [clients, ...].

    What a client sends back does not depend, but for rounding, on who else is run.
    """

    def __init__(self, workload: Workload, layout: Layout, local: Local, device: str = "cpu") -> None:
        super().__init__(workload, layout, local, device)
        assert isinstance(workload, InMemory)  # or `lacks` would have said so
        with seeded(0):  # what a new model holds is never used
            self._model = workload.make().to(device).train()
        self._inputs = workload.inputs.to(device)
        self._buffers = Buffers(device)
        self._values = values_per_example(self._model, self._inputs[:1])

    @abstractmethod
    def _begin(self, chunk: Sequence[Work]) -> Any:
        """Return what `_gradients` needs to know of clients from step to step."""

    @abstractmethod
    def _gradients(
        self, parameters: list[torch.Tensor], step: Step, known: Any
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return the gradients of the weighted losses of clients, and these losses.

        Parameters
        ----------
        parameters
            Of the clients that take the step, a tensor per piece of the model, [clients, ...].
        step
            What they learn from.
        known
            What `_begin` returned.
        """

    def run(self, start: Weights, work: Sequence[Work]) -> Iterator[Returned]:
        """Yield what clients send back, a chunk at a time, those with most steps first."""
        vector = start.parameters.to(self.device)
        for chunk in chunks(work, self._room):
            yield self._run(vector, chunk)

    def _room(self, rows: int) -> int:
        own = VECTORS * self.layout.size + COPIES_OF_ACTIVATIONS * rows * self._values
        return clients_at_once(own * self._inputs.element_size(), self.device)

    @torch.no_grad()
    def _run(self, vector: torch.Tensor, chunk: Sequence[Work]) -> Returned:
        start = [vector[piece.start : piece.end].view(piece.shape) for piece in self.layout.parameters]
        run = self._differentiate if self.local.optimizer == "none" else self._learn
        sent, losses = run(start, chunk)
        return Returned(
            [own.client for own in chunk],
            sent,
            torch.empty(len(chunk), 0),
            torch.empty(len(chunk), 0, dtype=torch.int64),
            [own.examples for own in chunk],
            [len(own.batches) for own in chunk],
            losses,
        )

    def _learn(self, start: list[torch.Tensor], chunk: Sequence[Work]) -> tuple[torch.Tensor, list[float]]:
        """Return the updates of clients who learn, [clients, parameters], and their mean losses."""
        pieces = self.layout.parameters
        parameters = self._buffers.take_pieces("parameters", len(chunk), pieces)
        for own, origin in zip(parameters, start, strict=True):
            own.copy_(origin.expand_as(own))
        optimiser = FusedSteps(self.local, len(chunk), pieces, self._buffers)
        shifts, known, losses = self._shifts(chunk), self._begin(chunk), _Losses(chunk)
        active = parameters
        for step in steps_of(chunk, False, self.device):
            active = first_of(active, step.clients)
            gradients, loss = self._gradients(active, step, known)
            if self.local.clip is not None:
                clip_each(gradients, self.local.clip)
            if self.local.proximal:
                _add(gradients, [own - origin for own, origin in zip(active, start, strict=True)], self.local.proximal)
            _add(gradients, shifts)
            optimiser.step(active, gradients)
            losses.add(loss)
        sent = self._buffers.take("sent", len(chunk), self.layout.size)
        for piece, own, origin in zip(pieces, parameters, start, strict=True):
            torch.sub(own.flatten(1), origin.flatten(), out=sent[:, piece.start : piece.end])
        return sent.cpu(), losses.means()

    def _differentiate(self, start: list[torch.Tensor], chunk: Sequence[Work]) -> tuple[torch.Tensor, list[float]]:
        """Return the gradients of clients over all their batches, [clients, parameters], and their mean losses."""
        sent = self._buffers.take("sent", len(chunk), self.layout.size).zero_()
        sums = [sent[:, piece.start : piece.end].view(-1, *piece.shape) for piece in self.layout.parameters]
        # All clients have the same model, which lies in memory once.
        active = [origin.expand(len(chunk), *origin.shape) for origin in start]
        known, losses = self._begin(chunk), _Losses(chunk)
        for step in steps_of(chunk, True, self.device):
            active = first_of(active, step.clients)
            gradients, loss = self._gradients(active, step, known)
            for total, gradient in zip(sums, gradients, strict=True):
                total[: step.clients].add_(gradient)
            losses.add(loss)
        learning = sum(1 for own in chunk if own.batches)
        _add([total[:learning] for total in sums], self._shifts(chunk))
        return sent.cpu(), losses.sums()

    def _shifts(self, chunk: Sequence[Work]) -> list[torch.Tensor]:
        """Return what is added to the gradients of clients, a tensor per piece, [clients, ...]; none of none."""
        if all(own.shift is None for own in chunk):
            return []
        nothing = torch.zeros(self.layout.size)
        rows = torch.stack([nothing if own.shift is None else own.shift.cpu() for own in chunk]).to(self.device)
        return [rows[:, piece.start : piece.end].view(-1, *piece.shape) for piece in self.layout.parameters]


class _Losses:
    """The losses of clients, step after step."""

    def __init__(self, chunk: Sequence[Work]) -> None:
        self._chunk = chunk
        self._steps: list[torch.Tensor] = []

    def add(self, losses: torch.Tensor) -> None:
        """Take in the losses of the clients that took the next step."""
        self._steps.append(losses)

    def sums(self) -> list[float]:
        """Return the sum over the steps of each client."""
        return self._summed([[1.0] * len(own.batches) for own in self._chunk])

    def means(self) -> list[float]:
        """Return the mean over the examples of each client, where a step's is the mean over its batch."""
        return self._summed([[len(batch) / own.examples for batch in own.batches] for own in self._chunk])

    def _summed(self, weights: Sequence[Sequence[float]]) -> list[float]:
        steps = [losses.tolist() for losses in self._steps]
        return [
            sum(weight * steps[step][client] for step, weight in enumerate(own)) for client, own in enumerate(weights)
        ]


def side_by_side_lacks(workload: Workload, model: nn.Module) -> str:
    """Return in words why no model can be run for the clients of a workload side by side; blank if it can."""
    if not isinstance(workload, InMemory) or type(workload).batch is not InMemory.batch:
        return "its examples are not the rows of one tensor"
    if type(workload).loss is not Workload.loss:
        return "its loss is not the plain cross-entropy"
    if workload.inputs.dtype != torch.float32:
        return "its examples are not float32"
    if any(not parameter.requires_grad for parameter in model.parameters()):
        return "some of its model's parameters are not trained"
    if any(True for _ in model.buffers()):
        return "its model has buffers, which every client would change"
    return ""


def values_per_example(model: nn.Module, inputs: torch.Tensor) -> int:
    """Return how many numbers an example is, and how many the layers of a model put out for it.

    Parameters
    ----------
    model
        The model.
    inputs
        One example, [1, ...].
    """
    counts = [inputs.numel()]
    layers = [module for module in model.modules() if not list(module.children())]
    hooks = [layer.register_forward_hook(lambda _, __, output: counts.append(output.numel())) for layer in layers]
    with torch.no_grad(), seeded(0):
        model(inputs)
    for hook in hooks:
        hook.remove()
    return sum(counts)


def clip_each(gradients: Sequence[torch.Tensor], most: float) -> None:
    """Cut the gradient of each client down to a norm, all pieces together, as `torch.nn.utils.clip_grad_norm_` does.

    Parameters
    ----------
    gradients
        A tensor per piece of the model, [clients, ...]; changed in place.
    most
        The norm.
    """
    norms = torch.stack([own.flatten(1).norm(dim=1) for own in gradients]).norm(dim=0)
    factors = (most / (norms + CLIP_SLACK)).clamp(max=1.0)
    for own in gradients:
        own.mul_(factors.view(-1, *[1] * (own.dim() - 1)))


def _add(gradients: Sequence[torch.Tensor], vectors: Sequence[torch.Tensor], weight: float = 1.0) -> None:
    """Add to the gradients of clients the first rows of vectors, if there are any."""
    if vectors:
        for gradient, vector in zip(gradients, vectors, strict=True):
            gradient.add_(vector[: len(gradient)], alpha=weight)
