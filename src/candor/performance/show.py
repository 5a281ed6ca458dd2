"""Print summaries for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from candor.performance.caveats import heard_speakers, shared_speakers
from candor.performance.pairs import leader_first
from candor.tables.comparison import Comparison
from candor.tables.performance import RunSummary, Summary

PAIRS_SHOWN = 10


def find_summaries(folder: Path) -> list[Path]:
    """Return the summaries to show for a folder: the widest ones, not also their parts."""
    found = sorted(folder.rglob("summary.tsv"))
    covered = {file.parent for file in found}
    return [file for file in found if not covered & set(file.parent.parents)]


def summary_text(summaries: Sequence[Path]) -> str:
    """Return the metrics of every dataset, backbone and recipe with intervals, best first."""
    rows = pd.concat([_read(file) for file in summaries])
    rows = rows.sort_values(["dataset", "metric", "value"], ascending=[True, True, False])
    emotions, ratings = (rows[rows["metric"] == metric] for metric in ("uar", "ccc"))
    blocks = []
    if len(emotions):
        heads = ["dataset", "backbone", "recipe", "UAR [95 % interval]", "accuracy", "macro-F1", "chance"]
        blocks.append(_block(rows, emotions, heads, ("accuracy", "macro_f1"), _percent))
    if len(ratings):
        heads = ["dataset", "backbone", "recipe", "CCC [95 % interval]", "MAE", "chance"]
        blocks.append(_block(rows, ratings, heads, ("mae",), _decimal))
    caveats = [
        f"{row['dataset']}: {caveat}" for row in pd.concat([emotions, ratings]).to_dict("records")
        for caveat in filter(None, (shared_speakers(row), heard_speakers(row)))
    ]  # fmt: skip
    return "\n".join([*blocks, *dict.fromkeys(caveats)])


def comparison_text(comparisons: Sequence[Path]) -> str:
    """Return by how much which system is ahead, for every dataset the greatest differences; nothing without any pair.

    Parameters
    ----------
    comparisons
        Tables `Comparison`.
    """
    heads = ("dataset", "ahead", "behind", "both with", "difference [95 % interval]", "p (Holm)", "better")
    lines: list[Sequence[str]] = []
    for file in comparisons:
        rows = Comparison.read(file)
        rows = rows[rows["metric"].isin(["uar", "ccc"])]
        pairs = sorted(map(leader_first, rows.to_dict("records")), key=lambda pair: -pair["difference"])
        write = _percent if "uar" in set(rows["metric"]) else _decimal
        for pair in pairs[:PAIRS_SHOWN]:
            difference, low, high = (write(pair[name]) for name in ("difference", "low", "high"))
            names = (pair["ahead"], pair["behind"], pair["same"])
            lines.append(
                (file.parent.name, *names, f"{difference} [{low}, {high}]", _p(pair["p_holm"]), pair["better"])
            )
        if len(pairs) > PAIRS_SHOWN:
            lines.append((file.parent.name, f"and {len(pairs) - PAIRS_SHOWN} smaller ones", *[""] * 5))
    return aligned([heads, *lines]) if lines else ""


def _block(
    rows: pd.DataFrame, shown: pd.DataFrame, heads: Sequence[str], others: Sequence[str], write: Callable[[object], str]
) -> str:
    """Return an aligned table of one metric with its interval, and of others beside it."""
    lines = [(*heads, "n", "speakers")]
    for row in shown.itertuples():
        same = (rows["dataset"] == row.dataset) & (rows["backbone"] == row.backbone) & (rows["recipe"] == row.recipe)
        values = rows[same].set_index("metric")["value"]
        mark = "" if row.interpretable == "yes" else f" ({row.interpretable})"
        lines.append(
            (
                str(row.dataset),
                str(row.backbone),
                str(row.recipe),
                f"{write(row.value)} [{write(row.low)}, {write(row.high)}]{mark}",
                *(write(values[other]) for other in others),
                write(row.chance),
                str(row.utterances),
                str(row.speakers),
            )
        )
    return aligned(lines)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells with columns as wide as their longest cell."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _read(file: Path) -> pd.DataFrame:
    """Read a summary of a dataset or of one run: the last cell of each row says which it is."""
    rows = file.read_text(encoding="utf-8").splitlines()
    one_run = len(rows) > 1 and rows[1].split("\t")[-1] == RunSummary.schema()
    return (RunSummary if one_run else Summary).read(file)


def _percent(value: object) -> str:
    number = float(str(value))
    return "-" if number != number else f"{100 * number:.1f}"


def _p(value: float) -> str:
    return "-" if value != value else "<0.001" if value < 0.001 else f"{value:.3f}"


def _decimal(value: object) -> str:
    number = float(str(value))
    return "-" if number != number else f"{number:.3f}"
