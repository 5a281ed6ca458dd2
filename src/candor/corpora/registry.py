"""Which corpora are known, and whether a folder is one."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import cast

from candor.corpora import readers
from candor.corpora.reader import CorpusError, Reader


def names() -> list[str]:
    """Return the names of all corpora that have a reader."""
    return sorted(module.name for module in pkgutil.iter_modules(readers.__path__))


def load(name: str) -> Reader:
    """Return the reader of a corpus."""
    return cast(Reader, importlib.import_module(f"{readers.__name__}.{name}"))


def locate(root: Path, name: str) -> None:
    """Raise unless `root` looks like the corpus `name`.

    Raises
    ------
    CorpusError
        Says what is wrong with the folder and what was looked for inside it.
    """
    card = load(name).CARD
    if not root.exists():
        raise CorpusError(f"there is no such folder; looked for {card.layout}")
    if not root.is_dir():
        raise CorpusError(f"that is not a folder; looked for {card.layout}")
    if card.markers and not any(next(root.glob(marker), None) for marker in card.markers):
        raise CorpusError(f"nothing in that folder matches {' or '.join(card.markers)}; looked for {card.layout}")
