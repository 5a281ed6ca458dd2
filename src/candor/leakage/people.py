"""Whose updates an attacker learns from, by which he chooses, and what he is told of these people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candor.fairness.groups import age_group
from candor.federated.draws import draws
from candor.leakage.attackers.attacker import Codes, Lesson
from candor.leakage.updates import Updates

if TYPE_CHECKING:
    import pandas as pd

DEV_SHARE = 0.2
"""Of the people of each value, but one at least: fed-ser-leakage's share, there of updates."""

PARTS = 5
"""That shadow people fall into, one of which after the other is held out, where there are so many of each value."""

DRAWN = 100
"""Dealings that those of the control are taken from."""

UNKNOWN = ("", "unknown")


def attributes_of(
    utterances: pd.DataFrame, attribute: str, lead: str = "", age_bins: Sequence[int] = ()
) -> dict[str, str]:
    """Return the attribute of every person of whom it is known and does not change.

    Parameters
    ----------
    utterances
        A manifest.
    attribute
        One of its columns.
    lead
        What the names of these people begin with elsewhere.
    age_bins
        Where one age group ends and the next begins.
    """
    if attribute == "age":
        utterances = utterances.assign(age=[age_group(float(age), age_bins)[1] for age in utterances["age"]])
    known = utterances[(utterances["speaker"] != "") & ~utterances[attribute].isin(UNKNOWN)]
    values: dict[str, set[str]] = {}
    for person, value in zip(known["speaker"], known[attribute], strict=True):
        values.setdefault(f"{lead}{person}", set()).add(str(value))
    return {person: next(iter(own)) for person, own in values.items() if len(own) == 1}


@dataclass(frozen=True)
class Pupils:
    """The people whom an attacker learns from and chooses by; nobody is both.

    Parameters
    ----------
    values
        What he tells apart, in order.
    train, dev
        The people and the value of each.
    parts
        Into which of several parts each of them falls; in every part are people of all values.
    """

    values: tuple[str, ...]
    train: Mapping[str, str]
    dev: Mapping[str, str]
    parts: Mapping[str, int]

    @property
    def told(self) -> dict[str, str]:
        """The truth about all of them."""
        return {**self.train, **self.dev}

    def lesson(self, shadow: Updates, told: Mapping[str, str] | None = None) -> Lesson:
        """Return what the attacker is told of their updates: the truth, or something else."""
        values = self.told if told is None else told
        code = {value: number for number, value in enumerate(self.values)}
        people = shadow.people.tolist()
        labels = np.array([code[values[person]] if person in values else -1 for person in people], dtype=np.intp)
        train, dev = (
            np.flatnonzero([person in part for person in people]).astype(np.intp) for part in (self.train, self.dev)
        )
        parts = np.array([self.parts.get(person, -1) for person in people], dtype=np.intp)
        return Lesson(train, dev, labels, len(self.values), parts)


def dealt_anew(own: Pupils, number: int, seed: int) -> list[dict[str, str]]:
    """Return values dealt out anew among people, several times, within those to learn from and those to choose by.

    Few people can be dealt to in few ways, each near to the truth or far from it: of 100 dealings those are taken that
    together have as little to do with the truth as they can. Where there are fewer ways, some are taken again.

    Parameters
    ----------
    own
        The people.
    number
        How many dealings.
    seed
        Of all that is drawn.
    """
    drawn = [_one_dealing(own, seed, place) for place in range(DRAWN)]
    ways = list({tuple(told.items()): told for told in drawn}.values())
    left: list[dict[str, str]] = []
    taken: list[dict[str, str]] = []
    agreement = 0.0
    while len(taken) < number:
        left = left or list(ways)
        best = min(left, key=lambda told: abs(agreement + _agreement(own, told)))
        left.remove(best)
        taken.append(best)
        agreement += _agreement(own, best)
    return taken


def _one_dealing(own: Pupils, seed: int, place: int) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, part in (("train", own.train), ("dev", own.dev)):
        order = draws(seed, "dealt anew", place, name).permutation(len(part))
        values = list(part.values())
        told |= {person: values[other] for person, other in zip(part, order, strict=True)}
    return told


def _agreement(own: Pupils, told: Mapping[str, str]) -> float:
    """Return by how much more of what is told is true than by chance: the UAR over people, less that of a guess."""
    truth = own.told
    of_value = [[told[person] == value for person in truth if truth[person] == value] for value in own.values]
    return float(np.mean([np.mean(right) for right in of_value])) - 1 / len(own.values)


def pupils(known: Mapping[str, str], there: Sequence[str], victims: Mapping[str, str], seed: int) -> Pupils | str:
    """Return whom an attacker learns from, or why there is no attack.

    Parameters
    ----------
    known
        The attribute of shadow people.
    there
        Shadow people whose updates there are.
    victims
        The attribute of those who are attacked.
    seed
        By which people are drawn for dev and for parts.
    """
    people = sorted({person for person in there if person in known})
    counts = Counter(known[person] for person in people)
    values = tuple(sorted(value for value, count in counts.items() if count > 1))
    if len(values) < 2:
        told = ", ".join(f"{count} {value}" for value, count in sorted(counts.items())) or "nobody whose value is known"
        return f"two shadow people of two values are needed at least; found: {told}"
    if len(set(victims.values()) & set(values)) < 2:
        return f"the people attacked are not of two of {', '.join(values)}"
    train: dict[str, str] = {}
    dev: dict[str, str] = {}
    parts: dict[str, int] = {}
    number = min(PARTS, *(counts[value] for value in values))
    for value in values:
        own = [person for person in people if known[person] == value]
        order = draws(seed, "dev", value).permutation(len(own)).tolist()
        held_back = max(1, int(DEV_SHARE * len(own) + 0.5))
        for rank, place in enumerate(order):
            (dev if rank < held_back else train)[own[place]] = value
            parts[own[place]] = rank % number
    return Pupils(values, dict(sorted(train.items())), dict(sorted(dev.items())), parts)


def codes_of(people: Sequence[str], known: Mapping[str, str], values: Sequence[str]) -> Codes:
    """Return the value of each of these people as a code; -1 where it is not known, or none of these."""
    code = {value: number for number, value in enumerate(values)}
    return np.array([code.get(known.get(person, ""), -1) for person in people], dtype=np.intp)
