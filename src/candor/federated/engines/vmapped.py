"""Any model of many clients at once, where `torch.func` can differentiate it for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn import functional

from candor.federated.engines.chunks import Step
from candor.federated.engines.side_by_side import SideBySide, side_by_side_lacks
from candor.federated.local import Local, Work
from candor.federated.workloads.workload import Workload
from candor.models.heads.dropout import Dropout

MARK = "runs_vmapped"
"""A model's class says by an attribute of this name, True, that its forward draws no random numbers, keeps nothing and
decides nothing by the values that it is given."""

DROPOUTS = (Dropout, nn.modules.dropout._DropoutNd)


class VmappedEngine(SideBySide):
    """Runs models whose class is marked, on examples in memory, by gradient descent or to their gradients.

    Not by Adam. torch.func rounds otherwise than the loop does, and Adam makes a whole step of a gradient that is
    nothing but rounding: of a million numbers of a convolution net some few then differ by a tenth of a step.
    """

    name = "torch.func"

    @classmethod
    def lacks(cls, workload: Workload, model: nn.Module, local: Local) -> str:
        """Return why not: the model, the optimiser, or that clients cannot be run side by side."""
        if not getattr(type(model), MARK, False):
            return f"its model, {type(model).__name__}, is not known to run under torch.func"
        if any(isinstance(module, DROPOUTS) for module in model.modules()):
            return "its model has dropout, which torch.func would draw for all clients at once"
        if local.optimizer in ("adam", "adamw"):
            return "its optimiser, Adam, makes steps of what torch.func rounds otherwise"
        return side_by_side_lacks(workload, model)

    def _begin(self, chunk: Sequence[Work]) -> None:
        """Return nothing: a step depends on no other one."""

    def _gradients(
        self, parameters: list[torch.Tensor], step: Step, known: None
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        names = [piece.name for piece in self.layout.parameters]
        inputs = self._inputs[step.numbers]
        named = dict(zip(names, parameters, strict=True))
        gradients, losses = vmap(grad_and_value(self._loss))(named, inputs, step.targets, step.weights)
        return [gradients[name].contiguous() for name in names], losses

    def _loss(
        self, named: dict[str, torch.Tensor], inputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """Return the weighted loss of one client."""
        outputs = functional_call(self._model, named, (inputs,))
        return (functional.cross_entropy(outputs, targets, reduction="none") * weights).sum()
