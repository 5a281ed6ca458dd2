"""How sure the rates of groups are: variances of their differences, without one speaker or one utterance at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from candor.fairness.groups import Axis
from candor.fairness.metrics import Rates
from candor.fairness.samples import Codes, Sample
from candor.stats.intervals import FloatArray, effective_speakers


@dataclass(frozen=True)
class Uncertainty:
    """Variances of the differences between groups.

    Parameters
    ----------
    of_group
        The variance of each group's rates, `[groups, classes, sides]`.
    freedom_of_group
        Its degrees of freedom, `[groups]`.
    without
        Where speakers are in several groups: the rates without each of them, `[speakers, groups, classes, sides]`.
    """

    of_group: FloatArray
    freedom_of_group: FloatArray
    without: FloatArray | None = None

    def variance(self, first: Codes, second: Codes) -> FloatArray:
        """Return the variances of the differences between these groups, `[pairs, classes, sides]`."""
        apart = self.of_group[first] + self.of_group[second]
        if self.without is None:
            return apart
        speakers = len(self.without)
        moved = self.without[:, first] - self.without[:, second]
        among = (speakers - 1) / speakers * ((moved - moved.mean(axis=0)) ** 2).sum(axis=0)
        # `of_group` is that of independent utterances here: speakers alike by chance are no proof that others would be.
        return np.asarray(np.fmax(among, apart))

    def freedom(self, first: Codes, second: Codes) -> FloatArray:
        """Return the degrees of freedom of these variances, by Welch and Satterthwaite."""
        one, other = self.of_group[first], self.of_group[second]
        one_freedom, other_freedom = (self.freedom_of_group[group][:, None, None] for group in (first, second))
        whole = one + other
        with np.errstate(invalid="ignore", divide="ignore"):
            joint = whole**2 / (one**2 / one_freedom + other**2 / other_freedom)
        return np.where(np.isfinite(joint) & (whole > 0), joint, np.fmin(one_freedom, other_freedom))


def uncertainty(sample: Sample, axis: Axis, rates: Rates) -> Uncertainty:
    """Return how sure the rates of the groups are.

    Parameters
    ----------
    sample
        The utterances of the groups that are compared, and no others.
    axis
        The groups, with a code for each of these utterances.
    rates
        The figure.
    """
    groups = len(axis.groups)
    by_utterance = utterance_variance(sample, axis.codes, groups, rates)
    if axis.kind == "speaker":
        return Uncertainty(by_utterance, np.full(groups, np.inf))
    if axis.kind == "nested":
        by_speaker, freedom = _speaker_variance(sample, axis.codes, groups, rates)
        return Uncertainty(np.where(np.isnan(by_speaker), np.nan, np.fmax(by_speaker, by_utterance)), freedom)
    people, place = np.unique(sample.speaker, return_inverse=True)
    others = [place != one for one in range(len(people))]
    without = np.stack([rates(sample.only(other).sums(axis.codes[other], groups)) for other in others])
    least = max(effective_speakers(np.bincount(place).astype(np.float64)) - 1, 1.0)
    return Uncertainty(by_utterance, np.full(groups, least), without)


def _speaker_variance(sample: Sample, codes: Codes, groups: int, rates: Rates) -> tuple[FloatArray, FloatArray]:
    """Return the jackknife variance of each group's rates over its speakers, and its degrees of freedom.

    NaN for a group of one speaker. Infinite where a rate rests on one speaker alone.
    """
    people, place = np.unique(sample.speaker, return_inverse=True)
    group = np.zeros(len(people), dtype=np.intp)
    group[place] = codes
    whole = sample.sums(codes, groups)
    full, without = rates(whole), rates(whole[group] - sample.sums(place, len(people)))
    said = np.bincount(place).astype(np.float64)
    variance, freedom = np.full(full.shape, np.nan), np.ones(groups)
    for one in range(groups):
        own = without[group == one]
        if len(own) < 2:
            continue
        apart = ((own - own.mean(axis=0)) ** 2).sum(axis=0) * (len(own) - 1) / len(own)
        variance[one] = np.where(np.isnan(apart) & ~np.isnan(full[one]), np.inf, apart)
        freedom[one] = max(effective_speakers(said[group == one]) - 1, 1.0)
    # A class that a group does not have is no reason to give up all intervals.
    missing = np.isnan(full) & ~np.isnan(variance).all(axis=(1, 2), keepdims=True)
    return np.where(missing, 0.0, variance), freedom


def utterance_variance(sample: Sample, codes: Codes, groups: int, rates: Rates) -> FloatArray:
    """Return the variance of each group's rates as if each utterance had its own speaker."""
    full = rates(sample.likely_sums(codes, groups))
    total = np.zeros_like(full)
    for group, alike, sums in sample.without_utterance(codes, groups):
        np.add.at(total, group, alike[:, None, None] * np.nan_to_num(rates(sums) - full[group]) ** 2)
    return total
