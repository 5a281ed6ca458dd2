"""The key `backbones`: what turns speech into features."""

from typing import Literal

from pydantic import Field

from candor.config.section import Section


class Fbank(Section):
    """Log-mel filter bank energies: the baseline that every learned backbone has to beat."""

    family: Literal["fbank"] = Field("fbank", description="The kind of backbone.")
    mel_bins: int = Field(80, ge=8, le=128, description="Number of mel filters.")


Backbone = Fbank
"""An entry of `backbones`."""
