"""Put into words what occurs how often."""

from collections.abc import Mapping

SHOWN = 12


def listed(counts: Mapping[str, int]) -> str:
    """List values with how often they occur, the most frequent first.

    >>> listed({"tie": 2, "": 5})
    'blank (5), tie (2)'
    """
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    more = f", and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return ", ".join(f"{value or 'blank'} ({count})" for value, count in ordered[:SHOWN]) + more
