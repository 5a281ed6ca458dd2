"""How updates are attacked, as the config says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SEED = 0
"""Of all that is drawn in attacks."""

BATCH, PATIENCE, DROPOUT = 20, 6, 0.2
"""Of fed-ser-leakage's network: updates per step, epochs without progress before it gives up, dropout."""

MOST_SHADOW = 4000
"""Shadow updates that are learned from. Of more, which would take memory by their square, some are taken, evenly."""

DEALINGS = 10
"""How often attributes are dealt out anew: of few people a single dealing may hit or miss by far."""

DEALINGS_OF_CNN = 2
"""The same of the network, which takes thousands of times as long as the regression."""

TRIALS = 10
"""How often some of a client's updates are drawn and averaged; fed-ser-leakage's number."""


@dataclass(frozen=True)
class Settings:
    """How updates are attacked; the fields are keys of the config's `leakage`."""

    attributes: Sequence[str] = ("gender",)
    attackers: Sequence[str] = ("logistic",)
    num_epochs: int = 50
    learning_rate: float = 1e-4
    updates_seen: Sequence[int] = (1, 3, 5, 10, 100)
    age_bins: Sequence[int] = (30, 45, 60)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Settings:
        """Return the settings that a rule passes on."""
        return cls(**options)
