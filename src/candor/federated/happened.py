"""What happened in a round, as tables tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from candor.federated.mishaps import ANSWERED, IN_PART, NOT_FINITE

Row = dict[str, Any]


@dataclass
class Happened:
    """What happened in a round: rows of the tables, the bytes of what is sent to or by a client, seconds."""

    participants: list[Row] = field(default_factory=list)
    examples: int = 0
    losses: float = 0.0
    update_norm: float = 0.0
    down_each: int = 0
    up_each: int = 0
    training_seconds: float = 0.0
    aggregating_seconds: float = 0.0

    @property
    def answered(self) -> int:
        """Return how many answers were accepted."""
        return sum(row["outcome"] in (ANSWERED, IN_PART) for row in self.participants)

    @property
    def rejected(self) -> int:
        """Return how many answers were rejected."""
        return sum(row["outcome"] == NOT_FINITE for row in self.participants)

    @property
    def bytes_down(self) -> int:
        """Return the bytes that were sent to clients, to each who was chosen."""
        return len(self.participants) * self.down_each

    @property
    def bytes_up(self) -> int:
        """Return the bytes that clients sent in time."""
        return (self.answered + self.rejected) * self.up_each
