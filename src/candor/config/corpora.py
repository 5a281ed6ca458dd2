"""The key `corpora`: when a recording is too broken to take part."""

from pydantic import Field

from candor.config.section import Section


class Corpora(Section):
    """Limits of the inspection that every recording passes. Excluded ones are listed in `rejected.tsv`."""

    max_rejected: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Largest share of recordings that may be rejected as broken before the run stops with a summary.",
    )
    min_duration: float = Field(0.1, ge=0, description="Shortest recording that takes part, in seconds.")
    max_duration: float = Field(60.0, gt=0, description="Longest recording that takes part, in seconds.")
    silence_dbfs: float = Field(
        -60.0, lt=0, description="A recording whose peak lies below this level counts as silent, in dB of full scale."
    )
