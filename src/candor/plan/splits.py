"""How a dataset is split, with all choices made: the number of folds is known before a corpus is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from candor.config.datasets import Dataset as Entry
from candor.config.loading import ConfigError
from candor.config.splits import Splits
from candor.corpora.reader import Card

DEALT = ("speakers", "texts")
"""The schemes that deal out to any number of folds; the others leave one session or speaker out."""

USUAL_FOLDS = 5


class Plan(NamedTuple):
    """The options of `candor.splits.schemes.make_folds`, and why they cannot be followed; blank if they can.

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
        The top-level key `splits`. What it asks for and this corpus has not is a `problem` for runs that need the
        dataset, as other runs may be of others.
    card
        The card of the corpus.

    Raises
    ------
    ConfigError
        When what the config says of this very dataset does not suit the corpus.
    """
    own = entry.splits.model_dump(exclude_unset=True) if entry.splits else {}
    splits = general.model_copy(update=own)
    options = {"seed": splits.seed, "text_folds": splits.text_folds, "dyads": card.dyads, "parity": entry.parity}
    where = f"datasets.{name}.splits"
    if entry.parity:
        for key in ("scheme", "folds"):
            if own.get(key) not in (None, "auto"):
                raise ConfigError(f"config: {where}.{key} is {own[key]!r}; parity has its own folds, so leave it out")
        scheme: str = card.parities[entry.parity]
        whole = card.published.sessions if card.published and scheme == "sessions" else USUAL_FOLDS
        return Plan({**options, "scheme": scheme, "folds": 1 if scheme == "official" else whole})
    scheme = card.schemes[0] if splits.scheme == "auto" else splits.scheme
    own_folds = own.get("folds")
    said = own_folds or (general.folds if scheme in (*DEALT, general.scheme) else None)
    if scheme == "official" and own_folds:
        raise ConfigError(f"config: {where}.folds is {said}; an official partition is one fold, so leave it out")
    folds = said if said and scheme != "official" else _usual(scheme, entry, card)
    problem, own_words = "", False
    if scheme not in card.schemes:
        own_words = "scheme" in own
        key = f"{where}.scheme" if own_words else "splits.scheme"
        others = ", ".join(card.schemes)
        problem = f"config: {key} is {scheme!r}, which {card.title} cannot have; set {where}.scheme to one of {others}"
    elif said and scheme != "official":
        own_words = own_folds is not None
        problem = _odd_number(scheme, said, card, f"{where}.folds" if own_words else "splits.folds", f"{where}.folds")
    elif not folds:
        what = "sessions" if scheme == "sessions" else "speakers"
        problem = f"config: {where}.folds is empty; with {scheme} set it to the number of {what}"
    if problem and own_words:
        raise ConfigError(problem)
    return Plan({**options, "scheme": scheme, "folds": 0 if problem else folds}, problem)


def _odd_number(scheme: str, folds: int, card: Card, said: str, key: str) -> str:
    """Say what is wrong with a number of folds, and where to mend it; blank if it is possible."""
    two_may = scheme == "leave_one_speaker_out" or (scheme == "texts" and _speakers(card) in (0, 2))
    if folds == 2 and not two_may:
        return f"config: {said} is 2; train, dev and test need at least 3"
    by_session = scheme == "sessions" or (card.dyads and scheme in DEALT)
    most = _sessions(card) if by_session else _speakers(card)
    if most and folds > most:
        what = "sessions" if by_session else "speakers"
        return f"config: {said} is {folds}, but {card.title} has {most} {what}; set {key} to {most} or less"
    return ""


def _usual(scheme: str, entry: Entry, card: Card) -> int:
    """Return how many folds there are where the config does not say; 0 where the corpus does not either."""
    if scheme == "official":
        return 1
    if scheme == "sessions":
        # Whether sessions share speakers, and so are one for a split, is known of those with dyads.
        whole = _sessions(card) if card.dyads else 0
        return min(whole, len(entry.filter.get("session", ())) or whole)
    speakers = min(_speakers(card), len(entry.filter.get("speaker", ())) or _speakers(card))
    return speakers if scheme == "leave_one_speaker_out" else min(USUAL_FOLDS, speakers or USUAL_FOLDS)


def _speakers(card: Card) -> int:
    return card.published.speakers if card.published else 0


def _sessions(card: Card) -> int:
    return card.published.sessions if card.published else 0
