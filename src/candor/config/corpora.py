"""The key `corpora`: when a recording is too broken to take part."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section


class Corpora(Section):
    """Limits of the inspection that every recording passes. Excluded ones are listed in `rejected.tsv`."""

    max_rejected: float = Field(
        0.1,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Largest share of recordings that may be rejected as broken before the run stops with a summary.",
    )
    min_duration: float = Field(
        0.1, ge=0, allow_inf_nan=False, description="Shortest recording that takes part, in seconds."
    )
    max_duration: float = Field(
        60.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest recording that takes part, in seconds; more than `min_duration`.",
    )
    silence_dbfs: float = Field(
        -60.0,
        lt=0,
        allow_inf_nan=False,
        description="A recording whose peak lies below this level counts as silent, in dB of full scale.",
    )

    @model_validator(mode="after")
    def _durations_in_order(self) -> Self:
        if self.min_duration >= self.max_duration:
            raise PydanticCustomError(
                "order",
                "min_duration ({shortest}) must be less than max_duration ({longest})",
                {"shortest": self.min_duration, "longest": self.max_duration},
            )
        return self
