"""The key `features`: how backbones are run."""

from typing import Literal

from pydantic import Field

from candor.config.section import Section


class Features(Section):
    """How hidden states are extracted."""

    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="Numbers that backbones compute in. `bfloat16` is faster on a GPU, needs one, and how far hidden "
        "states deviate is measured and noted beside them.",
    )
    batch_seconds: int = Field(
        60,
        ge=1,
        description="Audio that is run at once, in seconds. Halved by itself where the memory is too small. On a CPU "
        "only recurrent backbones gain from it; others are run clip by clip there.",
    )
