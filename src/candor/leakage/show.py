"""Print what is read off the runs of a dataset for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from candor.federated.defences.words import in_words
from candor.leakage.names import UAR, UNDEFENDED
from candor.numbers import percent
from candor.performance.show import aligned
from candor.tables.leakage import LeakageSummary

HEADS = (
    *("dataset", "run", "defence", "knows", "what", "by", "layer", "UAR [95 % interval]", "chance", "dealt anew"),
    *("people", "emotion", "verdict"),
)
EXPLAINED = (
    "Per cent, of people whom the attacker has not learned from, off one update of a client. `layer`: the one that "
    "tells most on shadow people; all are in attacks.tsv. `dealt anew`: the same attacker, taught what is not true. "
    "`emotion`: UAR on test speakers."
)


def leakage_text(summaries: Sequence[Path]) -> str:
    """Return a line per run and what the attacker knows.

    Parameters
    ----------
    summaries
        Tables `LeakageSummary`.
    """
    lines: list[Sequence[str]] = []
    for file in summaries:
        rows = LeakageSummary.read(file)
        told = rows[(rows["headline"] == "yes") & (rows["metric"] == UAR)]
        lines += [_line(row) for row in told.to_dict("records")]
    return "\n".join([aligned([HEADS, *lines]), EXPLAINED]) if lines else ""


def _line(row: Mapping[Any, Any]) -> tuple[str, ...]:
    knows = "-" if row["knowledge"] == UNDEFENDED else row["knowledge"]
    first = (row["dataset"], row["run"], in_words(row), knows, row["attribute"])
    if pd.isna(row["value"]):
        return (*first, *["-"] * 6, percent(row["ser_uar"]), row["verdict"])
    return (
        *first,
        row["attacker"],
        row["layer"],
        percent(row["value"], row["low"], row["high"]),
        percent(row["chance"]),
        percent(row["control"]),
        f"{row['people']:.0f}",
        percent(row["ser_uar"]),
        row["verdict"],
    )
