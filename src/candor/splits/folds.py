"""What a fold is, and what it must hold to be of use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from candor.runtime import Explained

if TYPE_CHECKING:
    import pandas as pd

Part = Literal["train", "dev", "test"]
PARTS: tuple[Part, ...] = ("train", "dev", "test")
KEY = re.compile(r"\bsplits\.(?=scheme\b|folds\b|text_folds\b)")


class SplitError(Explained, ValueError):
    """A dataset cannot be split as asked; the message begins with ``splits:`` and names keys of `splits`."""

    def of(self, dataset: str) -> SplitError:
        """Return the same error with the dataset's name and the full names of its keys."""
        said = str(self).removeprefix("splits: ")
        return SplitError(f"{dataset}: {re.sub(KEY, f'datasets.{dataset}.splits.', said)}")


@dataclass(frozen=True)
class Fold:
    """Which part each utterance belongs to; those that are not named are set aside in this fold."""

    number: int
    parts: Mapping[str, Part]


def assemble(number: int, clips: pd.DataFrame, parts: Iterable[Part | Literal[""]]) -> Fold:
    """Return the fold in which the clips have these parts, in their order; a blank part sets a clip aside.

    Raises
    ------
    SplitError
        When nothing would be left to train, to select or to test on.
    """
    names = clips["utterance"].tolist()
    taken: dict[str, Part] = {name: part for name, part in zip(names, parts, strict=True) if part}
    filled = set(taken.values())
    for part in PARTS:
        if part not in filled:
            raise SplitError(
                f"splits: fold {number} would have no clip in {part}. "
                "Set fewer splits.folds (or splits.text_folds), or a wider filter"
            )
    return Fold(number, taken)


def assemble_by(column: str, number: int, clips: pd.DataFrame, part_of: Mapping[str, Part]) -> Fold:
    """Return the fold in which the part of a clip is that of its speaker, say; what has none is set aside."""
    return assemble(number, clips, [part_of.get(value, "") for value in clips[column].tolist()])
