"""The optimisers that clients learn with."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from candor.federated.local import BETAS, EPSILON, Local


def make_optimiser(parameters: Iterable[nn.Parameter], local: Local) -> torch.optim.Optimizer:
    """Return a new optimiser for these parameters."""
    rate, decay = local.learning_rate, local.weight_decay
    match local.optimizer:
        case "adam":
            return torch.optim.Adam(parameters, rate, BETAS, EPSILON, decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, rate, BETAS, EPSILON, decay, fused=True)
        case "sgd":
            return torch.optim.SGD(parameters, rate, local.momentum, weight_decay=decay)
    raise ValueError(f"there is no optimiser {local.optimizer!r}")
