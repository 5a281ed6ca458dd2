"""The key `cost`: what a system costs."""

from typing import Literal

from pydantic import Field

from candor.config.section import Section


class Cost(Section):
    """The account of what a system costs. docs/cost.md says what is counted and what is measured."""

    measured_seconds: float = Field(
        4.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="How long a system is run to measure its speed and energy, in seconds; longer is steadier. What is "
        "counted does not depend on it.",
    )
    parity: Literal["trust-ser"] | None = Field(
        None,
        description="`trust-ser` also writes that system's file, `gflops.json`: multiply-adds for 6 s, which it calls "
        "FLOPs, and parameters of the backbone.",
    )
