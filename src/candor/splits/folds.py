"""Deal speakers out to folds."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from candor.runtime import Explained

Part = Literal["train", "dev", "test"]


class SplitError(Explained, ValueError):
    """Speakers cannot be dealt out as asked."""


@dataclass(frozen=True)
class Fold:
    """Which part each speaker belongs to in one fold."""

    number: int
    parts: Mapping[str, Part]

    def speakers(self, part: Part) -> list[str]:
        """Return the speakers of `part`, sorted."""
        return sorted(speaker for speaker, own in self.parts.items() if own == part)


def speaker_folds(genders: Mapping[str, str], folds: int, seed: int) -> list[Fold]:
    """Return speaker-disjoint folds whose test and dev parts rotate.

    Speakers are shuffled within their gender and dealt to `folds` hands like cards, one gender after the
    other, so that hands differ by at most one speaker in all and by at most one of each gender. Fold `k`
    tests hand `k`, selects on hand `k + 1` and trains on the others: every speaker is tested once and
    selects once.

    Parameters
    ----------
    genders
        Gender of each speaker; blank where not known.
    folds
        Number of folds, at least three.
    seed
        Seed of the shuffle.
    """
    if len(genders) < 3:
        raise SplitError(f"splits: training, selection and test need three speakers, but there are {len(genders)}")
    if len(genders) < folds:
        raise SplitError(
            f"splits: {folds} folds need at least as many speakers, but there are {len(genders)} "
            f"({', '.join(sorted(genders))}). Set splits.folds to at most {len(genders)}"
        )
    generator = random.Random(seed)
    hands: list[list[str]] = [[] for _ in range(folds)]
    turn = 0
    for gender in sorted(set(genders.values())):
        speakers = sorted(speaker for speaker, own in genders.items() if own == gender)
        generator.shuffle(speakers)
        for speaker in speakers:
            hands[turn % folds].append(speaker)
            turn += 1
    return [
        _fold(number, tests=hands[number - 1], devs=hands[number % folds], everyone=genders)
        for number in range(1, folds + 1)
    ]


def trust_ser_folds(speakers: Sequence[str], folds: int = 5) -> list[Fold]:
    """Return the folds of trust-ser: contiguous, and nearly always with the same dev speakers.

    Sorted speakers are cut into `folds` runs for test (scikit-learn's ``KFold`` without shuffling); dev is
    the last fifth of the remaining ones, so that all folds but the last select on the same people. Kept to
    reproduce that system's figures.
    """
    ordered = sorted(speakers)
    if len(ordered) < folds:
        raise SplitError(f"splits: {folds} folds need at least as many speakers, but there are {len(ordered)}")
    sizes = [len(ordered) // folds + (number < len(ordered) % folds) for number in range(folds)]
    made = []
    for number in range(folds):
        start = sum(sizes[:number])
        tests = ordered[start : start + sizes[number]]
        remaining = [speaker for speaker in ordered if speaker not in tests]
        # Floor division of a negative number: the last fifth, rounded up.
        devs = remaining[-len(remaining) // 5 :]
        made.append(_fold(number + 1, tests=tests, devs=devs, everyone=ordered))
    return made


def _fold(
    number: int, *, tests: Sequence[str], devs: Sequence[str], everyone: Mapping[str, str] | Sequence[str]
) -> Fold:
    parts: dict[str, Part] = dict.fromkeys(sorted(everyone), "train")
    parts.update(dict.fromkeys(devs, "dev"))
    parts.update(dict.fromkeys(tests, "test"))
    return Fold(number, parts)
