"""The tables of fed-ser-leakage: recognition by feature and algorithm, attacks by layer, defences by ε and updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from candor.federated.defences.words import in_words
from candor.leakage.names import ALL, READERS, UAR
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
    seen = rows[rows["attacker"].isin(READERS) & (rows["metric"] == UAR) & (rows["updates"] == 1)]
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
    """Return the three tables before they are set, each with its label.

    Parameters
    ----------
    rows
        Rows of `LeakageSummary` of one dataset.
    """
    dataset = ", ".join(rows["dataset"].unique())
    plain = rows[rows["defence"] == ""]
    apart = len(plain) not in (0, len(rows))
    recognised = recognition(plain if apart else rows)
    heard = "On test speakers, who are no clients." + (" Runs with a defence are in the third table." if apart else "")
    chance = "Chance is 50 where an attribute has two values. Means and intervals are in attacks.tsv of each run."
    under = defences(rows)
    under = under.assign(defence=[in_words(row) for row in under.to_dict("records")]).drop(columns=GUARANTEE[1:])
    told = (
        "ε and δ of client_dp: differential privacy towards who sees the models, in brackets towards who sees single "
        "updates; of local_dp: towards both. Where clients have sent fewer updates than a column asks for, it is of "
        "all that they sent: `seen` in attacks.tsv."
    )
    return [
        ("recognition", _sheet(recognised, 1, f"Recognition of emotion in {dataset}, in per cent", heard)),
        (
            "layers",
            _sheet(layers(rows), 5, f"UAR of attacks on one update in {dataset} by layer, in per cent", chance),
        ),
        ("defences", _sheet(under, 4, f"Attacks under defences in {dataset}, in per cent, by updates seen", told)),
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
    table = table.drop(columns="dataset")  # which the caption says
    heads = [column.replace("_", " ") for column in table.columns]
    lines = [[_cell(value) for value in row.values()] for row in table.to_dict("records")]
    return Sheet(heads, names, lines, caption, [note])


def _cell(value: Any) -> Cell:
    if isinstance(value, str):
        return Cell(value or "\u2013")
    if pd.isna(value):
        return Cell("\u2013")
    return Cell(f"{100 * value:.1f}")
