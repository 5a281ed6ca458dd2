"""Deal people and sentences out to hands, like cards."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from candor.splits.folds import SplitError
from candor.splits.units import Unit

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 12


def deal(units: Sequence[Unit], folds: int, seed: int) -> list[list[Unit]]:
    """Deal units out to as many hands as there are folds.

    Units are shuffled among those of the same genders and dealt one kind after the other, so that hands differ by at
    most one unit in all and by at most one of each kind. Equal units, folds and seed give equal hands, in whatever
    order the units come.
    """
    generator = random.Random(seed)
    hands: list[list[Unit]] = [[] for _ in range(folds)]
    turn = 0
    for kind in sorted({_kind(unit) for unit in units}):
        own = sorted(unit for unit in units if _kind(unit) == kind)
        generator.shuffle(own)
        for unit in own:
            hands[turn % folds].append(unit)
            turn += 1
    return hands


def require_enough(units: Sequence[Unit], folds: int, what: str) -> None:
    """Raise unless `folds` hands of `what` can take turns at test and selection and leave some to train on."""
    count = len(units)
    if count < 3:
        way_out = ". Set splits.scheme to leave_one_speaker_out" if what == "speakers" and count == 2 else ""
        raise SplitError(f"splits: training, selection and test need three {what}, but there are {count}{way_out}")
    if folds < 3:
        raise SplitError(
            f"splits: training, selection and test need three folds. Set splits.folds to 3 or more, not {folds}"
        )
    if count < folds:
        names = ", ".join([str(unit) for unit in units[:SHOWN]] + ["…"] * (count > SHOWN))
        raise SplitError(
            f"splits: {folds} folds need at least as many {what}, but there are {count} ({names}). "
            f"Set splits.folds to at most {count}"
        )


def sentences(clips: pd.DataFrame) -> pd.Series[str]:
    """Return what is said in each clip; a clip without a text says what no other says."""
    return ("text " + clips["text"]).where(clips["text"] != "", "clip " + clips["utterance"])


def deal_sentences(said: pd.Series[str], hands: int, seed: int) -> dict[str, int]:
    """Deal sentences out to hands that have about as many clips each; return the hand of each sentence.

    The sentence with the most clips comes first and each goes to the hand with the fewest clips so far; equal ones
    come in an order that is shuffled by `seed`.
    """
    clips = {str(sentence): int(count) for sentence, count in said.value_counts().items()}
    order = sorted(clips)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda sentence: -clips[sentence])
    fullness = [(0, hand) for hand in range(hands)]
    hand_of = {}
    for sentence in order:
        held, hand = fullness[0]
        hand_of[sentence] = hand
        heapq.heapreplace(fullness, (held + clips[sentence], hand))
    return hand_of


def _kind(unit: Unit) -> tuple[str, ...]:
    return tuple(sorted(unit.genders))
