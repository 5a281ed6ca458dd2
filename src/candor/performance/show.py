"""Print summaries for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from candor.performance.caveats import shared_speakers
from candor.tables.performance import RunSummary, Summary


def find_summaries(folder: Path) -> list[Path]:
    """Return the summaries to show for a folder: the widest ones, not also their parts."""
    found = sorted(folder.rglob("summary.tsv"))
    covered = {file.parent for file in found}
    return [file for file in found if not covered & set(file.parent.parents)]


def summary_text(summaries: Sequence[Path]) -> str:
    """Return UAR, accuracy and macro-F1 of every dataset, backbone and recipe with intervals, best first."""
    tables = [_read(file) for file in summaries]
    rows = pd.concat(tables).sort_values(["dataset", "metric", "value"], ascending=[True, True, False])
    uar = rows[rows["metric"] == "uar"]
    lines = [
        ("dataset", "backbone", "recipe", "UAR [95 % interval]", "accuracy", "macro-F1", "chance", "n", "speakers")
    ]
    for row in uar.itertuples():
        same = (rows["dataset"] == row.dataset) & (rows["backbone"] == row.backbone) & (rows["recipe"] == row.recipe)
        others = rows[same].set_index("metric")["value"]
        mark = "" if row.interpretable == "yes" else f" ({row.interpretable})"
        lines.append(
            (
                str(row.dataset),
                str(row.backbone),
                str(row.recipe),
                f"{_percent(row.value)} [{_percent(row.low)}, {_percent(row.high)}]{mark}",
                _percent(others["accuracy"]),
                _percent(others["macro_f1"]),
                _percent(row.chance),
                str(row.utterances),
                str(row.speakers),
            )
        )
    caveats = {row["dataset"]: shared_speakers(row) for row in uar.to_dict("records")}
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*table, *(f"{dataset}: {caveat}" for dataset, caveat in caveats.items() if caveat)])


def _read(file: Path) -> pd.DataFrame:
    """Read a summary of a dataset or of one run: the last cell of each row says which it is."""
    rows = file.read_text(encoding="utf-8").splitlines()
    one_run = len(rows) > 1 and rows[1].split("\t")[-1] == RunSummary.schema()
    return (RunSummary if one_run else Summary).read(file)


def _percent(value: object) -> str:
    number = float(str(value))
    return "-" if number != number else f"{100 * number:.1f}"
