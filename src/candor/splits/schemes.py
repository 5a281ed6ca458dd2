"""The schemes by which a dataset may be split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from candor.splits.deal import deal, require_enough
from candor.splits.folds import Fold, Part, SplitError, assemble_by
from candor.splits.leave_one_out import leave_one_speaker_out
from candor.splits.official import official
from candor.splits.parity import fed_ser_leakage, trust_ser
from candor.splits.texts import text_independent
from candor.splits.units import Unit, session_units, single_speakers

if TYPE_CHECKING:
    import pandas as pd

    from candor.corpora.reader import Scheme


def make_folds(
    utterances: pd.DataFrame,
    *,
    scheme: Scheme,
    folds: int,
    text_folds: int,
    seed: int,
    dyads: bool,
    parity: str | None,
) -> list[Fold]:
    """Return the folds of a manifest.

    Except in the official partition and under `parity`, no speaker is in two parts of a fold, and clips whose speaker
    is not known are set aside, as nobody can say whether they keep to that.

    Parameters
    ----------
    utterances
        The manifest.
    scheme
        What a fold is made of.
    folds
        How many folds are planned; with the scheme ``texts``, how many hands of speakers.
    text_folds
        How many hands of sentences, with the scheme ``texts``.
    seed
        Seed of every shuffle.
    dyads
        Whether the people of one session talk to each other; then none of them is in another part than the others.
    parity
        A system whose folds are wanted as they are, its mistakes included.

    Raises
    ------
    SplitError
        When the manifest cannot be split so; the message says what to set.
    """
    if parity == "trust-ser":
        return trust_ser(utterances, scheme, folds)
    if scheme == "official" and parity is None:
        return official(utterances, folds)
    known = utterances[utterances["speaker"] != ""]
    if known.empty:
        raise SplitError("splits: of no clip is it known who speaks. Set splits.scheme to official, if there is one")
    if parity == "fed-ser-leakage":
        return fed_ser_leakage(known, scheme, folds)
    if scheme == "leave_one_speaker_out":
        return leave_one_speaker_out(known, folds, seed, dyads=dyads)
    if scheme == "sessions":
        return by_sessions(known, folds, seed)
    units = session_units(known) if dyads else single_speakers(known)
    if scheme == "texts":
        return text_independent(known, units, folds, text_folds, seed)
    return by_speakers(known, units, folds, seed)


def by_speakers(clips: pd.DataFrame, units: Sequence[Unit], folds: int, seed: int) -> list[Fold]:
    """Deal speakers, or the groups of them that stay together, out to folds of about the same size."""
    require_enough(units, folds, "sessions" if any(unit.sessions for unit in units) else "speakers")
    return _rotate(clips, deal(units, folds, seed))


def by_sessions(clips: pd.DataFrame, folds: int, seed: int) -> list[Fold]:
    """Test each session in turn, in order of their names; with more sessions than folds, deal them out."""
    units = session_units(clips)
    alone = [str(unit) for unit in units if not unit.sessions]
    if alone:
        raise SplitError(
            f"splits: folds by sessions need everyone's session, but {len(alone)} of {len(set(clips['speaker']))} "
            f"speakers have none ({alone[0]}, say). Set splits.scheme to speakers"
        )
    require_enough(units, folds, "sessions")
    return _rotate(clips, [[unit] for unit in units] if len(units) == folds else deal(units, folds, seed))


def _rotate(clips: pd.DataFrame, hands: Sequence[Sequence[Unit]]) -> list[Fold]:
    """Return as many folds as hands: one hand is tested, the next one selects, the others train."""
    made = []
    for number, test in enumerate(hands, start=1):
        dev = hands[number % len(hands)]
        part_of: dict[str, Part] = {speaker: "train" for hand in hands for speaker in _speakers(hand)}
        part_of.update(dict.fromkeys(_speakers(dev), "dev"))
        part_of.update(dict.fromkeys(_speakers(test), "test"))
        made.append(assemble_by("speaker", number, clips, part_of))
    return made


def _speakers(hand: Sequence[Unit]) -> list[str]:
    return [speaker for unit in hand for speaker in unit.speakers]
