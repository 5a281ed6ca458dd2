"""The key `splits`: how speakers are dealt out to training, selection and test."""

from pydantic import Field

from candor.config.section import Section


class Splits(Section):
    """Speaker-disjoint folds, for all datasets that do not say otherwise."""

    folds: int = Field(
        5,
        ge=3,
        description="Number of folds. Each fold tests other speakers, selects on the next fold's speakers and trains "
        "on the rest.",
    )
    seed: int = Field(0, ge=0, description="Seed of the shuffle that comes before speakers are dealt out.")
