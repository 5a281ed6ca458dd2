"""The key `recipes`: how a head is trained on features."""

from typing import Literal

from pydantic import Field

from candor.config.section import Section


class Linear(Section):
    """One dense layer on pooled features (mean and standard deviation over time), class-weighted cross-entropy."""

    downstream_model: Literal["linear"] = Field("linear", description="The kind of head.")
    learning_rate: float = Field(0.005, gt=0, description="Learning rate of Adam.")
    num_epochs: int = Field(60, ge=1, description="Passes over the training speakers; the best on dev is kept.")
    batch_size: int = Field(64, ge=1, description="Utterances per step.")
    weight_decay: float = Field(0.0001, ge=0, description="Weight decay of Adam.")
    seeds: list[int] = Field([0, 1, 2], min_length=1, description="One training per seed, all in one job.")


Recipe = Linear
"""An entry of `recipes`."""
