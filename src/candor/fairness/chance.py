"""What gaps chance shows: with groups that mean nothing, and with models that hear nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from candor.fairness.groups import Axis
from candor.fairness.samples import Codes, Sample
from candor.stats.intervals import FloatArray

DRAWS = 1_999
FEWEST_DRAWS = 199
"""Where there are so many pairs of groups that more would take too long."""

_WORK = 3 * 10**8
_BLOCK = 2**20


def draws_for(groups: int, each: int) -> int:
    """Return how many random samples to draw, for groups with so many numbers each."""
    pairs = groups * (groups - 1) // 2
    return int(np.clip(_WORK // max(pairs * each, 1), FEWEST_DRAWS, DRAWS))


def shuffled_sums(sample: Sample, axis: Axis, draws: int, random: np.random.Generator) -> Iterator[FloatArray]:
    """Yield the sums over groups that mean nothing, `[some draws, groups, …]`.

    Where each speaker is in one group, speakers are dealt out to the groups anew, as many to each as there are. Where
    speakers are in several, each speaker's utterances of each class are. Where each speaker is a group, utterances are
    dealt out to the speakers anew, as many of each class to each as there are.

    Parameters
    ----------
    sample
        The utterances of the groups that are compared, and no others.
    axis
        The groups, with a code for each of these utterances.
    draws
        How many samples.
    random
        Where they are drawn from.
    """
    groups = len(axis.groups)
    if axis.kind == "nested":
        yield from _speakers_dealt_out(sample, axis, draws, random)
        return
    strata = sample.strata
    if axis.kind == "crossed":
        strata = sample.speaker * (int(strata.max(initial=0)) + 1) + strata
    for size in blocks_of(draws, sample.sums(axis.codes, groups).size):
        yield np.stack([sample.sums(shuffled_within(axis.codes, strata, random), groups) for _ in range(size)])


def guessed_sums(sample: Sample, axis: Axis, draws: int, random: np.random.Generator) -> Iterator[FloatArray]:
    """Yield the sums of models that hear nothing, `[some draws, groups, …]`."""
    groups = len(axis.groups)
    for size in blocks_of(draws, sample.sums(axis.codes, groups).size):
        yield sample.guessed(axis.codes, groups, size, random)


def blocks_of(draws: int, numbers: int) -> list[int]:
    """Return in how many draws at a time to proceed, at so many numbers per draw."""
    at_once = max(1, _BLOCK // numbers)
    return [min(at_once, draws - start) for start in range(0, draws, at_once)]


def _speakers_dealt_out(sample: Sample, axis: Axis, draws: int, random: np.random.Generator) -> Iterator[FloatArray]:
    people, place = np.unique(sample.speaker, return_inverse=True)
    own = sample.sums(place, len(people))
    group = np.zeros(len(people), dtype=np.intp)
    group[place] = axis.codes
    flat = own.reshape(len(people), -1)
    for size in blocks_of(draws, len(axis.groups) * max(len(people), flat.shape[1])):
        dealt = random.permuted(np.tile(group, (size, 1)), axis=1)
        member = dealt[:, None, :] == np.arange(len(axis.groups))[:, None]
        yield (member.astype(np.float64) @ flat).reshape(*member.shape[:2], *own.shape[1:])


def shuffled_within(codes: Codes, strata: Codes, random: np.random.Generator) -> Codes:
    """Return the codes, shuffled among the utterances of each stratum."""
    order = np.argsort(strata, kind="stable")
    shuffled = np.lexsort((random.random(len(codes)), strata))
    dealt = np.empty_like(codes)
    dealt[order] = codes[shuffled]
    return dealt


def least_p(sample: Sample, axis: Axis) -> float:
    """Return the smallest p value that shuffling can give.

    Groups of equally many speakers can change places, all at once, without a change of the gap.
    """
    if axis.kind != "nested":
        return 1 / (DRAWS + 1)
    of = dict(zip(sample.speaker.tolist(), axis.codes.tolist(), strict=True))
    sizes = list(Counter(of.values()).values())
    ways = math.factorial(len(of)) // math.prod(map(math.factorial, sizes))
    alike = math.prod(math.factorial(count) for count in Counter(sizes).values())
    return max(alike / ways, 1 / (DRAWS + 1))


def p_value(observed: float, drawn: NDArray[np.float64]) -> float:
    """Return how often chance shows at least as much, the observed value itself included.

    References
    ----------
    .. [1] B. Phipson, G. K. Smyth, "Permutation P-values should never be zero", 2010.
    """
    return float((np.count_nonzero(drawn >= observed - 1e-10) + 1) / (len(drawn) + 1))
