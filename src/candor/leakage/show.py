"""Print what is read off the runs of a dataset for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from candor.federated.defences.words import in_words
from candor.leakage.names import AUC, UAR, UNDEFENDED
from candor.numbers import percent
from candor.performance.show import aligned
from candor.privacy.names import BEYOND
from candor.tables.leakage import Inversions, LeakageSummary

HEADS = (
    *("dataset", "run", "defence", "attacker", "what", "by", "layer", "UAR [95 % interval]", "AUC [95 % interval]"),
    *("chance", "shuffled", "people", "emotion", "verdict"),
)
EXPLAINED = (
    "Per cent, of people whom the attacker has not learned from, off one update of a client. `attacker`: whether he "
    "knows the defence. `layer`: the one that tells most on shadow people; all are in attacks.tsv. AUC: how well "
    "people are told apart, wherever the line is. `shuffled`: UAR of the same attacker, taught values dealt out anew. "
    "`emotion`: UAR on test speakers. `verdict`: of UAR or AUC, whichever says more."
)
KEY = ["run", "attribute", "knowledge"]

INVERTED = ("run", "gradients", "clips", "exact", "cosine", "of others", "classes", "gender", "off the truth")
INVERSION_EXPLAINED = (
    "Clients' embeddings, reconstructed from their gradients. `clips`: in a gradient, in the mean. Per cent: `exact`: "
    "reconstructions that were solved for; `cosine` to the true embeddings, and that of as many `of others`; `classes` "
    "told right. `gender`: read right off the reconstruction, and off the true embeddings."
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
        told = rows[rows["headline"] == "yes"]
        beside = told[told["metric"] == AUC].set_index(KEY)
        for row in told[told["metric"] == UAR].to_dict("records"):
            key = tuple(row[name] for name in KEY)
            lines.append(_line(row, beside.loc[key].to_dict() if key in beside.index else {}))
    return "\n".join([aligned([HEADS, *lines]), EXPLAINED]) if lines else ""


def inversion_text(inverted: Sequence[Path]) -> str:
    """Return a line per run whose gradients were turned back.

    Parameters
    ----------
    inverted
        Tables `Inversions`, each in the folder of its run.
    """
    lines = []
    for file in inverted:
        rows = Inversions.read(file)
        if rows.empty:
            continue
        means = [percent(rows[name].mean()) for name in ("exact", "cosine", "cosine_of_others", "labels")]
        told = rows[(rows["gender"] != "") & (rows["read"] != "")]
        right = [f"{(told[name] == told['gender']).sum()} of {len(told)}" for name in ("read", "read_off_truth")]
        lines.append((file.parent.name, f"{len(rows)}", f"{rows['examples'].mean():.0f}", *means, *right))
    return "\n".join([aligned([INVERTED, *lines]), INVERSION_EXPLAINED]) if lines else ""


def _line(row: Mapping[Any, Any], auc: Mapping[Any, Any]) -> tuple[str, ...]:
    knows = "-" if row["knowledge"] == UNDEFENDED else row["knowledge"]
    first = (row["dataset"], row["run"], in_words(row), knows, row["attribute"])
    if pd.isna(row["value"]):
        return (*first, *["-"] * 7, percent(row["ser_uar"]), row["verdict"])
    verdict = BEYOND if BEYOND in (row["verdict"], auc.get("verdict")) else row["verdict"]
    return (
        *first,
        row["attacker"],
        row["layer"],
        percent(row["value"], row["low"], row["high"]),
        percent(auc["value"], auc["low"], auc["high"]) if auc else "-",
        percent(row["chance"]),
        percent(row["control"]),
        f"{row['people']:.0f}",
        percent(row["ser_uar"]),
        verdict,
    )
