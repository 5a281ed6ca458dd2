"""Print the audit for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from candor.numbers import p_value, percent
from candor.performance.show import aligned
from candor.tables.fairness import GAP_NAMES, FairnessSummary, Groups

HEADLINE = ("uar", "ccc")


def _heads(metrics: set[str]) -> tuple[str, ...]:
    shown = " or ".join(GAP_NAMES[metric] for metric in HEADLINE if metric in metrics)
    return (
        *("dataset", "backbone", "recipe", "by", "worst served", f"{shown} [95 % interval]", "n", "speakers"),
        *("widest gap [95 % interval]", "random band", "p", "verdict"),
    )


def fairness_text(summaries: Sequence[Path]) -> str:
    """Return who is served worst, how wide the gap is and whether it is beyond chance, for each system and axis.

    Parameters
    ----------
    summaries
        Tables `FairnessSummary`.
    """
    lines: list[Sequence[str]] = []
    metrics: set[str] = set()
    for file in summaries:
        rows = FairnessSummary.read(file)
        shown = rows[rows["metric"].isin(HEADLINE) & (rows["aggregate"] == "max")]
        for row in shown.to_dict("records"):
            if row["verdict"] != "nothing to compare":
                metrics.add(row["metric"])
                lines.append(_line(row, _worst(file.parent, row)))
    if not lines:
        return ""
    how = "Gaps: lower is better. Random band: 95 of 100 models that hear nothing show less."
    return "\n".join([aligned([_heads(metrics), *lines]), how])


def _worst(folder: Path, row: dict[Any, Any]) -> dict[Any, Any]:
    groups = Groups.read(folder / row["backbone"] / row["recipe"] / Path(Groups.path).name)
    return dict(groups[(groups["axis"] == row["axis"]) & (groups["worst"] == "yes")].iloc[0])


def _line(row: dict[Any, Any], worst: dict[Any, Any]) -> tuple[str, ...]:
    return (
        *(str(row[name]) for name in ("dataset", "backbone", "recipe", "axis")),
        str(worst["group"]),
        _interval(worst),
        str(worst["utterances"]),
        str(worst["speakers"]),
        _interval(row),
        "-" if pd.isna(row["p"]) else f"to {100 * row['random_high']:.1f}",
        p_value(row["p"]),
        str(row["verdict"]),
    )


def _interval(row: dict[Any, Any]) -> str:
    return percent(row["value"], row["low"], row["high"])
