"""The key `robustness`: how speech is disturbed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from candor.config.section import Section

TestName = Literal[
    "white_noise",
    "pink_noise",
    "babble",
    "room",
    "clipping",
    "gain",
    "low_pass",
    "high_pass",
    "tilt_down",
    "tilt_up",
    "crop_start",
    "crop_end",
    "silence_before",
    "resampling",
    "mu_law",
    "telephone",
]
TESTS: tuple[TestName, ...] = get_args(TestName)

Strengths = list[Annotated[float, Field(allow_inf_nan=False)]]

DEFAULT_STRENGTHS: dict[TestName, Strengths] = {
    "white_noise": [20, 10, 0],
    "pink_noise": [20, 0],
    "babble": [20, 10, 0],
    "room": [0.2, 0.4, 0.9],
    "clipping": [0.2, 10],
    "gain": [-20, -2, 20],
    "low_pass": [7000, 4000, 1000],
    "high_pass": [100, 300],
    "tilt_down": [3, 6],
    "tilt_up": [3, 6],
    "crop_start": [0.03, 0.5],
    "crop_end": [0.03, 0.5],
    "silence_before": [0.03, 0.5],
    "resampling": [8000, 4000],
    "mu_law": [256, 16],
    "telephone": [256],
}

RANGES: dict[TestName, tuple[float, float, str]] = {
    **dict.fromkeys(("white_noise", "pink_noise", "babble"), (-20, 120, "dB of speech over noise")),
    "room": (0.1, 0.9, "seconds until an echo has faded by 60 dB"),
    "clipping": (0.01, 90, "per cent of the samples that are not zero"),
    "gain": (-60, 60, "dB"),
    **dict.fromkeys(("low_pass", "high_pass"), (20, 7900, "Hz")),
    **dict.fromkeys(("tilt_down", "tilt_up"), (0.1, 12, "dB per octave")),
    **dict.fromkeys(("crop_start", "crop_end", "silence_before"), (0.001, 10, "seconds")),
    "resampling": (1000, 15000, "Hz"),
    **dict.fromkeys(("mu_law", "telephone"), (4, 65536, "levels")),
}
"""The lowest and the highest strength of each test, and what it counts."""

WHOLE = ("resampling", "mu_law", "telephone")
"""Tests whose strengths are whole numbers."""


class Robustness(Section):
    """The audit of what disturbed speech does to models. docs/robustness.md says what is measured."""

    tests: dict[TestName, Strengths] = Field(
        DEFAULT_STRENGTHS,
        min_length=1,
        description="Each test and its strengths; that at which it is passed or failed is always among them. `false` "
        "drops a test, a name without strengths takes the usual ones, and so does a plain list of names.",
        examples=[{"white_noise": [20, 0], "babble": False}, ["white_noise", "room"]],
    )
    utterances: int | None = Field(
        1000,
        ge=20,
        description="The most test utterances of a dataset that are disturbed, drawn evenly from speakers and "
        "emotions. Empty: all.",
    )
    seeds: Literal["first", "all"] = Field(
        "first",
        description="Models of which seeds are tested; those of all take little longer where backbones are frozen.",
    )

    @field_validator("tests", mode="before")
    @classmethod
    def _settled(cls, asked: Any) -> Any:
        """Take a name alone as a test at its usual strengths, and `false` as none."""
        if asked is None:
            return DEFAULT_STRENGTHS
        if isinstance(asked, list):
            if len(set(map(str, asked))) < len(asked):
                raise PydanticCustomError("unique", "each test may occur once")
            asked = dict.fromkeys(asked)
        if not isinstance(asked, dict):
            return asked
        usual: dict[Any, Strengths] = dict(DEFAULT_STRENGTHS)
        return {
            name: usual.get(name, []) if strengths is None else strengths
            for name, strengths in asked.items()
            if strengths is not False
        }

    @field_validator("tests")
    @classmethod
    def _possible(cls, tests: dict[TestName, Strengths]) -> dict[TestName, Strengths]:
        for name, strengths in tests.items():
            low, high, what = RANGES[name]
            if len(set(strengths)) < len(strengths):
                raise PydanticCustomError("unique", "each strength of {name} may occur once", {"name": name})
            for strength in strengths:
                whole = name not in WHOLE or strength == int(strength)
                if not low <= strength <= high or not whole:
                    raise PydanticCustomError(
                        "strength",
                        "it takes {whole}{what} from {low} to {high}, not {strength}",
                        {"key": name, "what": what, "low": f"{low:g}", "high": f"{high:g}",
                         "strength": f"{strength:g}", "whole": "whole " if name in WHOLE else ""},
                    )  # fmt: skip
        return {name: tests[name] for name in TESTS if name in tests}
