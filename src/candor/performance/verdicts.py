"""How it is said that an audit of models means nothing, as they have learned nothing."""

from __future__ import annotations

SOUND = "yes"
"""What `interpretable` says of models whose audits mean something; else it says why not."""

NOT_INTERPRETABLE = "not interpretable"


def doubt(interpretable: str) -> str:
    """Return the verdict on models that are not sound: at chance, or of one class."""
    return f"{NOT_INTERPRETABLE}: {interpretable}"
