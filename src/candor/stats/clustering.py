"""What utterances have in common, so that they are no independent evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def clusters(rows: pd.DataFrame) -> pd.Series[str]:
    """Return what utterances may have in common: their speaker or, where that is not known, their session.

    Several of those who are not known may speak in a session; to take them for one widens intervals, if anything.
    """
    session = "session " + rows["session"]
    return rows["speaker"].where(rows["speaker"] != "", session)
