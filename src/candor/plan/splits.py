"""How a dataset is split, with all choices made: the number of folds is known before a corpus is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple

from candor.config.datasets import Dataset as Entry
from candor.config.loading import ConfigError
from candor.config.splits import Splits
from candor.corpora.reader import Card

Unit = Literal["session", "speaker"]

DEALT = ("speakers", "texts")
"""The schemes that deal out to any number of folds; the others leave one session or speaker out."""

TWO_MAY = ("leave_one_speaker_out", "texts")
"""The schemes by which two speakers can take turns."""

USUAL_FOLDS = 5

JOINED = "joined"
"""The scheme of cross-corpus datasets."""


class Plan(NamedTuple):
    """The options of `candor.splits.schemes.make_folds`, and why they cannot be followed; blank if they can.

    With the scheme `JOINED` they are those of `candor.splits.joined.joined`.

    Where they cannot, or nothing says how many folds there are, there are none.
    """

    options: Mapping[str, Any]
    problem: str = ""


def plan_splits(name: str, entry: Entry, general: Splits, card: Card) -> Plan:
    """Return how a dataset is split.

    Parameters
    ----------
    name, entry
        The dataset, and what the config says of it.
    general
        The top-level key `splits`. What it asks for and this corpus has not is a `problem` for runs that need these
        folds, as other runs may be of other datasets.
    card
        The card of the corpus.

    Raises
    ------
    ConfigError
        When what the config says of the splits of this very dataset does not suit the corpus.
    """
    own = entry.splits.model_dump(exclude_unset=True) if entry.splits else {}
    splits = general.model_copy(update=own)
    where = f"datasets.{name}.splits"
    options = {"seed": splits.seed, "text_folds": splits.text_folds, "dyads": card.dyads, "parity": entry.parity}
    if entry.parity:
        for key in ("scheme", "folds"):
            if own.get(key) not in (None, "auto"):
                raise ConfigError(f"config: {where}.{key} is {own[key]!r}; parity has its own folds, so leave it out")
        scheme: str = card.parities[entry.parity]
        whole = card.published.sessions if card.published and scheme == "sessions" else USUAL_FOLDS
        return Plan({**options, "scheme": scheme, "folds": 1 if scheme == "official" else whole})
    scheme = card.schemes[0] if splits.scheme == "auto" else splits.scheme
    said = own.get("folds", general.folds if scheme in (*DEALT, general.scheme) else None)
    folds = said or _usual(scheme, entry, card)
    problem = _problem(scheme, folds, bool(said), own, f"datasets.{name}", entry, card)
    if problem.startswith(tuple(f"{where}.{key} is" for key, value in own.items() if value is not None)):
        raise ConfigError(f"config: {problem}")
    if problem:
        return Plan({**options, "scheme": scheme, "folds": 0}, f"config: {problem}")
    return Plan({**options, "scheme": scheme, "folds": 1 if scheme == "official" else folds})


def plan_joined(name: str, entry: Entry, general: Splits, dyads: Collection[str]) -> Plan:
    """Return how a cross-corpus dataset is split: one fold, whose seed alone is to be chosen.

    Parameters
    ----------
    name, entry, general
        As in `plan_splits`.
    dyads
        The datasets trained on in which the people of one session talk to each other.

    Raises
    ------
    ConfigError
        When the dataset asks for another scheme or number of folds.
    """
    own = entry.splits.model_dump(exclude_unset=True) if entry.splits else {}
    for key, value in own.items():
        if key != "seed" and value not in (None, "auto"):
            raise ConfigError(
                f"config: datasets.{name}.splits.{key} is {value!r}; a cross-corpus dataset has one fold, in which all "
                "clips of test_on are tested, so leave it out"
            )
    return Plan({"scheme": JOINED, "folds": 1, "seed": own.get("seed", general.seed), "dyads": sorted(dyads)})


def _problem(scheme: str, folds: int, said: bool, own: Collection[str], dataset: str, entry: Entry, card: Card) -> str:
    """Say which key asks for folds that cannot be, and what to set; blank if they can.

    Parameters
    ----------
    scheme, folds, said
        What is planned, and whether the number of folds is that of the config.
    own
        The keys of `splits` that the dataset itself has.
    dataset
        Its key in the config.
    entry, card
        What the config says of it, and the card of the corpus.
    """
    blamed = {key: f"{dataset}.splits.{key}" if key in own else f"splits.{key}" for key in ("scheme", "folds")}
    remedy = f"set {dataset}.splits"
    if scheme not in card.schemes:
        others = ", ".join(card.schemes)
        return f"{blamed['scheme']} is {scheme!r}, which {card.title} cannot have; {remedy}.scheme to one of {others}"
    if scheme == "official":
        asked = "" if "scheme" in own or card.schemes[0] == "official" else f"{blamed['scheme']} is 'official', and "
        one = f"{dataset}.splits.folds is {folds}; an official partition is one fold, so leave it out"
        return asked + one if said and "folds" in own else ""
    unit: Unit = "session" if scheme == "sessions" or (card.dyads and scheme in DEALT) else "speaker"
    most, what = _most(unit, entry, card), f"{unit}s"
    if not folds:
        return f"{dataset}.splits.folds is empty; with {scheme} set it to the number of {what}"
    if folds < (2 if scheme in TWO_MAY else 3):
        who = f"{blamed['folds']} is {folds}" if said else f"{dataset}.filter leaves {folds} {what}"
        return f"{who}; train, dev and test need at least 3"
    if most and folds > most:
        there = f"{dataset}.filter leaves {most}" if unit in entry.filter else f"{card.title} has {most}"
        number = f"{most}" if scheme == "leave_one_speaker_out" else f"{most} or less"
        return f"{blamed['folds']} is {folds}, but {there} {what}; {remedy}.folds to {number}"
    return ""


def _usual(scheme: str, entry: Entry, card: Card) -> int:
    """Return how many folds there are where the config does not say; 0 where the corpus does not either."""
    if scheme == "official":
        return 1
    if scheme == "sessions":
        # Whether sessions share speakers, and so are one for a split, is known of those with dyads.
        return _most("session", entry, card) if card.dyads else 0
    if scheme == "leave_one_speaker_out":
        # Who is not acting need not have a clip of every class, nor one of the default classes at all.
        return _most("speaker", entry, card) if card.schemes[0] != "official" else 0
    return min(USUAL_FOLDS, _most("session" if card.dyads else "speaker", entry, card) or USUAL_FOLDS)


def _most(unit: Unit, entry: Entry, card: Card) -> int:
    """Return how many sessions or speakers there are at most; 0 where that is not known."""
    published = (card.published.sessions if unit == "session" else card.published.speakers) if card.published else 0
    return min(published, len(set(entry.filter.get(unit, ()))) or published)
