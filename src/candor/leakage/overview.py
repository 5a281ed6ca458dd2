"""All runs of a dataset side by side: what they recognise, what is read off them, which guarantee they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from candor.leakage.names import AUC, READERS, SPEAKERS
from candor.tables.leakage import LeakageSummary

GUARANTEE = ("defence", "epsilon", "epsilon_updates", "delta", "claimed_epsilon")

WHOSE = ["attribute", "knowledge"]


@dataclass(frozen=True)
class Audited:
    """A run that was attacked.

    Parameters
    ----------
    names
        Dataset, run, backbone, entry and model_type.
    facts
        What the attacks were made of.
    recognition
        Rows of `FederatedRunSummary`.
    attacks
        Rows of `LeakageAttacks`.
    """

    names: Mapping[str, str]
    facts: Mapping[str, Any]
    recognition: pd.DataFrame
    attacks: pd.DataFrame

    def rows(self) -> pd.DataFrame:
        """Return rows of `LeakageSummary`."""
        of_emotion = self.recognition.set_index("metric")["value"]
        defence = self.recognition.iloc[0]
        told = {
            **self.names,
            **{name: defence[name] for name in GUARANTEE},
            "shadows": whom(self.facts["shadows"], self.names["dataset"]),
            "ser_uar": of_emotion["uar"],
            "ser_accuracy": of_emotion["accuracy"],
        }
        return with_headlines(self.attacks.assign(**told))


def whom(shadows: Mapping[str, Sequence[Mapping[str, Any]]], dataset: str) -> str:
    """Return in words whom an attacker learned from."""
    first = next(iter(shadows.values()))[0]
    return ", ".join(first["datasets"]) or f"{SPEAKERS} ({dataset})"


def with_headlines(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of attacks with a mark at those that stand for the run.

    Of each attribute, and what the attacker knows, that is the attack on single updates which tells shadow people
    apart best who were held out, by AUC: nobody whom it is about has a part in the choice. Its UAR and its AUC are
    marked: under noise an attacker may tell people apart and still be wrong about where to draw the line between them.
    Who is told norms alone is a control. Noise makes norms of how many steps a client takes, by which few shadow people
    are told apart sooner or later.
    """
    seen = rows[rows["attacker"].isin(READERS) & (rows["metric"] == AUC) & (rows["updates"] == 1)]
    best = seen.dropna(subset="dev").sort_values("dev", ascending=False, kind="stable").groupby(WHOSE).head(1)
    of = [*WHOSE, "attacker", "layer", "updates"]
    chosen = set(best[of].itertuples(index=False, name=None))
    is_best = [key in chosen for key in rows[of].itertuples(index=False, name=None)]
    marked = [best or blank for best, blank in zip(is_best, rows["value"].isna(), strict=True)]
    return rows.assign(headline=["yes" if own else "no" for own in marked])


def summary(audited: Sequence[Audited]) -> pd.DataFrame:
    """Return all rows of a dataset."""
    parts = [row for own in audited for row in own.rows().to_dict("records")]
    return pd.DataFrame(parts, columns=[column.name for column in LeakageSummary.columns])
