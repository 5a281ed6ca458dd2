"""The tables of fed-ser-leakage: recognition by feature and algorithm, attacks by layer, defences by ε and updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from candor.leakage.names import ALL, CNN, LOGISTIC, UAR
from candor.sheets import Cell, Sheet

GUARANTEE = ["defence", "epsilon", "epsilon_updates", "claimed_epsilon", "delta"]


def recognition(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `PublishedRecognition`.

    Parameters
    ----------
    rows
        Rows of `LeakageSummary`.
    """
    each = rows.drop_duplicates(["dataset", "run"])
    each = each.assign(entry=variants(each))
    lines = []
    for (dataset, backbone), own in each.groupby(["dataset", "backbone"], sort=False):
        figures = own.set_index("entry")
        line = {"dataset": dataset, "backbone": backbone}
        line |= {f"accuracy_{entry}": value for entry, value in figures["ser_accuracy"].items()}
        line |= {f"uar_{entry}": value for entry, value in figures["ser_uar"].items()}
        lines.append(line)
    return _wide(lines, ["dataset", "backbone"])


def layers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `PublishedLayers`."""
    seen = rows[rows["attacker"].isin([LOGISTIC, CNN]) & (rows["metric"] == UAR) & (rows["updates"] == 1)]
    names = ["dataset", "backbone", "entry", "attribute", "knowledge", "attacker"]
    seen = seen.assign(entry=variants(seen))
    lines = []
    for key, own in seen.groupby(names, sort=False):
        found = own.set_index("layer")["value"]
        lines.append(dict(zip(names, key, strict=True)) | {f"uar_{layer}": value for layer, value in found.items()})
    return _wide(lines, names, last=f"uar_{ALL}")


def defences(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `PublishedDefences`."""
    names = ["dataset", "run", "attribute", "knowledge"]
    lines = []
    for key, own in rows.groupby(names, sort=False):
        if not (own["headline"] == "yes").any():
            continue
        chosen = own[own["headline"] == "yes"].iloc[0]
        same = own[(own["attacker"] == chosen["attacker"]) & (own["layer"] == chosen["layer"])]
        line = dict(zip(names, key, strict=True)) | {name: chosen[name] for name in [*GUARANTEE, "ser_uar"]}
        line |= {f"{row['metric']}_{row['updates']}": row["value"] for row in same.to_dict("records")}
        lines.append(line)
    return _wide(lines, [*names, *GUARANTEE, "ser_uar"])


def sheets(rows: pd.DataFrame) -> list[tuple[str, Sheet]]:
    """Return the three tables before they are set, each with its label."""
    dataset = ", ".join(rows["dataset"].unique())
    heard = "On test speakers, who are no clients."
    chance = "Chance is 50 where an attribute has two values. Means and intervals are in attacks.tsv of each run."
    by_layer = f"UAR of attacks on one update in {dataset}, by layer, in per cent"
    by_number = f"Recognition and attacks under defences in {dataset}, in per cent, by number of updates seen"
    no_guarantee = (
        "epsilon: differential privacy towards who sees the models; epsilon updates: towards who sees single ones; a "
        "dash: no guarantee. claimed epsilon: does not hold. Where clients have sent fewer updates than a column asks "
        "for, it is of all that they sent: `seen` in attacks.tsv."
    )
    return [
        ("recognition", _sheet(recognition(rows), 2, f"Recognition of emotion in {dataset}, in per cent", heard)),
        ("layers", _sheet(layers(rows), 6, by_layer, chance)),
        ("defences", _sheet(defences(rows), 9, by_number, no_guarantee)),
    ]


def variants(rows: pd.DataFrame) -> list[str]:
    """Return the entry of each row, with ε where it has several: what follows the backbone in the run's name."""
    return [run.removeprefix(f"{backbone}_") for run, backbone in zip(rows["run"], rows["backbone"], strict=True)]


def _wide(lines: Sequence[dict[str, object]], first: Sequence[str], last: str = "") -> pd.DataFrame:
    names = dict.fromkeys(name for line in lines for name in line if name not in first)
    # By metric, in the order in which numbers and layers come.
    figures = sorted(
        names, key=lambda name: (not name.startswith("accuracy"), not name.startswith("uar"), name == last)
    )
    return pd.DataFrame(lines, columns=[*first, *figures])


def _sheet(table: pd.DataFrame, names: int, caption: str, note: str) -> Sheet:
    heads = [column.replace("_", " ") for column in table.columns]
    lines = [[_cell(value, name) for name, value in row.items()] for row in table.to_dict("records")]
    return Sheet(heads, names, lines, caption, [note])


def _cell(value: Any, name: Any) -> Cell:
    if isinstance(value, str):
        return Cell(value or "\u2013")
    if pd.isna(value):
        return Cell("\u2013")
    if "epsilon" in str(name) or name == "delta":
        return Cell(f"{value:g}")
    return Cell(f"{100 * value:.1f}")
