"""Who is fooled: success by emotion and by the groups of the fairness audit, and how far groups lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from candor.attack.evaluate import Fooled, Planned
from candor.corpora.emotions import classes_in
from candor.fairness.chance import draws_for, guessed_sums, p_value, shuffled_sums
from candor.fairness.groups import Asked, Axis, Codes, axes_of, utterances_tested
from candor.fairness.samples import Sample
from candor.fairness.served import interval_of_one
from candor.fairness.spread import uncertainty, utterance_variance
from candor.stats.confusions import accuracy
from candor.stats.gaps import gap, gap_interval
from candor.stats.intervals import FloatArray, Interval, speaker_interval
from candor.stats.paired import holm

EMOTION = "emotion"
SPEAKER = "speaker"
SUCCESS, GAP = "success", "gap"

Row = dict[str, Any]


class Attempts(Sample):
    """Attacked utterances, and how many attempts on each succeeded: one per seed whose model heard it rightly.

    Parameters
    ----------
    hits, attempts
        Attempts that succeeded, and all, of each utterance.
    speaker
        Who speaks, by number.
    strata
        Utterances among which groups may be shuffled, by number.
    """

    def __init__(self, hits: FloatArray, attempts: FloatArray, speaker: Codes, strata: Codes) -> None:
        super().__init__(speaker, strata)
        self.hits, self.attempts = hits, attempts

    def only(self, chosen: NDArray[np.bool_]) -> Attempts:
        """Return some of the utterances."""
        return Attempts(self.hits[chosen], self.attempts[chosen], self.speaker[chosen], self.strata[chosen])

    def sums(self, codes: Codes, groups: int) -> FloatArray:
        """Return how many attempts in each group succeeded and did not, `[groups, 2]`."""
        both = (self.hits, self.attempts - self.hits)
        return np.stack([np.bincount(codes, weights=own, minlength=groups) for own in both], axis=-1)

    def guessed(self, codes: Codes, groups: int, draws: int, random: np.random.Generator) -> FloatArray:
        """Return the sums if attempts on utterances succeeded as often, whatever the group: `[draws, groups, 2]`."""
        number = np.bincount(codes, minlength=groups)
        drawn = random.binomial(number, self.hits.sum() / self.attempts.sum(), size=(draws, groups))
        return np.stack([drawn, number - drawn], axis=-1).astype(np.float64)

    def likely_sums(self, codes: Codes, groups: int) -> FloatArray:
        """Return the sums, and in each group one utterance more, on which attempts succeed as often as on all.

        Where all of a group's attempts end alike, this is no proof that the next one would; nor where all groups' do.
        """
        sums = self.sums(codes, groups)
        one = float(self.attempts.mean()) if len(self) else 1.0
        usual = one * (sums.sum(axis=0) + 0.5 * one) / (sums.sum() + one)
        return sums + np.where(sums.sum(axis=1, keepdims=True) > 0, usual, 0.0)

    def without_utterance(self, codes: Codes, groups: int) -> Iterator[tuple[Codes, FloatArray, FloatArray]]:
        """Yield each utterance's group, and its sums without that utterance."""
        own = np.stack([self.hits, self.attempts - self.hits], axis=-1)
        yield codes, np.ones(len(codes)), self.likely_sums(codes, groups)[codes] - own


def success_rates(sums: FloatArray) -> FloatArray:
    """Return the share that succeeded, `[…, groups, 1, 1]`; NaN for a group without attempts."""
    number = sums.sum(axis=-1)
    share = np.divide(sums[..., 0], number, out=np.full(number.shape, np.nan), where=number > 0)
    return np.asarray(share[..., None, None])


def success_noise(sums: FloatArray) -> FloatArray:
    """Return the variance of these by the number of attempts alone, if all groups were fooled equally often."""
    share = success_rates(sums.sum(axis=-2, keepdims=True))
    number = sums.sum(axis=-1)[..., None, None]
    return np.asarray(share * (1 - share) / np.where(number > 0, number, np.nan))


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
            names, attacked = {"method": plan.method, "snr": snr}, _per_utterance(attempts)
            found: list[Row] = []
            for axis in _axes(fooled, attacked, manifest, asked):
                found += _axis_rows(fooled, attempts, attacked, axis)
            gaps = [row for row in found if row["what"] == GAP]
            for row, adjusted in zip(gaps, holm([row["p"] for row in gaps]), strict=True):
                row["p_holm"] = adjusted
            rows += [{**names, **row} for row in found]
    columns = ["method", "snr", "axis", "what", "group", "value", "low", "high", "p", "p_holm", "random_high"]
    return pd.DataFrame(rows, columns=[*columns, "higher", "lower", "attacked", "speakers", "note"])


def _per_utterance(attempts: pd.DataFrame) -> pd.DataFrame:
    """Return a row per attacked utterance: how many attempts on it there were, and how many succeeded."""
    grouped = attempts.groupby("utterance", sort=True)
    rows = grouped[["label", "cluster"]].first()
    return rows.assign(hits=grouped["fooled"].sum(), attempts=grouped.size()).reset_index()


def _axes(fooled: Fooled, attacked: pd.DataFrame, manifest: pd.DataFrame, asked: Asked) -> Iterator[Axis]:
    """Yield the emotions, then the groups of the fairness audit, with a code for each attacked utterance.

    Which groups are large enough is decided by all test utterances: those that were heard rightly are no fair choice.
    """
    emotions = classes_in(attacked["label"])
    codes = pd.Index(emotions).get_indexer(pd.Index(attacked["label"]))
    several = attacked.groupby("cluster")["label"].nunique().max() > 1
    yield Axis(EMOTION, emotions, codes, "crossed" if several else "nested")
    tested = utterances_tested(fooled.clean)
    place = pd.Index(tested["utterance"]).get_indexer(pd.Index(attacked["utterance"]))
    for axis in axes_of(tested, manifest, asked):
        yield Axis(axis.name, axis.groups, axis.codes[place], axis.kind, axis.left_out, axis.unknown)


def _axis_rows(fooled: Fooled, attempts: pd.DataFrame, attacked: pd.DataFrame, axis: Axis) -> Iterator[Row]:
    blank = dict.fromkeys(("value", "low", "high", "p", "p_holm", "random_high"), np.nan) | dict.fromkeys(
        ("higher", "lower", "note"), ""
    )
    common = {**blank, "axis": axis.name}
    sample = _sample(attacked, axis)
    group_of = dict(zip(attacked["utterance"], axis.codes.tolist(), strict=True))
    codes = attempts["utterance"].map(group_of).to_numpy()
    for code, group in enumerate(axis.groups):
        own, chosen = attempts[codes == code], axis.codes == code
        behind = {"attacked": int(chosen.sum()), "speakers": own["cluster"].nunique()}
        if not chosen.any():
            yield {**common, "what": SUCCESS, "group": group, **behind, "note": "none of its utterances was attacked"}
            continue
        if axis.kind == SPEAKER:
            interval = _of_one_speaker(sample.only(chosen))
        else:
            interval = speaker_interval(fooled.counts(own), accuracy)
        ends = {"value": interval.value, "low": interval.low, "high": interval.high}
        yield {**common, "what": SUCCESS, "group": group, **ends, **behind}
    for left in axis.left_out:
        behind = {"attacked": 0, "speakers": left.speakers}
        yield {**common, "what": SUCCESS, "group": left.group, **behind, "note": f"left out: {left.reason}"}
    compared = axis.codes >= 0
    behind = {"attacked": int(compared.sum()), "speakers": attacked["cluster"][compared].nunique()}
    yield {**common, "what": GAP, "group": "", **behind, **_gap(sample.only(compared), axis, compared)}


def _sample(attacked: pd.DataFrame, axis: Axis) -> Attempts:
    """Return the attacked utterances; groups are shuffled among those of one emotion, unless they are the emotions."""
    label = pd.factorize(attacked["label"], sort=True)[0]
    return Attempts(
        attacked["hits"].to_numpy(dtype=np.float64),
        attacked["attempts"].to_numpy(dtype=np.float64),
        pd.factorize(attacked["cluster"], sort=True)[0],
        np.zeros_like(label) if axis.name == EMOTION else label,
    )


def _of_one_speaker(sample: Attempts) -> Interval:
    everything = np.zeros(len(sample), dtype=np.intp)
    variance = utterance_variance(sample, everything, 1, success_rates)[0, 0, 0]
    return interval_of_one(float(success_rates(sample.sums(everything, 1))[0, 0, 0]), float(variance))


def _gap(sample: Attempts, axis: Axis, compared: NDArray[np.bool_]) -> Row:
    axis = Axis(axis.name, axis.groups, axis.codes[compared], axis.kind, axis.left_out)
    if axis.nothing or len(np.unique(axis.codes)) < 2:
        return {"note": axis.nothing or "fewer than two groups were attacked"}
    groups = len(axis.groups)
    sums = sample.sums(axis.codes, groups)
    sure = uncertainty(sample, axis, success_rates)
    found = gap_interval(success_rates(sums), sure.variance, sure.freedom, "max", most=1.0)
    random, draws = np.random.default_rng(0), draws_for(groups, sums[0].size)
    # Where speakers are dealt out, groups change in how many of their utterances were attacked.
    in_errors = axis.kind == "nested"

    def tested(own: FloatArray) -> FloatArray:
        return gap(success_rates(own), "max", "max", success_noise(own) if in_errors else None)

    shuffled = np.concatenate([tested(own) for own in shuffled_sums(sample, axis, draws, random)])
    guessed = np.concatenate([gap(success_rates(own), "max") for own in guessed_sums(sample, axis, draws, random)])
    row: Row = {"value": found.value, "low": found.low, "high": found.high}
    row["p"] = p_value(float(tested(sums)), shuffled)
    row["random_high"] = float(np.nanquantile(guessed, 0.95))
    if found.widest is not None:
        row["higher"], row["lower"] = (axis.groups[place] for place in found.widest[:2])
    return row
