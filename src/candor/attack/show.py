"""Print the audit for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from candor.attack.figures import method_name
from candor.numbers import percent
from candor.performance.show import aligned
from candor.tables.attack import NOT_APPLICABLE, AttackSummary

HEADS = (
    *("dataset", "backbone", "recipe", "attack", "SNR", "fooled [95 % interval]", "random signs"),
    *("accuracy, before and after", "n", "speakers", "verdict"),
)


def attack_text(summaries: Sequence[Path]) -> str:
    """Return how often each system is fooled at the headline ratio, in the order of the table.

    Parameters
    ----------
    summaries
        Tables `AttackSummary`.
    """
    lines: list[Sequence[str]] = []
    for file in summaries:
        rows = AttackSummary.read(file)
        shown = rows[rows["headline"] == "yes"]
        lines += [_line(row) for row in shown.to_dict("records")]
    if not lines:
        return ""
    how = "Fooled: per cent of the utterances that were right; higher is worse. Other ratios are in the tables."
    return "\n".join([aligned([HEADS, *lines]), how])


def _line(row: dict[Any, Any]) -> tuple[str, ...]:
    names = tuple(str(row[name]) for name in ("dataset", "backbone", "recipe"))
    if row["verdict"].startswith(NOT_APPLICABLE):
        return (*names, *["-"] * 7, row["verdict"])
    return (
        *names,
        method_name(row["method"], row["source"], row["target"]),
        f"{row['snr']:g} dB",
        percent(row["success"], row["low"], row["high"]),
        percent(row["control"]),
        f"{percent(row['clean_accuracy'])}, {percent(row['accuracy'])}",
        f"{row['attacked']:.0f}",
        f"{row['speakers']:.0f}",
        row["verdict"],
    )
