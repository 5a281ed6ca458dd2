"""What a training depends on, as the config says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """How a head is trained; the fields are the keys of the config's recipe.

    Keys that a head or a mode does not have keep the values here, which then mean nothing.
    """

    downstream_model: str
    learning_rate: float
    num_epochs: int
    batch_size: int
    mode: str = "frozen"
    backbone_learning_rate: float = 1e-5
    optimizer: str = "adam"
    weight_decay: float = 1e-4
    scheduler: str = "plateau"
    early_stopping: int = 0
    clip_norm: float = 5.0
    norm: str = "nonorm"
    norm_scope: str = "train"
    lora_rank: int = 16
    lora_alpha: int = 16
    pooling: str = "mean"
    conv_layers: int = 1
    num_layers: int = 1
    hidden_size: int = 8
    dropout: float = 0.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Recipe:
        """Return the recipe of an entry of the config."""
        return cls(**{field.name: options[field.name] for field in fields(cls) if field.name in options})
