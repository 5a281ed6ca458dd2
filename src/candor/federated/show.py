"""Print the runs of a dataset for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from candor.federated.defences.words import UNDEFENDED, in_words
from candor.federated.settings import CENTRAL
from candor.numbers import p_words, percent, with_prefix
from candor.performance.caveats import caveats_of
from candor.performance.show import aligned
from candor.tables.federated import FederatedComparison, FederatedSummary

HEADS = (
    *(
        "dataset",
        "run",
        "algorithm",
        "defence",
        "UAR [95 % interval]",
        "accuracy",
        "chance",
        "less central [95 % interval]",
    ),
    *("clients", "rounds", "best", "sent", "n", "speakers", ""),
)
EXPLAINED = (
    "Per cent, of speakers whom no client holds (of digits: of images). `less central`: the run less training at one "
    "place on the same features, in points, paired by speaker; p is Holm's for all pairs. `best`: the round whose "
    "model was tested, `sent`: bytes down and up in a fold, both on average over folds."
)
DEFENCES_EXPLAINED = (
    "`defence`: epsilon towards who sees all models of a fold and nothing else; `of updates` towards who sees single "
    "updates."
)
DEFENCE = HEADS.index("defence")
"""The column that is left out where no run has a defence."""


def federated_text(summaries: Sequence[Path]) -> str:
    """Return a line per run, the best of a dataset first.

    Parameters
    ----------
    summaries
        Tables `FederatedSummary`; the `FederatedComparison` beside each is read where it is there.
    """
    lines: list[Sequence[str]] = []
    caveats: list[str] = []
    for file in summaries:
        rows = FederatedSummary.read(file)
        beside = file.with_name(Path(FederatedComparison.path).name)
        pairs = FederatedComparison.read(beside).to_dict("records") if beside.exists() else []
        accuracy = rows[rows["metric"] == "accuracy"].set_index("run")["value"]
        best_first = rows[rows["metric"] == "uar"].sort_values(["value", "run"], ascending=[False, True])
        kinds = dict(zip(best_first["run"], best_first["model_type"], strict=True))
        for row in best_first.to_dict("records"):
            caveats.append(caveats_of(row))
            lines.append(_line(row, accuracy[row["run"]], _less_central(row["run"], pairs, kinds)))
    table: list[Sequence[str]] = [HEADS, *lines]
    defended = any(line[DEFENCE] != UNDEFENDED for line in lines)
    if not defended:
        table = [[*line[:DEFENCE], *line[DEFENCE + 1 :]] for line in table]
    told = filter(
        None, [EXPLAINED, DEFENCES_EXPLAINED if defended else "", "; ".join(filter(None, dict.fromkeys(caveats)))]
    )
    return "\n".join([aligned(table), *told]) if lines else ""


def _line(row: Mapping[Any, Any], accuracy: float, less_central: str) -> tuple[str, ...]:
    return (
        row["dataset"],
        row["run"],
        row["model_type"],
        in_words(row),
        percent(row["value"], row["low"], row["high"]),
        percent(accuracy),
        percent(row["chance"]),
        less_central,
        f"{row['clients']:.0f}",
        f"{row['rounds']:.0f}",
        f"{row['selected_round']:.0f}",
        f"{with_prefix(row['bytes'])}B" if row["bytes"] else "-",
        f"{row['utterances']}",
        f"{row['speakers']}" if row["backbone"] else "-",
        "" if row["interpretable"] == "yes" else row["interpretable"],
    )


def _less_central(run: str, pairs: Sequence[Mapping[Any, Any]], kinds: Mapping[str, str]) -> str:
    """Return how far a run is above training at one place, or a dash where that was not run beside it."""
    for pair in pairs:
        names = (pair["run_a"], pair["run_b"])
        if pair["metric"] != "uar" or pair["differ_in"] != "entry" or run not in names or kinds.get(run) == CENTRAL:
            continue
        other = names[1 - names.index(run)]
        if kinds.get(other) != CENTRAL:
            continue
        sign = 1 if run == names[0] else -1
        ends = sorted((sign * pair["low"], sign * pair["high"]))
        low, high = (f"{100 * end:+.1f}" for end in ends)
        return f"{100 * sign * pair['difference']:+.1f} [{low}, {high}], {p_words(pair['p_holm'])}"
    return "-"
