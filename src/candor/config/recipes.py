"""The key `recipes`: how a head is trained on features."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section


class Linear(Section):
    """One dense layer on pooled features (mean and standard deviation over time), class-weighted cross-entropy."""

    downstream_model: Literal["linear"] = Field("linear", description="The kind of head.")
    learning_rate: float = Field(0.005, gt=0, allow_inf_nan=False, description="Learning rate of Adam.")
    num_epochs: int = Field(60, ge=1, description="Passes over the training speakers; the best on dev is kept.")
    batch_size: int = Field(64, ge=1, description="Utterances per step.")
    weight_decay: float = Field(0.0001, ge=0, allow_inf_nan=False, description="Weight decay of Adam.")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        [0, 1, 2],
        min_length=1,
        description="One training per seed, all in one job; no seed twice.",
        json_schema_extra={"uniqueItems": True},
    )

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise PydanticCustomError("unique", "each seed may occur once")
        return seeds


Recipe = Linear
"""An entry of `recipes`."""
