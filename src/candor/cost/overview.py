"""All systems of a dataset in one table, and which of them no other outdoes."""

from __future__ import annotations

from typing import Any

import pandas as pd

from candor.performance.verdicts import SOUND, doubt

SYSTEM = ["dataset", "backbone", "recipe"]
RENAMED = {"value": "score", "utterances": "tested"}
SCORED = ["metric", "score", "low", "high", "fold_sd", "chance", "interpretable", "tested", "speakers"]


def all_systems(costs: pd.DataFrame, performance: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the rows of `CostSummary`.

    Parameters
    ----------
    costs
        Rows of `SystemCost`.
    performance
        Rows of `candor.tables.performance.Summary`.
    metric
        The score: ``uar`` or ``ccc``.
    """
    scores = performance[performance["metric"] == metric].rename(columns=RENAMED)[[*SYSTEM, *SCORED]]
    rows = costs.merge(scores, on=SYSTEM, how="left", validate="one_to_one")
    lacking = rows[rows["metric"].isna()]
    if len(lacking):
        raise ValueError(f"no {metric} of {lacking['backbone'].iloc[0]} with {lacking['recipe'].iloc[0]}")
    compared = rows[rows["flops_per_clip"].notna() & (rows["interpretable"] == SOUND)]
    records = rows.to_dict("records")
    for row in records:
        row["pareto"], outdone_by = "", ""
        if row["flops_per_clip"] == row["flops_per_clip"] and row["interpretable"] == SOUND:
            outdone_by = better_than(row, compared)
            row["pareto"] = "no" if outdone_by else "yes"
        said = f"{outdone_by} costs no more and scores no lower" if outdone_by else ""
        at_chance = "" if row["interpretable"] == SOUND else doubt(row["interpretable"])
        row["note"] = "; ".join(filter(None, (row["note"], at_chance, said)))
    return pd.DataFrame(records)


def better_than(row: dict[Any, Any], rows: pd.DataFrame) -> str:
    """Return the best of the systems that outdo one: no more operations, no lower score, and one of both better.

    Parameters
    ----------
    row
        The system.
    rows
        All systems that are compared.
    """
    cost, score = rows["flops_per_clip"], rows["score"]
    as_good = (cost <= row["flops_per_clip"]) & (score >= row["score"])
    better = (cost < row["flops_per_clip"]) | (score > row["score"])
    found = rows[as_good & better].sort_values(["score", "flops_per_clip", *SYSTEM], ascending=[False, *[True] * 4])
    return f"{found['backbone'].iloc[0]} with {found['recipe'].iloc[0]}" if len(found) else ""
