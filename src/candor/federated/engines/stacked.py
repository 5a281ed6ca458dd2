"""Dense layers of many clients at once, as batched matrix products."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from candor.federated.engines.chunks import Step
from candor.federated.engines.side_by_side import SideBySide, side_by_side_lacks
from candor.federated.local import Local, Work
from candor.federated.workloads.mlp import Mlp
from candor.federated.workloads.workload import Workload
from candor.models.heads.dropout import chance_of_keeping, draw, least_kept, words


class StackedMlpEngine(SideBySide):
    """Runs `Mlp` on examples in memory.

    The derivatives are written out: autograd would keep, allocate and sum up more than the arithmetic takes.
    """

    name = "stacked"

    @classmethod
    def lacks(cls, workload: Workload, model: nn.Module, local: Local) -> str:
        """Return why not: the model is another one, or its clients cannot be run side by side."""
        return "its model is no Mlp" if type(model) is not Mlp else side_by_side_lacks(workload, model)

    def _begin(self, chunk: Sequence[Work]) -> list[torch.Generator]:
        """Return what each client draws from, as if it were run alone."""
        return [torch.Generator(self.device).manual_seed(own.seed) for own in chunk]

    def _gradients(
        self, parameters: list[torch.Tensor], step: Step, known: list[torch.Generator]
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        layers, logits = self._forward(parameters, step, known)
        losses, gradient = _cross_entropy(logits, step)
        return self._backward(parameters, layers, gradient), losses

    def _forward(
        self, parameters: list[torch.Tensor], step: Step, generators: list[torch.Generator]
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return what goes into each layer, [clients, rows, width], and the logits."""
        clients, rows = step.numbers.shape
        values = self._buffers.take("inputs", clients * rows, self._inputs.shape[1])
        torch.index_select(self._inputs, 0, step.numbers.view(-1), out=values)
        layers = [values.view(clients, rows, -1)]
        weights, biases = parameters[::2], parameters[1::2]
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            values = self._buffers.take(f"layer {number}", clients, rows, weight.shape[1])
            torch.baddbmm(bias[:, None], layers[-1], weight.transpose(1, 2), out=values)
            if number < len(weights) - 1:
                values.relu_()
                if number == 0 and self._dropout:
                    values.mul_(self._kept(step, values.shape[2], generators))
                    values.mul_(1 / chance_of_keeping(self._dropout))
                layers.append(values)
        return layers, values

    def _backward(
        self, parameters: list[torch.Tensor], layers: list[torch.Tensor], gradient: torch.Tensor
    ) -> list[torch.Tensor]:
        """Return the gradients of the parameters, given that of the logits."""
        clients = len(gradient)
        gradients = self._buffers.take_pieces("gradients", clients, self.layout.parameters)
        for number in reversed(range(len(layers))):
            torch.bmm(gradient.transpose(1, 2), layers[number], out=gradients[2 * number])
            torch.sum(gradient, 1, out=gradients[2 * number + 1])
            if number:
                below = self._buffers.take(f"gradient {number}", *layers[number].shape)
                torch.bmm(gradient, parameters[2 * number], out=below)
                # What was dropped is 0 too, and as little is passed on to it as to what ReLU has cut off.
                torch.ops.aten.threshold_backward.grad_input(below, layers[number], 0, grad_input=below)
                gradient = below
                if number == 1 and self._dropout:
                    gradient.mul_(1 / chance_of_keeping(self._dropout))
        return gradients

    @property
    def _dropout(self) -> float:
        assert isinstance(self._model, Mlp)  # or `lacks` would have said so
        return self._model.after_first.dropout

    def _kept(self, step: Step, width: int, generators: list[torch.Generator]) -> torch.Tensor:
        """Return 1 for values behind the first layer that are kept, 0 for others; anything in rows of no weight."""
        clients, rows = step.numbers.shape
        bits = self._buffers.take("bits", clients, words(rows * width), dtype=torch.int64)
        for own, taken, generator in zip(bits, step.rows, generators, strict=False):
            draw(own[: words(taken * width)], generator)
        numbers = bits.view(torch.int16)[:, : rows * width].reshape(clients, rows, width)
        kept = self._buffers.take("kept", clients, rows, width)
        return torch.ge(numbers, least_kept(self._dropout), out=kept)


def _cross_entropy(logits: torch.Tensor, step: Step) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weighted loss of each client, and the gradient of the logits, [clients, rows, classes]."""
    shares = logits.log_softmax(2)
    of_shares = torch.zeros_like(shares).scatter_(2, step.targets[..., None], -step.weights[..., None])
    losses = (shares * of_shares).sum((1, 2))
    # What autograd calls, so that even the last digits are the loop's: Adam makes large what begins there.
    return losses, torch._log_softmax_backward_data(of_shares, shares, 2, torch.float32)
