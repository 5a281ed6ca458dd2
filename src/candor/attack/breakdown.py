"""Who is fooled: success by emotion and by the groups of the fairness audit, and how far groups lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from candor.attack.evaluate import Fooled, Planned
from candor.corpora.emotions import classes_in
from candor.fairness.chance import draws_for, p_value, shuffled_sums
from candor.fairness.groups import Asked, Axis, Codes, axes_of
from candor.fairness.samples import Sample
from candor.fairness.spread import uncertainty
from candor.performance.metrics import accuracy
from candor.stats.gaps import gap, gap_interval
from candor.stats.intervals import FloatArray, speaker_interval
from candor.stats.paired import holm

EMOTION = "emotion"
SUCCESS, GAP = "success", "gap"

Row = dict[str, Any]


class Attempts(Sample):
    """Attacks on utterances, and which succeeded.

    Parameters
    ----------
    fooled
        Whether each succeeded.
    speaker
        Who speaks, by number.
    label
        The true emotion, by number.
    """

    def __init__(self, fooled: NDArray[np.bool_], speaker: Codes, label: Codes) -> None:
        super().__init__(speaker, label)
        self.fooled = fooled

    def only(self, chosen: NDArray[np.bool_]) -> Attempts:
        """Return some of the attempts."""
        return Attempts(self.fooled[chosen], self.speaker[chosen], self.strata[chosen])

    def sums(self, codes: Codes, groups: int) -> FloatArray:
        """Return how many in each group succeeded and did not, `[groups, 2]`."""
        return np.stack(
            [np.bincount(codes, weights=own, minlength=groups) for own in (self.fooled, ~self.fooled)], axis=-1
        )

    def guessed(self, codes: Codes, groups: int, draws: int, random: np.random.Generator) -> FloatArray:
        """Return the sums if attempts succeeded as often, but whatever the group: `[draws, groups, 2]`."""
        counts = self.sums(codes, groups).sum(axis=1).astype(np.int64)
        drawn = random.binomial(counts, self.fooled.mean(), size=(draws, groups))
        return np.stack([drawn, counts - drawn], axis=-1).astype(np.float64)

    def likely_sums(self, codes: Codes, groups: int) -> FloatArray:
        """Return the sums, and in each group one attempt more that succeeds as often as all do.

        Where all of a group's attempts end alike, this is no proof that the next one would; nor where all groups' do.
        """
        sums = self.sums(codes, groups)
        usual = (sums.sum(axis=0) + 0.5) / (sums.sum() + 1)
        return sums + np.where(sums.sum(axis=1, keepdims=True) > 0, usual, 0.0)

    def without_utterance(self, codes: Codes, groups: int) -> Iterator[tuple[Codes, FloatArray, FloatArray]]:
        """Yield, for those that succeeded and those that did not, the sums without one of them."""
        sums = self.likely_sums(codes, groups)
        for side in (0, 1):
            fewer = sums.copy()
            fewer[:, side] -= np.minimum(fewer[:, side], 1.0)
            yield np.arange(groups), sums[:, side], fewer


def success_rates(sums: FloatArray) -> FloatArray:
    """Return the share that succeeded, `[…, groups, 1, 1]`; NaN for a group without attempts."""
    number = sums.sum(axis=-1)
    share = np.divide(sums[..., 0], number, out=np.full(number.shape, np.nan), where=number > 0)
    return np.asarray(share[..., None, None])


def breakdown(
    fooled: Fooled, planned: Sequence[Planned], snrs: Sequence[float], manifest: pd.DataFrame, asked: Asked
) -> pd.DataFrame:
    """Return the rows of `AttackBreakdown`.

    Parameters
    ----------
    fooled
        What became of the utterances.
    planned, snrs
        The attacks that were asked for, and at which ratios.
    manifest
        The manifest of the dataset, which tells groups.
    asked
        Which groups.
    """
    rows: list[Row] = []
    for plan in planned:
        for snr in sorted(snrs, reverse=True):
            attempts = fooled.of(plan.method, snr)
            if attempts.empty:
                continue
            names = {"method": plan.method, "snr": snr}
            found = [own for axis in _axes(attempts, manifest, asked) for own in _axis_rows(fooled, attempts, axis)]
            gaps = [row for row in found if row["what"] == GAP]
            for row, adjusted in zip(gaps, holm([row["p"] for row in gaps]), strict=True):
                row["p_holm"] = adjusted
            rows += [{**names, **row} for row in found]
    columns = ["method", "snr", "axis", "what", "group", "value", "low", "high", "p", "p_holm", "higher", "lower"]
    return pd.DataFrame(rows, columns=[*columns, "attacked", "speakers", "note"])


def _axes(attempts: pd.DataFrame, manifest: pd.DataFrame, asked: Asked) -> Iterator[Axis]:
    """Yield the emotions, then the groups of the fairness audit, with a code for each attempt."""
    emotions = classes_in(attempts["label"])
    codes = pd.Index(emotions).get_indexer(pd.Index(attempts["label"]))
    several = attempts.groupby("cluster")["label"].nunique().max() > 1
    yield Axis(EMOTION, emotions, codes, "crossed" if several else "nested")
    tested = attempts.drop_duplicates("utterance")[["utterance", "speaker", "cluster", "fold"]]
    place = pd.Index(tested["utterance"]).get_indexer(pd.Index(attempts["utterance"]))
    for axis in axes_of(tested.reset_index(drop=True), manifest, asked):
        yield Axis(axis.name, axis.groups, axis.codes[place], axis.kind, axis.left_out, axis.unknown)


def _axis_rows(fooled: Fooled, attempts: pd.DataFrame, axis: Axis) -> Iterator[Row]:
    blank = dict.fromkeys(("value", "low", "high", "p", "p_holm"), np.nan) | dict.fromkeys(
        ("higher", "lower", "note"), ""
    )
    common = {**blank, "axis": axis.name}
    for code, group in enumerate(axis.groups):
        own = attempts[axis.codes == code]
        interval = speaker_interval(fooled.counts(own), accuracy)
        ends = {"value": interval.value, "low": interval.low, "high": interval.high}
        behind = {"attacked": len(own), "speakers": interval.speakers}
        yield {**common, "what": SUCCESS, "group": group, **ends, **behind}
    for left in axis.left_out:
        behind = {"attacked": left.utterances, "speakers": left.speakers}
        yield {**common, "what": SUCCESS, "group": left.group, **behind, "note": left.reason}
    compared = axis.codes >= 0
    behind = {"attacked": int(compared.sum()), "speakers": attempts["cluster"][compared].nunique()}
    yield {**common, "what": GAP, "group": "", **behind, **_gap(attempts[compared], axis, compared)}


def _gap(attempts: pd.DataFrame, axis: Axis, compared: NDArray[np.bool_]) -> Row:
    if axis.nothing:
        return {"note": axis.nothing}
    axis = Axis(axis.name, axis.groups, axis.codes[compared], axis.kind)
    sample = Attempts(
        attempts["fooled"].to_numpy(dtype=bool),
        pd.factorize(attempts["cluster"], sort=True)[0],
        pd.factorize(attempts["label"], sort=True)[0],
    )
    groups = len(axis.groups)
    sums = sample.sums(axis.codes, groups)
    sure = uncertainty(sample, axis, success_rates)
    found = gap_interval(success_rates(sums), sure.variance, sure.freedom, "max")
    random = np.random.default_rng(0)
    drawn = [
        gap(success_rates(own), "max") for own in shuffled_sums(sample, axis, draws_for(groups, sums[0].size), random)
    ]
    row: Row = {"value": found.value, "low": found.low, "high": found.high}
    row["p"] = p_value(found.value, np.concatenate(drawn))
    if found.widest is not None:
        row["higher"], row["lower"] = (axis.groups[place] for place in found.widest[:2])
    return row
