"""Which figures are compared between the groups of an axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from candor.fairness.metrics import (
    Rates,
    balanced,
    ccc_of_sums,
    demographic_parity,
    equalised_odds,
    equality_of_opportunity,
    mae_of_sums,
    noise_of_balanced,
    noise_of_number,
    noise_of_odds,
    noise_of_recalls,
    noise_of_said,
    noise_of_uar,
    over_sets,
    statistical_parity,
    uar_over,
)
from candor.fairness.samples import RatingSample, Sample
from candor.stats.gaps import How, Norm, gap
from candor.stats.intervals import FloatArray

AS_SPOKEN, BALANCED = "as spoken", "balanced"

FEW_GROUPS = 60


@dataclass(frozen=True)
class Measure:
    """A figure that is compared between groups.

    Parameters
    ----------
    metric, variant
        As in the table `gaps`.
    rates
        From sums over groups to the rates of each.
    noise
        From the same to the variance of each rate by its number of utterances alone.
    of_classes
        Whether groups are compared class by class.
    confounded
        Whether what groups speak shows in it as well as how they are recognised.
    norm
        How far two groups differ in all sides of a class together.
    most
        The widest gap that there can be.
    """

    metric: str
    variant: str
    rates: Rates
    noise: Rates
    of_classes: bool = False
    confounded: bool = False
    norm: Norm = "max"
    most: float = 1.0

    def gap(self, sums: FloatArray, how: How) -> FloatArray:
        """Return the gap between groups with these sums."""
        return gap(self.rates(sums), how, self.norm)

    def gap_in_errors(self, sums: FloatArray, how: How) -> FloatArray:
        """Return the gap in standard errors."""
        return gap(self.rates(sums), how, self.norm, self.noise(sums))

    def for_intervals(self, groups: int) -> tuple[Rates, Norm]:
        """Return rates and norm that give the same gap with a tighter interval, where there are not too many groups.

        The total variation is the greatest difference in how often one of a set of classes is said, over all sets: an
        interval for that is narrower than one for a sum of many differences.
        """
        if self.norm == "half sum" and groups <= FEW_GROUPS:
            return lambda sums: over_sets(self.rates(sums)), "max"
        return self.rates, self.norm


def measures_for(sample: Sample, sums: FloatArray, *, of_speakers: bool = False) -> list[Measure]:
    """Return the measures for groups with these sums.

    Parameters
    ----------
    sample
        What they are sums of.
    sums
        Of each group.
    of_speakers
        Whether each group is a speaker, whose UAR is over the emotions that they speak: which these are is the same
        after shuffling, so that chance has it too.
    """
    if isinstance(sample, RatingSample):
        return [
            Measure("ccc", AS_SPOKEN, ccc_of_sums, noise_of_number, most=2.0),
            Measure("mae", AS_SPOKEN, mae_of_sums, noise_of_number, most=np.inf),
        ]
    shared = common_classes(sums)
    uar = Measure("uar", AS_SPOKEN, uar_over(shared), noise_of_uar(shared))
    measures = [
        Measure("uar", AS_SPOKEN, own_uar, noise_of_uar(shared)) if of_speakers else uar,
        Measure("demographic_parity", AS_SPOKEN, demographic_parity, _each(noise_of_said), True, True),
        Measure("statistical_parity", AS_SPOKEN, statistical_parity, _together(noise_of_said), False, True, "half sum"),
        Measure("equality_of_opportunity", AS_SPOKEN, equality_of_opportunity, _each(noise_of_recalls), True),
        Measure("equalised_odds", AS_SPOKEN, equalised_odds, noise_of_odds, True, True),
    ]
    if shared.sum() > 1:
        shares = np.where(shared, sums.sum(axis=(-3, -1)), 0.0)
        shares = shares / shares.sum()
        evened = partial(balanced, shares=shares)
        said, odds = (noise_of_balanced(shares, kind) for kind in ("said", "odds"))
        measures += [
            Measure("demographic_parity", BALANCED, _after(evened, demographic_parity), _each(said), True),
            Measure(
                "statistical_parity", BALANCED, _after(evened, statistical_parity), _together(said), norm="half sum"
            ),
            Measure("equalised_odds", BALANCED, _after(evened, equalised_odds), odds, True),
        ]
    return measures


def common_classes(sums: FloatArray) -> np.ndarray:
    """Return which classes every group has that speaks at all."""
    spoken = sums.sum(axis=-1)
    there = spoken.sum(axis=-1) > 0
    return np.asarray((spoken[there] > 0).all(axis=0))


def own_uar(counts: FloatArray) -> FloatArray:
    """Return the mean recall of each group over the classes that it has."""
    recalls = equality_of_opportunity(counts)[..., 0]
    there = ~np.isnan(recalls)
    number = there.sum(axis=-1)
    total = np.where(there, recalls, 0.0).sum(axis=-1)
    mean = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    return np.asarray(mean[..., None, None])


def perfect(sums: FloatArray) -> FloatArray:
    """Return the confusion counts of a model that is always right."""
    return np.asarray(sums.sum(axis=-1)[..., None] * np.eye(sums.shape[-1]))


def split_classes(sums: FloatArray, groups: Sequence[str], classes: Sequence[str]) -> str:
    """Return a sentence on classes that some groups do not have; blank where there is none."""
    spoken = sums.sum(axis=-1) > 0
    told = []
    for place, name in enumerate(classes):
        having = [group for group, has in zip(groups, spoken[:, place], strict=True) if has]
        if having and len(having) < len(groups):
            who = f"only by {having[0]}" if len(having) == 1 else f"by {len(having)} of {len(groups)} groups"
            told.append(f"{name} is spoken {who}")
    return "; ".join(told)


def _each(noise: Rates) -> Rates:
    return lambda sums: noise(sums)[..., None]


def _together(noise: Rates) -> Rates:
    return lambda sums: noise(sums)[..., None, :]


def _after(first: Callable[[FloatArray], FloatArray], then: Rates) -> Rates:
    return lambda sums: then(first(sums))
