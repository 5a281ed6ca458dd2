"""Steps of optimisers on the parameters of many clients at once: the kernels that torch.optim calls with `fused`."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from candor.federated.engines.buffers import Buffers
from candor.federated.local import BETAS, EPSILON, Local
from candor.federated.vectors import Piece


def first_of(tensors: list[torch.Tensor], clients: int) -> list[torch.Tensor]:
    """Return the rows of the first clients; they are never more than in the step before."""
    return tensors if len(tensors[0]) == clients else [own[:clients] for own in tensors]


class FusedSteps:
    """The optimisers of all clients of a chunk. They begin together, and so are always at the same step.

    Parameters
    ----------
    local
        How clients learn; not with the optimiser ``none``.
    clients
        How many.
    pieces
        Of the model.
    buffers
        Where moments are kept.
    """

    def __init__(self, local: Local, clients: int, pieces: Sequence[Piece], buffers: Buffers) -> None:
        self._local = local
        self._taken = 0
        moments = {"adam": 2, "adamw": 2, "sgd": 1 if local.momentum else 0}[local.optimizer]
        self._moments = [buffers.take_pieces(f"moment {number}", clients, pieces) for number in range(moments)]
        for own in self._moments:
            torch._foreach_zero_(own)

    def step(self, parameters: list[torch.Tensor], gradients: list[torch.Tensor]) -> None:
        """Let clients take a step: those of the step before, or the first ones of them.

        Parameters
        ----------
        parameters, gradients
            Of these clients, a tensor per piece of the model, [clients, ...].
        """
        clients = len(parameters[0])
        self._moments = [first_of(own, clients) for own in self._moments]
        if self._local.optimizer == "sgd":
            self._descend(parameters, gradients, *(self._moments or [[]]))
        else:
            self._adapt(parameters, gradients, *self._moments)
        self._taken += 1

    def _descend(
        self, parameters: list[torch.Tensor], gradients: list[torch.Tensor], momentum: list[torch.Tensor]
    ) -> None:
        torch._fused_sgd_(
            parameters,
            gradients,
            momentum,
            weight_decay=self._local.weight_decay,
            momentum=self._local.momentum,
            lr=self._local.learning_rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=self._taken == 0,
        )

    def _adapt(
        self,
        parameters: list[torch.Tensor],
        gradients: list[torch.Tensor],
        means: list[torch.Tensor],
        squares: list[torch.Tensor],
    ) -> None:
        kernel = torch._fused_adam_ if self._local.optimizer == "adam" else torch._fused_adamw_
        step = torch.tensor(self._taken + 1.0, device=parameters[0].device)
        kernel(
            parameters,
            gradients,
            means,
            squares,
            [],
            [step] * len(parameters),
            lr=self._local.learning_rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=self._local.weight_decay,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )
