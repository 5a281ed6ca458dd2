"""Across corpora: some datasets are trained on, the others tested."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from candor.splits.deal import deal
from candor.splits.folds import Fold, SplitError, assemble
from candor.splits.units import Unit, session_units, single_speakers

if TYPE_CHECKING:
    import pandas as pd

HANDS = 5
"""One of so many hands of speakers selects."""


def joined(utterances: pd.DataFrame, seed: int, dyads: Collection[str]) -> list[Fold]:
    """Return the one fold of a joined manifest, whose column `split` says what is trained on and what is tested.

    A hand of speakers of each dataset trained on selects, so that each has a say in it. A dataset of one speaker is
    trained on whole, unless all are so. Clips of unknown speakers take part: those who are tested are of other corpora.

    Parameters
    ----------
    utterances
        The manifest. A path begins with the name of the dataset that the clip is of.
    seed
        Seed of the shuffle.
    dyads
        The datasets trained on in which the people of one session talk to each other; they stay together.
    """
    trained = utterances[utterances["split"] == "train"]
    selecting = {speaker for unit in _selecting(trained, seed, dyads) for speaker in unit.speakers}
    parts = utterances["split"].mask((utterances["split"] == "train") & utterances["speaker"].isin(selecting), "dev")
    return [assemble(1, utterances, parts.tolist())]


def _selecting(trained: pd.DataFrame, seed: int, dyads: Collection[str]) -> list[Unit]:
    known = trained[trained["speaker"] != ""]
    dataset = known["path"].str.split("/", n=1).str[0]
    together = dataset.isin(set(dyads))
    units = session_units(known[together]) + single_speakers(known[~together])
    if len(units) < 2:
        what = "sessions" if dyads else "speakers"
        raise SplitError(
            f"splits: training and selection need two {what} who are known, but train_on has {len(units)}. "
            "Name another dataset in train_on"
        )
    # Two datasets of one corpus may share speakers; these are dealt once, with the first of them.
    home = dataset.groupby(known["speaker"]).min()
    hands: list[Unit] = []
    for name in sorted(set(home)):
        own = [unit for unit in units if home[unit.speakers[0]] == name]
        hands += _first_hand(own, seed) if len(own) > 1 else []
    return hands or _first_hand(units, seed)


def _first_hand(units: Sequence[Unit], seed: int) -> list[Unit]:
    return deal(units, min(HANDS, len(units)), seed)[0]
