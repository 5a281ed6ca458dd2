"""The optimisers that clients learn with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from candor.federated.local import BETAS, EPSILON, Local


def make_optimiser(parameters: Sequence[nn.Parameter], local: Local) -> torch.optim.Optimizer:
    """Return a new optimiser of a client; fused, as torch's loop over parameters takes longer than a small model."""
    rate, decay = local.learning_rate, local.weight_decay
    match local.optimizer:
        case "adam":
            return torch.optim.Adam(parameters, rate, BETAS, EPSILON, decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, rate, BETAS, EPSILON, decay, fused=True)
        case "sgd":
            return torch.optim.SGD(parameters, rate, local.momentum, weight_decay=decay, fused=True)
    raise ValueError(f"optimizer is {local.optimizer!r}; allowed are adam, adamw, sgd")


def trained_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that are trained, in the order in which `Layout` has them."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
