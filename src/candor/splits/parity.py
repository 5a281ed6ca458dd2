"""The folds of other systems as they are, to reproduce their figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from candor.splits.folds import Fold, Part, SplitError, assemble, assemble_by
from candor.splits.official import official
from candor.splits.units import genders_of

if TYPE_CHECKING:
    import pandas as pd

TRUST_SER_UNITS = {"speakers": "speaker", "sessions": "session"}
FED_SER_SEED = 8
FED_SER_SHARDS = 10


def trust_ser(utterances: pd.DataFrame, scheme: str, folds: int) -> list[Fold]:
    """Return the folds of trust-ser: contiguous, and nearly always with the same dev people.

    Sorted speakers or sessions are cut into `folds` runs for test (scikit-learn's ``KFold`` without shuffling); dev
    is the last fifth of the remaining ones, so that all folds but the last select on the same people.
    """
    if scheme == "official":
        return official(utterances, folds)
    if scheme not in TRUST_SER_UNITS:
        raise SplitError(
            f"splits: parity trust-ser has speakers, sessions and official. Set splits.scheme so, not {scheme}"
        )
    column = TRUST_SER_UNITS[scheme]
    ordered = sorted(set(utterances[column]) - {""})
    made = []
    for number, tests in enumerate(_runs(ordered, folds, scheme), start=1):
        remaining = [name for name in ordered if name not in tests]
        part_of: dict[str, Part] = dict.fromkeys(remaining, "train")
        # Floor division of a negative number: the last fifth, rounded up.
        part_of.update(dict.fromkeys(remaining[-len(remaining) // 5 :], "dev"))
        part_of.update(dict.fromkeys(tests, "test"))
        made.append(assemble_by(column, number, utterances, part_of))
    return made


def fed_ser_leakage(clips: pd.DataFrame, scheme: str, folds: int) -> list[Fold]:
    """Return the folds of fed-ser-leakage: runs of speakers, which cut dyads, and a dev part of the training speakers.

    Speakers are in order of their sessions, the man first, and cut into `folds` runs for test. Of everyone else, the
    fifth that their clients keep to select on is dev: the very clips, where that system reads them in order of their
    names (of IEMOCAP it takes files as the disk lists them).
    """
    if scheme not in ("speakers", "sessions"):
        raise SplitError(f"splits: parity fed-ser-leakage has speakers only. Set splits.scheme so, not {scheme}")
    clips = clips.sort_values("utterance")
    genders = genders_of(clips)
    sessions = {str(name): str(session) for name, session in clips.groupby("speaker")["session"].max().items()}
    # Without sessions, as in CREMA-D, the order is that of the names.
    ordered = sorted(genders, key=lambda name: (sessions[name], bool(sessions[name]) and genders[name] != "male", name))
    held = np.zeros(len(clips), dtype=bool)
    for speaker, places in clips.groupby("speaker").indices.items():
        held[places[_held_by_clients(len(places), FED_SER_SHARDS if sessions[str(speaker)] else 1)]] = True
    made = []
    for number, tests in enumerate(_runs(ordered, folds, "speakers"), start=1):
        parts = np.select([clips["speaker"].isin(tests), held], ["test", "dev"], default="train").tolist()
        made.append(assemble(number, clips, parts))
    return made


def _runs(ordered: Sequence[str], folds: int, what: str) -> list[Sequence[str]]:
    """Cut a sequence into `folds` runs, the longer ones first."""
    if len(ordered) < folds:
        raise SplitError(
            f"splits: the {folds} folds of the system under parity need as many {what}, but there are {len(ordered)}. "
            "Complete the corpus, set a wider filter, or leave parity out"
        )
    sizes = [len(ordered) // folds + (number < len(ordered) % folds) for number in range(folds)]
    return [ordered[sum(sizes[:number]) : sum(sizes[: number + 1])] for number in range(folds)]


def _held_by_clients(count: int, shards: int) -> np.ndarray:
    """Return which of a speaker's clips, in order of their names, his or her clients keep to select on.

    A speaker of a dialogue corpus is ten clients, who share the clips at random; an actor is one. Each client trains
    on four fifths of its own, rounded down, at random.
    """
    generator = np.random.RandomState(FED_SER_SEED)
    order = generator.permutation(count)
    if shards == 1:
        return generator.permutation(count)[int(0.8 * count) :]  # that system draws twice and uses the second
    held = [np.empty(0, dtype=int)]
    for own in np.array_split(order, shards):
        inner = np.random.RandomState(FED_SER_SEED).permutation(len(own))
        held.append(own[inner[int(0.8 * len(own)) :]])
    return np.concatenate(held)
