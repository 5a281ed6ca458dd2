"""How many a share of some is."""

from __future__ import annotations

import math

NUDGE = 1e-9
"""What floating numbers may fall short of a whole one by."""


def nearest(share: float, count: int) -> int:
    """Return the share of so many, to the nearest whole number, halves upwards.

    >>> nearest(0.5, 5), nearest(0.1, 3), nearest(0.29, 100)
    (3, 0, 29)
    """
    return math.floor(share * count + 0.5)


def whole_part(share: float, count: int) -> int:
    """Return the share of so many without what is left of a whole one.

    >>> whole_part(0.5, 3), whole_part(0.8, 5), whole_part(0.29, 100)
    (1, 4, 29)
    """
    return math.floor(share * count + NUDGE)
