"""Tables of all systems of a dataset: the rows of each, one system after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd


def side_by_side(dataset: str, systems: Iterable[Sequence[str]], found: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all systems, with who they are of.

    Parameters
    ----------
    dataset
        The dataset.
    systems
        Backbone and recipe of each.
    found
        The rows of each, in the same order.
    """
    parts = [
        rows.assign(dataset=dataset, backbone=backbone, recipe=recipe)
        for (backbone, recipe), rows in zip(systems, found, strict=True)
    ]
    # Row by row: pandas is to find the type of a column that is blank in some of the tables anew.
    return pd.DataFrame([row for part in parts for row in part.to_dict("records")])
