"""Print the audit for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from candor.numbers import percent
from candor.performance.show import aligned
from candor.robustness.names import ALL
from candor.tables.robustness import RobustnessSummary

HEADS = (
    *("dataset", "backbone", "recipe", "passed", "unchanged [95 % interval]", "change of score [95 % interval]"),
    *("n", "speakers", "failed"),
)


def robustness_text(summaries: Sequence[Path]) -> str:
    """Return how many tests each system passes and how much changes on average, in the order of the table.

    Parameters
    ----------
    summaries
        Tables `RobustnessSummary`.
    """
    lines: list[Sequence[str]] = []
    for file in summaries:
        rows = RobustnessSummary.read(file)
        systems = rows.groupby(["dataset", "backbone", "recipe"], sort=False)
        lines += [_line(tuple(map(str, names)), own) for names, own in systems]
    if not lines:
        return ""
    how = (
        "Per cent, and points: means over all tests at the strengths at which they are passed or failed. "
        "Each test and other strengths are in the tables."
    )
    return "\n".join([aligned([HEADS, *lines]), how])


def _line(names: tuple[str, ...], rows: pd.DataFrame) -> tuple[str, ...]:
    whole = rows[rows["test"] == ALL].iloc[0]
    failed = rows[rows["passed"] == "no"]
    doubtful = [f"{row['test']}{'' if row['certain'] == 'yes' else ' (?)'}" for row in failed.to_dict("records")]
    made = whole["tests_passed"] == whole["tests_passed"]
    return (
        *names,
        f"{whole['tests_passed']:.0f} of {whole['tests_made']:.0f}" if made else "-",
        _percent(whole, "unchanged"),
        _percent(whole, "change"),
        f"{whole['utterances']:.0f}",
        f"{whole['speakers']:.0f}",
        ", ".join(doubtful) if made else str(whole["verdict"]),
    )


def _percent(row: pd.Series[float], what: str) -> str:
    return percent(row[what], row[f"{what}_low"], row[f"{what}_high"])
