"""All backbones and recipes of a dataset in one table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def all_systems(dataset: str, systems: Sequence[tuple[str, str]], found: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of `RobustnessSummary`.

    Parameters
    ----------
    dataset
        The dataset.
    systems
        Backbone and recipe.
    found
        Rows of `RobustnessResult` of each, in the same order.
    """
    parts = [
        rows.assign(dataset=dataset, backbone=backbone, recipe=recipe)
        for (backbone, recipe), rows in zip(systems, found, strict=True)
    ]
    return pd.DataFrame([row for part in parts for row in part.to_dict("records")])
