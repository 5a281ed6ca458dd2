"""How a dataset is split, with all choices made: the number of folds is known before a corpus is read."""

from __future__ import annotations

from typing import Any

from candor.config.datasets import Dataset as Entry
from candor.config.loading import ConfigError
from candor.config.splits import Splits
from candor.corpora.reader import Card

DEALT = ("speakers", "texts")
"""The schemes that deal out to any number of folds; the others leave one session or speaker out."""

USUAL_FOLDS = 5


def plan_splits(name: str, entry: Entry, general: Splits, card: Card) -> dict[str, Any]:
    """Return the options of `candor.splits.schemes.make_folds` for a dataset; no folds where nothing says how many.

    Parameters
    ----------
    name, entry
        The dataset, and what the config says of it.
    general
        The top-level key `splits`.
    card
        The card of the corpus.

    Raises
    ------
    ConfigError
        When what the config says does not suit the corpus.
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
        return {**options, "scheme": scheme, "folds": 1 if scheme == "official" else whole}
    scheme = card.scheme if splits.scheme == "auto" else splits.scheme
    own_folds = own.get("folds")
    said = own_folds or (general.folds if scheme in (*DEALT, general.scheme) else None)
    _refuse_odd(scheme, said, card, f"{where}.folds" if own_folds else "splits.folds", alone=own_folds is not None)
    return {
        **options,
        "scheme": scheme,
        "folds": said if said and scheme != "official" else _usual(scheme, entry, card),
    }


def unknown_folds(name: str, scheme: str) -> ConfigError:
    """Return the error for a dataset of which nothing says how many folds it has."""
    what = "sessions" if scheme == "sessions" else "speakers"
    return ConfigError(f"config: datasets.{name}.splits.folds is empty; with {scheme} set it to the number of {what}")


def _refuse_odd(scheme: str, said: int | None, card: Card, key: str, *, alone: bool) -> None:
    """Refuse a number of folds that a scheme cannot have; `alone` if it is said for this dataset alone."""
    if scheme == "official" and said and alone:
        raise ConfigError(f"config: {key} is {said}; an official partition is one fold, so leave it out")
    two_may = scheme == "leave_one_speaker_out" or (scheme == "texts" and _speakers(card) in (0, 2))
    if said == 2 and scheme != "official" and not two_may:
        raise ConfigError(f"config: {key} is 2; train, dev and test need at least 3")


def _usual(scheme: str, entry: Entry, card: Card) -> int:
    """Return how many folds there are where the config does not say; 0 where the corpus does not either."""
    if scheme == "official":
        return 1
    if scheme == "sessions":
        # Whether sessions share speakers, and so are one for a split, is known of those with dyads.
        whole = card.published.sessions if card.published and card.dyads else 0
        return min(whole, len(entry.filter.get("session", ())) or whole)
    speakers = min(_speakers(card), len(entry.filter.get("speaker", ())) or _speakers(card))
    return speakers if scheme == "leave_one_speaker_out" else min(USUAL_FOLDS, speakers or USUAL_FOLDS)


def _speakers(card: Card) -> int:
    return card.published.speakers if card.published else 0
