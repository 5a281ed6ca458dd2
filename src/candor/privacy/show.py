"""Print the audit for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from candor.numbers import percent
from candor.performance.show import aligned
from candor.privacy.names import NOT_ATTACKED
from candor.tables.privacy import ATTRIBUTE_NAMES, METRIC_NAMES, PrivacySummary

HEADS = (
    *("dataset", "backbone", "recipe", "what", "from", "by", "figure [95 % interval]", "chance", "shuffled"),
    *("n", "speakers", "verdict"),
)


def privacy_text(summaries: Sequence[Path]) -> str:
    """Return the headline figures of each system, in the order of the table.

    Parameters
    ----------
    summaries
        Tables `PrivacySummary`.
    """
    lines: list[Sequence[str]] = []
    for file in summaries:
        rows = PrivacySummary.read(file)
        lines += [_line(row) for row in rows[rows["headline"] == "yes"].to_dict("records")]
    if not lines:
        return ""
    how = (
        "Per cent. UAR and AUC: higher is more leaked; equal error rate: lower is. Single layers, the other attacker "
        "and who of all speakers it is are in the tables."
    )
    return "\n".join([aligned([HEADS, *lines]), how])


def _line(row: dict[Any, Any]) -> tuple[str, ...]:
    names = tuple(str(row[name]) for name in ("dataset", "backbone", "recipe"))
    which = (ATTRIBUTE_NAMES[row["attribute"]], str(row["source"]), str(row["attacker"]))
    if row["verdict"].startswith(NOT_ATTACKED):
        return (*names, *which, *["-"] * 5, row["verdict"])
    return (
        *names,
        *which,
        f"{METRIC_NAMES[row['metric']]} {percent(row['value'], row['low'], row['high'])}",
        percent(row["chance"]),
        percent(row["control"]),
        f"{row['utterances']:.0f}",
        f"{row['speakers']:.0f}",
        row["verdict"],
    )
