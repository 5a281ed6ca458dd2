"""Tables for papers and pages: the summary of recognition and the comparison of systems."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd

from candor.performance.caveats import heard_speakers, shared_speakers
from candor.performance.pairs import NOT_TOLD_APART, TOO_FEW_SPEAKERS
from candor.sheets import Cell, Sheet
from candor.tables.performance import METRIC_NAMES

_OF_EMOTIONS = ("uar", "accuracy", "macro_f1")


def summary_sheet(rows: pd.DataFrame) -> Sheet:
    """Lay out how well every backbone with every recipe recognises emotion, best UAR first, or foretells ratings.

    Parameters
    ----------
    rows
        Rows of `Summary` of one dataset. The best of each metric is bold, with all that print the same figure.
    """
    if not (rows["metric"] == "uar").any():
        return _rating_sheet(rows)
    metrics = {metric: rows[rows["metric"] == metric].set_index(["backbone", "recipe"]) for metric in _OF_EMOTIONS}
    uar = metrics["uar"].sort_values("value", ascending=False, kind="stable")
    columns = {name: [_percent(value) for value in own.loc[uar.index, "value"]] for name, own in metrics.items()}
    best = {name: max(printed, key=float) for name, printed in columns.items()}
    lines = []
    for place, row in enumerate(uar.reset_index().to_dict("records")):
        mark = "" if row["interpretable"] == "yes" else "*"
        after = {"uar": f"{mark} {_interval(row, _percent)}"}
        lines.append(
            [
                Cell(row["backbone"]),
                Cell(row["recipe"]),
                *(Cell(own[place], after.get(name, ""), own[place] == best[name]) for name, own in columns.items()),
                *(Cell(text) for text in (_percent(row["chance"]), str(row["utterances"]), str(row["speakers"]))),
            ]
        )
    heads = ("backbone", "recipe", "UAR", "accuracy", "macro-F1", "chance", "n", "speakers")
    caption = f"Recognition of emotion in {_datasets(rows)}, in per cent"
    return Sheet(heads, 2, lines, caption, _summary_notes(uar))


def _rating_sheet(rows: pd.DataFrame) -> Sheet:
    """Lay out how well every backbone with every recipe foretells a rating, best CCC first."""
    ccc, mae = (rows[rows["metric"] == name].set_index(["backbone", "recipe"]) for name in ("ccc", "mae"))
    ccc = ccc.sort_values("value", ascending=False, kind="stable")
    errors = mae.loc[ccc.index, "value"]
    lines = []
    for row, error in zip(ccc.reset_index().to_dict("records"), errors, strict=True):
        mark = "" if row["interpretable"] == "yes" else "*"
        lines.append(
            [
                Cell(row["backbone"]),
                Cell(row["recipe"]),
                Cell(_decimal(row["value"]), f"{mark} {_interval(row, _decimal)}", row["value"] == ccc["value"].max()),
                Cell(_decimal(error), bold=error == errors.min()),
                *(Cell(text) for text in (str(row["utterances"]), str(row["speakers"]))),
            ]
        )
    heads = ("backbone", "recipe", "CCC", "MAE", "n", "speakers")
    notes = [note.replace(" Chance: that of the UAR.", "") for note in _summary_notes(ccc)]
    return Sheet(heads, 2, lines, f"Ratings foretold in {_datasets(rows)}", notes)


def comparison_sheet(rows: pd.DataFrame, metric: str = "uar") -> Sheet:
    """Lay out the differences between systems in one metric.

    Parameters
    ----------
    rows
        Rows of `Comparison` of one dataset. The better of two systems is bold.
    metric
        ``uar``, ``accuracy`` or ``macro_f1``; ``ccc`` where a rating is predicted.
    """
    chosen = rows[rows["metric"] == metric]
    lines = []
    for row in chosen.to_dict("records"):
        varied = row["differ_in"]
        same = "recipe" if varied == "backbone" else "backbone"
        told = row["better"] not in (NOT_TOLD_APART, TOO_FEW_SPEAKERS)
        first_leads = row["difference"] > 0
        lines.append(
            [
                Cell(row[f"{varied}_a"], bold=told and first_leads),
                Cell(row[f"{varied}_b"], bold=told and not first_leads),
                Cell(row[f"{same}_a"]),
                Cell(_points(row["difference"]), f" {_interval(row, _points)}"),
                Cell(_p(row["p"])),
                Cell(_p(row["p_holm"])),
            ]
        )
    heads = ("first", "second", "both with", "difference", "p", "p (Holm)")
    unit = "hundredths" if metric in ("ccc", "mae") else "points"
    caption = (
        f"Differences in {METRIC_NAMES[metric]} between systems on {_datasets(rows)}, first less second, in {unit}"
    )
    return Sheet(heads, 3, lines, caption, _comparison_notes(chosen))


def _summary_notes(uar: pd.DataFrame) -> list[str]:
    notes = ["In brackets: 95 % interval over speakers. Chance: that of the UAR. n: test utterances. Bold: best."]
    marked = uar[uar["interpretable"] != "yes"]
    if len(marked):
        notes.append(f"*: {' or '.join(sorted(set(marked['interpretable'])))}, not to be interpreted.")
    caveats = {
        told for row in uar.reset_index().to_dict("records") for told in (shared_speakers(row), heard_speakers(row))
    }
    return [*notes, *(f"{caveat}." for caveat in sorted(caveats - {""}))]


def _comparison_notes(rows: pd.DataFrame) -> list[str]:
    if rows.empty:
        return ["There are no two systems to compare."]
    number = int(rows["pairs"].iloc[0])
    pairs = "1 pair" if number == 1 else f"{number} pairs"
    notes = [
        "In brackets: 95 % interval of the paired difference over speakers, not adjusted for the number of pairs.",
        f"p: swap of the systems speaker by speaker; adjusted by Holm for {pairs}. "
        "Bold: better at the 5 % level after that.",
    ]
    if (rows["better"] == TOO_FEW_SPEAKERS).any():
        speakers = rows["speakers"].iloc[0]
        few = "one speaker" if speakers == 1 else f"{speakers} speakers and {pairs}"
        notes.append(f"With {few} no outcome of the test could tell systems apart.")
    return notes


def _datasets(rows: pd.DataFrame) -> str:
    return ", ".join(rows["dataset"].unique())


def _interval(row: Mapping[Hashable, Any], write: Callable[[float], str]) -> str:
    if pd.isna(row["low"]):
        return "[one speaker]"
    return f"[{write(row['low'])}, {write(row['high'])}]"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _decimal(value: float) -> str:
    return f"{value:.3f}"


def _points(value: float) -> str:
    """Write a difference with its sign; a rounded nothing has none."""
    text = f"{100 * value:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "\u2212")


def _p(value: float) -> str:
    if pd.isna(value):
        return "\u2013"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
