"""Where a pretraining stands, in a file from which it goes on after a kill."""

from __future__ import annotations

import io
import logging
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from candor.backbones.pretraining.network import Weights, weights_of
from candor.tables.base import atomic

logger = logging.getLogger(__name__)


@dataclass
class State:
    """All that what is to come depends on.

    Random numbers are drawn anew in each step, from the seed and the number of the step, so none are kept.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    """Whole epochs done."""
    step: int = 0
    """Steps done in the epoch under way."""
    difference: float = 0.0
    """Sum of absolute differences over these steps."""
    values: int = 0
    """How many there were."""
    history: list[dict[str, Any]] = field(default_factory=list)
    best: Weights = field(default_factory=dict)

    def save(self, path: Path, key: str) -> None:
        """Write everything to `path` in one step, with the key of the run."""
        file = io.BytesIO()
        content = {
            "key": key,
            "epoch": self.epoch,
            "step": self.step,
            "difference": self.difference,
            "values": self.values,
            "history": self.history,
            "best": self.best,
            "network": weights_of(self.network),
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save(content, file)
        with atomic(path, "wb") as target:
            target.write(file.getbuffer())

    def load(self, path: Path, key: str) -> bool:
        """Go to where the run of this key was when it wrote `path`; tell whether it did."""
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            found = content.get("key")
        except FileNotFoundError:
            return False
        except (RuntimeError, EOFError, ValueError, AttributeError, pickle.UnpicklingError) as error:
            logger.info("%s is damaged, so it begins anew: %s", path, error)
            return False
        if found != key:
            logger.info("%s is of other audio or other options, so it begins anew", path)
            return False
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.epoch, self.step = content["epoch"], content["step"]
        self.difference, self.values = content["difference"], content["values"]
        self.history, self.best = content["history"], content["best"]
        return True
