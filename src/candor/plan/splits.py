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
    """Return the options of `candor.splits.schemes.make_folds` for a dataset.

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
        When a scheme does not suit the corpus, or nothing says how many folds there are.
    """
    own = entry.splits.model_dump(exclude_unset=True) if entry.splits else {}
    splits = general.model_copy(update=own)
    options = {"seed": splits.seed, "text_folds": splits.text_folds, "dyads": card.dyads, "parity": entry.parity}
    where = f"datasets.{name}.splits"
    if entry.parity:
        if own.get("scheme", "auto") != "auto":
            raise ConfigError(f"config: {where}.scheme is {own['scheme']!r}; parity has its own folds, so leave it out")
        scheme: str = card.parities[entry.parity]
        usual = card.published.sessions if card.published and scheme == "sessions" else USUAL_FOLDS
        return {**options, "scheme": scheme, "folds": 1 if scheme == "official" else own.get("folds") or usual}
    scheme = card.scheme if splits.scheme == "auto" else splits.scheme
    return {**options, "scheme": scheme, "folds": _number(scheme, own.get("folds"), general, card, where)}


def _number(scheme: str, own: int | None, general: Splits, card: Card, where: str) -> int:
    """Return the number of folds: what the dataset says, what is said for all, or what the corpus has."""
    if scheme == "official":
        if own:
            raise ConfigError(f"config: {where}.folds is {own}; an official partition is one fold, so leave it out")
        return 1
    number = own or (general.folds if scheme in (*DEALT, general.scheme) else None)
    if scheme in ("speakers", "sessions") and number == 2:
        raise ConfigError(f"config: {where if own else 'splits'}.folds is 2; train, dev and test need at least 3")
    if number or scheme in DEALT:
        return number or USUAL_FOLDS
    counted = card.published and (card.published.sessions if scheme == "sessions" else card.published.speakers)
    if not counted:
        what = "sessions" if scheme == "sessions" else "speakers"
        raise ConfigError(f"config: {where}.folds is empty; with {scheme} set it to the number of {what}")
    return counted
