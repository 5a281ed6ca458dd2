"""Print what systems cost for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from candor.numbers import percent, with_prefix
from candor.performance.show import aligned
from candor.tables.cost import CostSummary, CostTiming
from candor.tables.performance import METRIC_NAMES

HEADS = (
    *("dataset", "backbone", "recipe", "parameters", "trained", "FLOPs per clip", "of 6 s", "score [95 % interval]"),
    *("chance", "n", "speakers", "Pareto"),
)
TIMES = (
    *(
        "dataset",
        "backbone",
        "recipe",
        "answering, s/h",
        "on processors",
        "memory, MB",
        "energy, J/h",
        "extraction, s/h",
    ),
    *("training, s", "pretraining, s", "run on"),
)


def timings_beside(summaries: Sequence[Path]) -> list[Path]:
    """Return the tables of times beside summaries, as far as they are there."""
    beside = [file.with_name(Path(CostTiming.path).name) for file in summaries]
    return [file for file in beside if file.is_file()]


def cost_text(summaries: Sequence[Path], timings: Sequence[Path]) -> str:
    """Return what each system costs, the cheapest first, and what was measured.

    Parameters
    ----------
    summaries
        Tables `CostSummary`.
    timings
        Tables `CostTiming`.
    """
    lines: list[Sequence[str]] = [HEADS]
    notes: list[str] = []
    for file in summaries:
        rows = CostSummary.read(file).sort_values(["flops_per_clip", "backbone", "recipe"], na_position="last")
        lines += [_counted(row) for row in rows.to_dict("records")]
        notes += _notes(rows)
    blocks = [aligned(lines), "FLOPs: a multiplication with its addition is 2. Score in per cent (CCC times 100)."]
    if timings:
        rows = pd.concat([CostTiming.read(file) for file in timings])
        blocks += ["", aligned([TIMES, *(_measured(row) for row in rows.to_dict("records"))])]
        blocks += [f"s/h, J/h: per hour of speech. Energy: {'; '.join(dict.fromkeys(rows['energy_source']))}."]
        notes += _notes(rows)
    return "\n".join([*blocks, *notes])


def _counted(row: dict[Any, Any]) -> tuple[str, ...]:
    score = percent(row["score"], row["low"], row["high"], alone=" [one speaker]")
    mark = "" if row["interpretable"] == "yes" else f" ({row['interpretable']})"
    return (
        *(str(row[name]) for name in ("dataset", "backbone", "recipe")),
        *(with_prefix(row[name]) for name in ("parameters", "trainable", "flops_per_clip", "flops_6s")),
        f"{METRIC_NAMES[row['metric']]} {score}{mark}",
        percent(row["chance"]),
        str(row["tested"]),
        str(row["speakers"]),
        row["pareto"] or "-",
    )


def _measured(row: dict[Any, Any]) -> tuple[str, ...]:
    columns = ("inference_seconds", "inference_cpu_seconds", "inference_memory", "joules", "extraction_seconds")
    return (
        *(str(row[name]) for name in ("dataset", "backbone", "recipe")),
        *(
            "-" if row[name] != row[name] else f"{row[name]:,.4g}"
            for name in (*columns, "training_seconds", "pretraining_seconds")
        ),
        f"{row['device']}, {row['processor']}, {row['threads']} threads",
    )


def _notes(rows: pd.DataFrame) -> list[str]:
    names = zip(rows["dataset"], rows["backbone"], rows["recipe"], rows["note"], strict=True)
    return [f"{dataset}, {backbone}, {recipe}: {note}" for dataset, backbone, recipe, note in names if note]
