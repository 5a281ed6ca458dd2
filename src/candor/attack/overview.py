"""All backbones and recipes of a dataset in one table, those too that cannot be attacked."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from candor.tables.attack import NOT_APPLICABLE, AttackSummary
from candor.tables.side_by_side import side_by_side


def all_systems(dataset: str, systems: Sequence[tuple[str, str, str]], found: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of `AttackSummary`.

    Parameters
    ----------
    dataset
        The dataset.
    systems
        Backbone, recipe, and why there is no attack on them; blank where there is one.
    found
        Rows of `AttackResult` of each system that was attacked, in the same order.
    """
    attacked = iter(found)
    parts = [pd.DataFrame([_not_applicable(reason)]) if reason else next(attacked) for *_, reason in systems]
    return side_by_side(dataset, [(backbone, recipe) for backbone, recipe, _ in systems], parts)


def headline_title(rows: pd.DataFrame) -> str:
    """Return what stands above the figure of a dataset: its name and the ratio that figures are of."""
    ratios = [f"{snr:g} dB" for snr in dict.fromkeys(rows[rows["headline"] == "yes"]["snr"].dropna())]
    return f"{rows['dataset'].iloc[0]}, at {ratios[0]}" if ratios else str(rows["dataset"].iloc[0])


def _not_applicable(reason: str) -> dict[str, object]:
    blank: dict[str, object] = {column.name: "" if column.kind == "text" else None for column in AttackSummary.columns}
    return {**blank, "method": "none", "headline": "yes", "verdict": f"{NOT_APPLICABLE}: {reason}"}
