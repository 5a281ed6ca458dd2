"""How times and energies are told: per hour of speech."""

HOUR = 3600.0
"""Seconds."""


def per_hour(spent: float, audio: float) -> float:
    """Return what an hour of speech takes, of what so many seconds of it took.

    >>> per_hour(2.0, 10.0)
    720.0
    """
    return HOUR * spent / audio
