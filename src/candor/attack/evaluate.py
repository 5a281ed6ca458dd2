"""From what models say of perturbed utterances to how often they are fooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from candor.attack.names import CLEAN, CONTROL, NO_GRADIENT, SILENT
from candor.performance.interpretable import interpretable
from candor.performance.verdicts import doubt
from candor.stats.clustering import clusters
from candor.stats.confusions import accuracy, count_hits
from candor.stats.intervals import FloatArray, Interval, speaker_interval
from candor.stats.paired import paired_interval, swap_test

TRUST_SER_SNR = 45.0
"""The ratio that trust-ser reports."""

BEYOND, NOT_BEYOND, ONE_SPEAKER = "beyond control", "not beyond control", "one speaker"
NONE_RIGHT = "no utterance was right"

Row = dict[str, Any]


@dataclass(frozen=True)
class Planned:
    """An attack that was asked for: its method, and the backbone whose gradient it follows."""

    method: str
    source: str


class Fooled:
    """What became of the test utterances of all folds under attack.

    Several seeds count together: on an utterance that the models of two seeds hear rightly there are two attempts. How
    many are right differs between seeds, so that shares per seed would not be of the same utterances.

    Parameters
    ----------
    attacked
        Rows of `Attacked`, all folds and seeds.
    """

    def __init__(self, attacked: pd.DataFrame) -> None:
        attacked = attacked.assign(cluster=clusters(attacked))
        hit = np.where(
            attacked["target"] == "",
            attacked["predicted"] != attacked["label"],
            attacked["predicted"] == attacked["target"],
        )
        self.rows = attacked.assign(fooled=hit)
        self.clean = self.rows[self.rows["method"] == CLEAN].sort_values(["utterance", "seed"])
        self.speakers = sorted(set(self.clean["cluster"]))
        self.seeds = sorted(set(self.clean["seed"]))

    @property
    def target(self) -> str:
        """Return the emotion that was to be heard instead; blank for any but the true one."""
        return str(max(self.rows["target"], default=""))

    @cached_property
    def right(self) -> int:
        """Return how many utterances were right before."""
        return int((self.clean["before"] == self.clean["label"]).sum())

    @cached_property
    def interpretable(self) -> str:
        """Say whether an attack on these models means anything: ``yes``, ``at chance`` or ``one class``."""
        return interpretable(self.clean)

    def of(self, method: str, snr: float) -> pd.DataFrame:
        """Return the rows of the attacked utterances, in the order of their names."""
        own = self.rows[(self.rows["method"] == method) & (self.rows["snr"] == snr)]
        return own.sort_values(["utterance", "seed"])

    def counts(self, rows: pd.DataFrame) -> FloatArray:
        """Return how many utterances of each speaker are fooled and are not, `[speakers, 1, 2, 2]`, as `count_hits`."""
        speaker = self._speaker(rows["cluster"])
        return count_hits(rows["fooled"].to_numpy(), [speaker, np.zeros_like(speaker)], [len(self.speakers), 1])

    def right_under(self, rows: pd.DataFrame) -> Interval:
        """Return the share of all test utterances that are right, where these rows take the place of clean ones."""
        clean = self.clean.set_index(["utterance", "seed"])
        said = clean["predicted"].copy()
        said.update(rows.set_index(["utterance", "seed"])["predicted"])
        right = (said == clean["label"]).to_numpy()
        seed = pd.Index(self.seeds).get_indexer(clean.index.get_level_values("seed"))
        codes, shape = [self._speaker(clean["cluster"]), seed], [len(self.speakers), len(self.seeds)]
        return speaker_interval(count_hits(right, codes, shape), accuracy)

    def _speaker(self, names: pd.Series[str]) -> NDArray[np.intp]:
        places: NDArray[np.intp] = pd.Index(self.speakers).get_indexer(pd.Index(names))
        return places


def headline(snrs: Sequence[float]) -> float:
    """Return the ratio that figures by group are of: trust-ser's, or the nearest to it.

    >>> headline([60, 55, 45, 30]), headline([60, 40])
    (45, 40)
    """
    return min(snrs, key=lambda snr: (abs(snr - TRUST_SER_SNR), snr))


def results(fooled: Fooled, planned: Sequence[Planned], snrs: Sequence[float]) -> pd.DataFrame:
    """Return the rows of `AttackResult`.

    Parameters
    ----------
    fooled
        What became of the utterances.
    planned
        The attacks that were asked for.
    snrs
        At which ratios.
    """
    nothing = fooled.clean.iloc[:0]
    clean = _named("clean", fooled.right_under(nothing), value="clean_accuracy")
    common = {
        **clean,
        "tested": fooled.clean["utterance"].nunique(),
        "target": fooled.target,
        "silent": int((fooled.clean["status"] == SILENT).sum()),
        "folds": fooled.clean["fold"].nunique(),
        "seeds": ", ".join(map(str, fooled.seeds)),
    }
    rows = []
    for plan in planned:
        for snr in sorted(snrs, reverse=True):
            row = {"method": plan.method, "source": plan.source, "snr": snr, **common}
            row["headline"] = "yes" if snr == headline(snrs) else "no"
            rows.append({**row, **_result(fooled, plan.method, snr)})
    return pd.DataFrame(rows)


def _result(fooled: Fooled, method: str, snr: float) -> Row:
    rows, beside = fooled.of(method, snr), fooled.of(CONTROL, snr)
    row: Row = {
        **_named("accuracy", fooled.right_under(rows), value="accuracy"),
        "attacked": rows["utterance"].nunique(),
        "attempts": len(rows),
        "speakers": rows["cluster"].nunique(),
        "no_gradient": int((rows["status"] == NO_GRADIENT).sum()),
    }
    if rows.empty:
        blank = ("success", "low", "high", "control", "control_low", "control_high", "p", "realised_snr", "clipped")
        row |= dict.fromkeys((*blank, "difference", "difference_low", "difference_high"))
        return {**row, "verdict": NONE_RIGHT if not fooled.right else "no utterance could be attacked"}
    first, second = fooled.counts(rows), fooled.counts(beside)
    apart = paired_interval(first, second, accuracy)
    row |= {
        **_named("", speaker_interval(first, accuracy), value="success"),
        **_named("control", speaker_interval(second, accuracy), value="control"),
        **_named("difference", apart, value="difference"),
        "p": swap_test(first, second, accuracy),
        "realised_snr": rows["realised_snr"].mean(),
        "clipped": rows["clipped"].mean(),
        "verdict": _verdict(fooled.interpretable, apart),
    }
    return row


def _verdict(interpretable: str, apart: Interval) -> str:
    if interpretable != "yes":
        return doubt(interpretable)
    if np.isnan(apart.low):
        return ONE_SPEAKER
    return BEYOND if apart.low > 0 else NOT_BEYOND


def _named(prefix: str, interval: Interval, *, value: str) -> Row:
    low, high = (f"{prefix}_{end}" if prefix else end for end in ("low", "high"))
    return {value: interval.value, low: interval.low, high: interval.high}


def as_trust_ser(fooled: Fooled, method: str, snr: float) -> dict[str, dict[str, float | None]]:
    """Return success per fold in trust-ser's format: in per cent, with mean and standard deviation (ddof 0) over folds.

    A fold of which no utterance was right has none, and does not count.
    """
    rows = fooled.of(method, snr)
    success: dict[str, float | None] = {}
    for fold in sorted(set(fooled.clean["fold"])):
        by_seed = rows[rows["fold"] == fold].groupby("seed")["fooled"].mean()
        success[str(fold)] = 100 * float(by_seed.mean()) if len(by_seed) else None
    there = [value for value in success.values() if value is not None]
    success["average"] = float(np.mean(there)) if there else None
    success["std"] = float(np.std(there)) if there else None
    return {name: {"attack_success_rate": value} for name, value in success.items()}
