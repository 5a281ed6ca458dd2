"""Print the profiles for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from candor.performance.show import aligned
from candor.tables.trust import TrustProfile
from candor.trust.axes import HEADS
from candor.trust.profile import axes_of
from candor.trust.sheet import figure_text, passed_text

EXPLAINED = (
    "In per cent (CCC times 100), with 95 % intervals over speakers. Better is: recognised higher, gap lower, fooled "
    "lower, gender read lower (50 is chance), unchanged higher, FLOPs per second of speech lower."
)


def trust_text(summaries: Sequence[Path]) -> str:
    """Return the profile of each system, the best recognising ones of a dataset first.

    Parameters
    ----------
    summaries
        Tables `TrustProfile`.
    """
    lines: list[Sequence[str]] = []
    for file in summaries:
        for row in TrustProfile.read(file).to_dict("records"):
            mark = "" if row["interpretable"] == "yes" else row["interpretable"]
            names = (str(row[name]) for name in ("dataset", "backbone", "recipe"))
            lines.append(
                (
                    *names,
                    *(figure_text(row, axis, "-") for axis in axes_of(row)),
                    passed_text(row, "-"),
                    mark,
                )
            )
    if not lines:
        return ""
    heads = ("dataset", "backbone", "recipe", *HEADS.values(), "tests passed", "")
    return "\n".join([aligned([heads, *lines]), EXPLAINED])
