"""The key `fairness`: between whom models are compared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section

Column = Literal["gender", "speaker", "session", "age", "race", "ethnicity", "language", "scenario", "text"]
"""Columns of the manifest by which people, or what they say, can be told apart."""

Pair = Annotated[list[Column], Field(min_length=2, max_length=2)]


class Fairness(Section):
    """The audit of who is served worse. docs/fairness.md says what is measured."""

    groups: list[Column | Pair] = Field(
        ["gender", "speaker", "session", "age", "race", "ethnicity", "language"],
        min_length=1,
        description="Columns of the manifest to group utterances by, and pairs of columns. A corpus that has no such "
        "column, or no two groups of enough utterances, is told of in the tables.",
        examples=[["gender", "speaker", ["gender", "race"]]],
    )
    min_utterances: int = Field(
        20, ge=1, description="Groups with fewer test utterances are left out, and listed as such."
    )
    min_speakers: int = Field(
        2,
        ge=1,
        description="Groups with fewer speakers are left out, and listed as such: what is said of them could not be "
        "told from what is said of a person. Groups by speaker need none.",
    )
    age_bins: list[Annotated[int, Field(ge=1)]] = Field(
        [30, 45, 60],
        min_length=1,
        description="Ages at which a new group begins.",
    )
    parity: Literal["trust-ser"] | None = Field(
        None,
        description="`trust-ser` also writes that system's three figures, by its own formulas and in its own format, "
        "as `trust_ser.json`. What it calls demographic parity is the gap in being recognised, a joint rate.",
    )

    @field_validator("groups")
    @classmethod
    def _each_once(cls, groups: list[str | list[str]]) -> list[str | list[str]]:
        asked = [tuple(sorted(group)) if isinstance(group, list) else (group,) for group in groups]
        if len(set(asked)) < len(asked) or any(len(set(group)) < len(group) for group in asked):
            raise PydanticCustomError("unique", "each group may occur once, and a pair needs two different columns")
        return groups

    @field_validator("age_bins")
    @classmethod
    def _rising(cls, bins: list[int]) -> list[int]:
        if sorted(set(bins)) != bins:
            raise PydanticCustomError("rising", "each age must be above the one before")
        return bins
