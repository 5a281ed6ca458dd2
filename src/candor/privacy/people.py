"""Who is attacked with what: which utterances an attacker learns from, and by which he is tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from candor.stats.clustering import clusters

if TYPE_CHECKING:
    import pandas as pd

Names = NDArray[np.str_]
Codes = NDArray[np.intp]

GENDERS = ("male", "female")
LEAST_UTTERANCES = 4
"""Of a speaker, so that he can be enrolled with two and be recognised by two."""

DEV_STEP = 4
"""Every fourth utterance of a speaker is held back where an attacker chooses his epoch by speakers he trains on."""


@dataclass(frozen=True)
class People:
    """The utterances of a dataset by number, who speaks them, and which part of each fold they are in.

    Parameters
    ----------
    utterances
        Their names.
    speakers, genders, texts
        Of each; blank where not known.
    clusters
        What utterances may have in common: their speaker or, where that is not known, their session.
    parts
        By fold: train, dev, test, or blank for what is not in the fold.
    """

    utterances: tuple[str, ...]
    speakers: Names
    genders: Names
    texts: Names
    clusters: Names
    parts: Mapping[int, Names]

    @classmethod
    def of(cls, manifest: pd.DataFrame, folds: Mapping[int, pd.DataFrame]) -> People:
        """Return the utterances of a manifest that are in any of the folds, in its order."""
        by_fold = {fold: dict(zip(table["utterance"], table["part"], strict=True)) for fold, table in folds.items()}
        own = manifest[manifest["utterance"].isin(set().union(*by_fold.values()))]
        names = tuple(map(str, own["utterance"]))
        return cls(
            names,
            own["speaker"].to_numpy(dtype=str),
            own["gender"].to_numpy(dtype=str),
            own["text"].to_numpy(dtype=str),
            clusters(own).to_numpy(dtype=str),
            {fold: np.array([part.get(name, "") for name in names], dtype=str) for fold, part in by_fold.items()},
        )

    def __len__(self) -> int:
        return len(self.utterances)

    def unheard(self, fold: int) -> set[str]:
        """Return the known speakers whom the models of a fold have never heard, neither in train nor in dev."""
        part = self.parts[fold]
        return set(self.speakers[part == "test"]) - set(self.speakers[(part == "train") | (part == "dev")]) - {""}


@dataclass(frozen=True)
class Training:
    """What an attacker learns from.

    Parameters
    ----------
    train, dev
        Utterances to learn from, and those by which the best epoch is chosen.
    labels
        The class of each utterance of the dataset; -1 for those that have none.
    classes
        How many there are.
    """

    train: Codes
    dev: Codes
    labels: Codes
    classes: int

    def dealt_anew(self, random: np.random.Generator) -> Training:
        """Return the control: the same with the labels of train, and those of dev, dealt out anew.

        The utterances of each class are given every label in its share. Else labels would by chance agree with the
        true ones a little more or less often than by half, and an attacker on few speakers would learn that.
        """
        labels = self.labels.copy()
        for numbers in (self.train, self.dev):
            shuffled = random.permutation(numbers)
            by_class = shuffled[np.argsort(self.labels[shuffled], kind="stable")]
            own = self.labels[by_class]
            _, first, size = np.unique(own, return_index=True, return_counts=True)
            place = (np.arange(len(own)) - np.repeat(first, size) + 0.5) / np.repeat(size, size)
            labels[by_class] = own[np.lexsort((random.random(len(own)), place))]
        return Training(self.train, self.dev, labels, self.classes)


def gender_training(people: People, fold: int) -> tuple[Training, Codes] | str:
    """Return what an attacker learns gender from in a fold, and whom he is tested on; or why there is no attack.

    Where folds share speakers, those who are tested are left out of what he learns from.
    """
    part, labels = people.parts[fold], np.full(len(people), -1, dtype=np.intp)
    for code, gender in enumerate(GENDERS):
        labels[people.genders == gender] = code
    tested = set(people.speakers[(part == "test") & (labels >= 0)]) - {""}
    free = (labels >= 0) & ~np.isin(people.speakers, sorted(tested))
    train, dev = (np.flatnonzero(free & (part == name)) for name in ("train", "dev"))
    test = np.flatnonzero((part == "test") & (labels >= 0))
    if (labels < 0).all():
        return "the corpus tells nobody's gender"
    if len(set(labels[train])) < len(GENDERS):
        return "not both genders are among the other speakers of train"
    if not len(dev) or not len(test):
        return f"no {'test' if len(dev) else 'dev'} utterance has a known gender"
    return Training(train, dev, labels, len(GENDERS)), test


@dataclass(frozen=True)
class Deal:
    """The utterances of each speaker, dealt to enrolment and probe.

    Parameters
    ----------
    enrolment, probe
        Which utterances.
    left_out
        How many are in neither, because their speaker is not known, says too little or one sentence only.
    by_text
        Of how many speakers no sentence is in both.
    speakers
        Of how many speakers there are both.
    """

    enrolment: NDArray[np.bool_]
    probe: NDArray[np.bool_]
    left_out: int
    by_text: int
    speakers: int

    def told(self) -> str:
        """Return in words how sentences were kept apart."""
        if self.by_text == self.speakers:
            return "no sentence of a speaker is in both enrolment and probe"
        known = f"; sentences are kept apart for {self.by_text} of {self.speakers}" if self.by_text else ""
        return f"first half of a speaker's utterances by name enrolled, second half probed{known}"


def deal(people: People) -> Deal:
    """Deal the utterances of each speaker to enrolment and probe.

    Where the texts of all his utterances are known, no sentence is in both; else those that come first by name are
    enrolled.
    """
    enrolment, probe = (np.zeros(len(people), dtype=bool) for _ in range(2))
    by_text = dealt = 0
    for speaker in sorted(set(people.speakers) - {""}):
        own = np.flatnonzero(people.speakers == speaker)
        texts = people.texts[own]
        if len(own) < LEAST_UTTERANCES or (len(set(texts) - {""}) == 1 and "" not in texts):
            continue
        apart = "" not in texts
        first = _some_texts(texts) if apart else _first_half([people.utterances[number] for number in own])
        enrolment[own[first]], probe[own[~first]] = True, True
        by_text += apart
        dealt += 1
    return Deal(enrolment, probe, int((~enrolment & ~probe).sum()), by_text, dealt)


def _some_texts(texts: Names) -> NDArray[np.bool_]:
    """Return which utterances are of the sentences to enrol with: about half of them, and no less."""
    names, number = np.unique(texts, return_counts=True)
    sides: tuple[list[str], list[str]] = ([], [])
    sizes = [0, 0]
    for text, count in sorted(zip(names.tolist(), number.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0])):
        side = int(sizes[1] < sizes[0])
        sides[side].append(text)
        sizes[side] += count
    return np.asarray(np.isin(texts, sides[0]))


def _first_half(names: Sequence[str]) -> NDArray[np.bool_]:
    first = np.zeros(len(names), dtype=bool)
    first[np.argsort(names, kind="stable")[: (len(names) + 1) // 2]] = True
    return first


def closed_set(people: People, dealt: Deal, fold: int | None = None) -> tuple[Training, Codes, list[str]] | str:
    """Return what an attacker learns all speakers from, the probes, and the speakers; or why there is no attack.

    Parameters
    ----------
    people
        The utterances.
    dealt
        How they are dealt.
    fold
        Whose model they are seen through: then probes are of speakers whom that model never heard. None for states
        that depend on no model.
    """
    there = np.ones(len(people), dtype=bool) if fold is None else people.parts[fold] != ""
    enrolled, probe = dealt.enrolment & there, dealt.probe & there
    names = [name for name in sorted(set(people.speakers[enrolled])) if (people.speakers[enrolled] == name).sum() > 1]
    if fold is not None:
        probe &= np.isin(people.speakers, sorted(people.unheard(fold)))
    labels = _codes(people.speakers, names)
    probes = np.flatnonzero(probe & (labels >= 0))
    if len(names) < 2:
        return f"fewer than two speakers have {LEAST_UTTERANCES} utterances, and two sentences where these are known"
    if not len(probes):
        return "no test speaker is one whom the model never heard"
    return _held_back(np.flatnonzero(enrolled & (labels >= 0)), labels, len(names)), probes, names


@dataclass(frozen=True)
class Lineup:
    """Who is to be verified in a fold.

    Parameters
    ----------
    training
        The speakers a projection is learned from; none of them is tested.
    enrolled
        The utterances by which each tested speaker is known.
    probes
        Utterances that may be theirs.
    tested
        Those of the names in `enrolled` who count; the others, of dev, are only there as somebody else.
    """

    training: Training
    enrolled: Mapping[str, Codes]
    probes: Codes
    tested: frozenset[str]


def lineup(people: People, dealt: Deal, fold: int) -> Lineup | str:
    """Return who is to be verified in a fold, or why nobody can be.

    Where a fold tests one speaker, as with `leave_one_speaker_out`, dev speakers take the place of other people.
    """
    part, unheard = people.parts[fold], people.unheard(fold)
    taking_part = dealt.enrolment | dealt.probe
    known = np.unique(people.speakers[(part == "train") & taking_part], return_counts=True)
    names = [str(name) for name, count in zip(*known, strict=True) if count > 1]
    tested = sorted(unheard & set(people.speakers[taking_part]))
    if len(names) < 3:
        return "fewer than three speakers to learn from"
    if not tested:
        return "no test speaker is one whom the model never heard"
    others = set(people.speakers[(part == "dev") & taking_part]) - set(names) if len(tested) < 2 else set()
    if len(tested) + len(others) < 2:
        return "one test speaker, and no other person whom he could be taken for"
    labels = _codes(people.speakers, names)
    learned = np.flatnonzero((part == "train") & (labels >= 0) & taking_part)
    there = part != ""
    enrolled = {
        name: np.flatnonzero(dealt.enrolment & there & (people.speakers == name)) for name in [*tested, *sorted(others)]
    }
    enrolled = {name: own for name, own in enrolled.items() if len(own)}
    probes = np.flatnonzero(dealt.probe & there & np.isin(people.speakers, list(enrolled)))
    return Lineup(_held_back(learned, labels, len(names)), enrolled, probes, frozenset(tested))


def _codes(speakers: Names, names: Sequence[str]) -> Codes:
    place = {name: code for code, name in enumerate(names)}
    return np.array([place.get(str(speaker), -1) for speaker in speakers], dtype=np.intp)


def _held_back(numbers: Codes, labels: Codes, classes: int) -> Training:
    """Return a training on utterances of known classes that holds back some of each class, at least one."""
    dev = np.zeros(len(numbers), dtype=bool)
    for code in range(classes):
        own = np.flatnonzero(labels[numbers] == code)
        dev[own[1::DEV_STEP]] = True
    return Training(numbers[~dev], numbers[dev], labels, classes)
