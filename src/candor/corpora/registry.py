"""The corpus readers by name."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from pathlib import Path
from typing import cast

from candor.corpora import readers
from candor.corpora.reader import CorpusError, Reader


def names() -> list[str]:
    """Return the names of all readers, without importing any."""
    return sorted(module.name for module in pkgutil.iter_modules(readers.__path__))


def load(name: str) -> Reader:
    """Return the reader called `name`.

    Raises
    ------
    CorpusError
        When there is none of that name.
    """
    known = names()
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise CorpusError(f"no reader is called {name!r}; there are {', '.join(known)}{hint}")
    return cast(Reader, importlib.import_module(f"{readers.__name__}.{name}"))


def locate(root: Path | None, name: str) -> None:
    """Raise unless `root` looks like the folder of corpus `name`.

    Raises
    ------
    CorpusError
        Says what is wrong with the path and what was looked for inside it, as a clause that follows the path.
    """
    card = load(name).CARD
    expected = f"the folder of {card.title} holds {card.layout}"
    if root is None:
        raise CorpusError(f"no path is given; {expected}")
    if not root.exists():
        raise CorpusError(f"there is no such folder; {expected}")
    if not root.is_dir():
        raise CorpusError(f"that is a file, not a folder; {expected}")
    if not _marked(root, card.markers):
        nearby = [folder for folder in (*_subfolders(root), root.parent) if _marked(folder, card.markers)]
        hint = f". Did you mean {nearby[0]}?" if nearby else ""
        raise CorpusError(f"nothing in it matches {' or '.join(card.markers)}; {expected}{hint}")


def _marked(folder: Path, markers: tuple[str, ...]) -> bool:
    return any(True for marker in markers for _ in folder.glob(marker))


def _subfolders(root: Path) -> list[Path]:
    return sorted(folder for folder in root.iterdir() if folder.is_dir())[:50]
