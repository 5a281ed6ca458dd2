"""Leave one speaker out."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from candor.splits.deal import sentences
from candor.splits.folds import Fold, Part, SplitError, assemble, assemble_by
from candor.splits.units import Unit, genders_of, session_units

if TYPE_CHECKING:
    import pandas as pd


def leave_one_speaker_out(clips: pd.DataFrame, folds: int, seed: int, *, dyads: bool) -> list[Fold]:
    """Return one fold per speaker, who alone is tested in it.

    Some of the others select: a tenth of them, of both genders; with `dyads` the next session; and where
    there is only one other, a fifth of what he or she says.
    """
    genders = genders_of(clips)
    if len(genders) < 2:
        raise SplitError(f"splits: leave_one_speaker_out needs two speakers, but there are {len(genders)}")
    if len(genders) != folds:
        raise SplitError(
            f"splits: leave_one_speaker_out was planned for {folds} speakers, but {len(genders)} take part; "
            f"set splits.folds to {len(genders)}"
        )
    units = session_units(clips) if dyads else []
    if any(len(unit.speakers) > 1 for unit in units):
        return _of_dialogues(clips, units)
    if len(genders) == 2:
        return _of_two(clips, seed)
    return _of_many(clips, genders)


def _of_many(clips: pd.DataFrame, genders: Mapping[str, str]) -> list[Fold]:
    order = _alternating(genders)
    folds = []
    for number, test in enumerate(sorted(genders), start=1):
        place = order.index(test)
        others = order[place + 1 :] + order[:place]
        part_of: dict[str, Part] = dict.fromkeys(others, "train")
        part_of.update(dict.fromkeys(_of_both_genders(others, genders, math.ceil(len(genders) / 10)), "dev"))
        folds.append(assemble_by("speaker", number, clips, part_of | {test: "test"}))
    return folds


def _alternating(genders: Mapping[str, str]) -> list[str]:
    """Return the speakers so that genders alternate, or come as evenly as their numbers allow."""
    sizes = Counter(genders.values())
    placed: Counter[str] = Counter()
    places = {}
    for speaker, gender in sorted(genders.items()):
        places[speaker] = ((placed[gender] + 0.5) / sizes[gender], gender, speaker)
        placed[gender] += 1
    return sorted(genders, key=places.__getitem__)


def _of_both_genders(speakers: Sequence[str], genders: Mapping[str, str], count: int) -> list[str]:
    """Return the first `count` speakers, but of one gender no more than of the other while there are others."""
    taken: Counter[str] = Counter()
    ranks = {}
    for speaker in speakers:
        gender = genders[speaker]
        ranks[speaker] = taken[gender] if gender else len(speakers)
        taken[gender] += 1
    return sorted(speakers, key=ranks.__getitem__)[:count]


def _of_dialogues(clips: pd.DataFrame, units: Sequence[Unit]) -> list[Fold]:
    """Return folds whose test speaker's partners are set aside: both speak with, and about, each other."""
    if len(units) < 3:
        raise SplitError(
            "splits: leave_one_speaker_out trains, selects and tests on different sessions, which takes three, "
            f"but there are {len(units)}. Set a wider filter, or splits.scheme to official where there is one"
        )
    next_to = dict(zip(units, [*units[1:], units[0]], strict=True))
    tests = sorted((speaker, unit) for unit in units for speaker in unit.speakers)
    folds = []
    for number, (test, own) in enumerate(tests, start=1):
        part_of: dict[str, Part] = {}
        for unit in units:
            if unit != own:
                part_of.update(dict.fromkeys(unit.speakers, "dev" if unit == next_to[own] else "train"))
        folds.append(assemble_by("speaker", number, clips, part_of | {test: "test"}))
    return folds


def _of_two(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """Return the two folds of two speakers, where whoever is trained on selects too, with other sentences."""
    folds = []
    for number, test in enumerate(sorted(set(clips["speaker"])), start=1):
        tested = clips["speaker"] == test
        said = sentences(clips)
        if said[~tested].nunique() < 2:
            said = clips["utterance"]
        selecting = said.isin(_fifth(sorted(set(said[~tested])), seed))
        parts = np.select([tested, selecting], ["test", "dev"], default="train").tolist()
        folds.append(assemble(number, clips, parts))
    return folds


def _fifth(sentences_said: Sequence[str], seed: int) -> list[str]:
    return random.Random(seed).sample(sentences_said, math.ceil(len(sentences_said) / 5))
