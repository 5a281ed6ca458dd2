"""What must be said beside a figure, so that nobody takes it for more than it is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any


def shared_speakers(row: Mapping[Hashable, Any]) -> str:
    """Return a sentence on test speakers who are also in train, or nothing where there are none.

    Parameters
    ----------
    row
        A row of a summary.

    >>> shared_speakers({"speakers": 100, "speakers_in_train": 69})
    '69 of 100 test speakers are also in train: this says little about people never heard'
    """
    if not row["speakers_in_train"]:
        return ""
    return (
        f"{row['speakers_in_train']} of {row['speakers']} test speakers are also in train: "
        "this says little about people never heard"
    )
