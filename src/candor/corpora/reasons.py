"""Why files and label lines take no part: their reasons grouped, counted and put into words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LISTED = 12
"""So many values are listed; of those beyond only the number is told."""

REASONS = 8
"""So many reasons are named; what is beyond is one row."""


def gist(reason: str) -> str:
    """Return a reason without what differs from file to file.

    >>> gist("truncated: the header says 3.20 s, 1.10 s are there")
    'truncated'
    >>> gist("tie A:D")
    'tie'
    """
    return re.split(r": | (?=[A-Z]:)", reason, maxsplit=1)[0]


def listed(counts: Mapping[str, int]) -> str:
    """List values with how often they occur, the most frequent first.

    >>> listed({"tie": 2, "": 5})
    'blank (5), tie (2)'
    """
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    more = f", and {len(ordered) - LISTED} more" if len(ordered) > LISTED else ""
    return ", ".join(f"{value or 'blank'} ({count})" for value, count in ordered[:LISTED]) + more


@dataclass(frozen=True)
class Reason:
    """Why some files or label lines take no part, how many they are, and what there is to say of them one by one."""

    words: str
    count: int
    kind: str = ""
    detail: str = ""


def reasons_of(rejected: pd.DataFrame) -> list[Reason]:
    """Return the reasons, the most frequent first; those that would be too many together as one."""
    found = [
        Reason(f"{kind}: {words}", len(own), str(kind), _detail(str(words), own))
        for (kind, words), own in rejected.groupby(["kind", rejected["reason"].map(gist)])
    ]
    found.sort(key=lambda reason: (-reason.count, reason.words))
    rest = found[REASONS - 1 :] if len(found) > REASONS else []
    if not rest:
        return found
    return [*found[: REASONS - 1], Reason(f"{len(rest)} other reasons", sum(reason.count for reason in rest))]


def _detail(words: str, own: pd.DataFrame) -> str:
    """Return what the reasons of one gist differ in, or an example where nearly every one is different."""
    ends = Counter(reason[len(words) :].lstrip(": ") for reason in own["reason"])
    if set(ends) != {""} and 2 * len(ends) <= len(own):
        most = sorted(ends.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{end} {count:,}" for end, count in most)
    paths = own["path"].unique()
    if len(paths) == 1:
        return str(paths[0]) if len(own) == 1 else f"in {paths[0]}"
    return f"for example {paths[0]}"
