"""What must be said beside a figure, so that nobody takes it for more than it is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

Row = Mapping[Hashable, Any]


def shared_speakers(row: Row) -> str:
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


def heard_speakers(row: Row) -> str:
    """Return a sentence on test speakers whom the backbone was pretrained on here, or nothing where there are none.

    >>> heard_speakers({"backbone": "apc_ours", "speakers": 10, "speakers_in_pretraining": 10})
    'apc_ours was pretrained on audio of 10 of 10 test speakers, without labels'
    """
    if not row["speakers_in_pretraining"]:
        return ""
    return (
        f"{row['backbone']} was pretrained on audio of {row['speakers_in_pretraining']} of {row['speakers']} "
        "test speakers, without labels"
    )


def caveats_of(row: Row) -> str:
    """Return all that must be said beside the figures of a row."""
    return "; ".join(filter(None, [shared_speakers(row), heard_speakers(row)]))
