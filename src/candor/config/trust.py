"""The key `trust`: what the profile of a system is made of."""

from pydantic import Field

from candor.config.fairness import Column, Pair
from candor.config.section import Section


class Trust(Section):
    """The profile of each backbone and recipe. docs/trust.md says what its axes show."""

    fairness_by: Column | Pair | None = Field(
        None,
        description="Between which groups the gap of the profile is: one of `fairness.groups`. Empty: gender, or the "
        "first of these where it is not among them. Where a corpus has no two such groups the profile has no gap, and "
        "says so.",
        examples=["speaker", ["gender", "race"]],
    )
