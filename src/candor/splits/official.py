"""The partition that a corpus's authors publish."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from candor.splits.folds import Fold, Part, SplitError, assemble_by

if TYPE_CHECKING:
    import pandas as pd


def official(utterances: pd.DataFrame, folds: int) -> list[Fold]:
    """Return the one fold of the manifest's column `split`.

    Where there are several test sets, the first one counts and the others are set aside. Speakers may be in several
    parts, and clips whose speaker is not known take part.
    """
    if folds != 1:
        raise SplitError(
            f"splits: the official partition is one fold. Set splits.folds to 1 or leave it out, not {folds}"
        )
    if not utterances["split"].any():
        raise SplitError("splits: no clip has a part in an official partition. Set splits.scheme to speakers")
    counts = {str(split): int(count) for split, count in utterances["split"].value_counts().sort_index().items()}
    tests = sorted(filter(re.compile(r"test\d*").fullmatch, counts), key=lambda name: int(name[4:] or 0))
    missing = [part for part in ("train", "dev") if part not in counts] + ([] if tests else ["test"])
    if missing:
        there = ", ".join(f"{name or 'blank'} ({count} clips)" for name, count in counts.items())
        raise SplitError(
            f"splits: the official partition has no {' and no '.join(missing)} here, but {there}. "
            "Set splits.scheme to speakers, or a wider filter"
        )
    part_of: dict[str, Part] = {"train": "train", "dev": "dev", tests[0]: "test"}
    return [assemble_by("split", 1, utterances, part_of)]
