"""What is attacked and how, as the config says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from candor.privacy.attackers import Effort
from candor.privacy.names import MEMBERSHIP, attacks_on_states


@dataclass(frozen=True)
class Settings:
    """What is attacked and how.

    Parameters
    ----------
    attributes
        Of gender, speaker and membership those that are asked for.
    attackers
        Who reads the first two.
    effort
        How hard the cnn tries.
    max_frames
        How many frames of an utterance it reads; 0 where none are kept.
    """

    attributes: tuple[str, ...]
    attackers: tuple[str, ...]
    effort: Effort
    max_frames: int

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Settings:
        """Return the settings that a rule passes on."""
        effort = Effort(*(options[key] for key in ("num_epochs", "learning_rate", "hidden_size")))
        return cls(tuple(options["attributes"]), tuple(options["attackers"]), effort, options.get("max_frames", 0))

    @property
    def of_states(self) -> tuple[str, ...]:
        """Return the attacks on hidden states and embeddings."""
        return attacks_on_states(self.attributes)

    @property
    def of_members(self) -> bool:
        """Whether membership is attacked."""
        return MEMBERSHIP in self.attributes
