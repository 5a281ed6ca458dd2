"""Folds in which neither a speaker nor a sentence is in two parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candor.splits.deal import deal, deal_sentences, require_enough, sentences
from candor.splits.folds import Fold, SplitError, assemble
from candor.splits.units import Unit

if TYPE_CHECKING:
    import pandas as pd


def text_independent(clips: pd.DataFrame, units: list[Unit], folds: int, text_folds: int, seed: int) -> list[Fold]:
    """Return a fold for each hand of speakers and each hand of sentences.

    One hand of speakers is tested with one hand of sentences, the next one selects with the next sentences, and the
    other speakers train with the other sentences. What remains, a speaker with sentences that are not his or hers in
    this fold, is set aside. So every clip is tested once over all folds.

    Two speakers take turns: who is not tested selects and trains, with different sentences.

    Parameters
    ----------
    clips
        The clips of known speakers.
    units
        Who stays together.
    folds, text_folds
        Hands of speakers and of sentences; there are as many folds as their product.
    seed
        Seed of both shuffles.
    """
    two = len(units) == len(set(clips["speaker"])) == 2
    if not two:
        require_enough(units, folds, "sessions" if any(unit.sessions for unit in units) else "speakers")
    elif folds != 2:
        raise SplitError(f"splits: there are two speakers. Set splits.folds to 2, not {folds}")
    said = sentences(clips)
    _require_sentences(clips["text"], said.nunique(), text_folds)
    hands = deal(units, folds, seed)
    hand_of = {speaker: hand for hand, own in enumerate(hands) for unit in own for speaker in unit.speakers}
    speaker = clips["speaker"].map(hand_of).to_numpy()
    text = said.map(deal_sentences(said, text_folds, seed)).to_numpy()
    made: list[Fold] = []
    for person in range(folds):
        for wording in range(text_folds):
            next_person, next_wording = (person + 1) % folds, (wording + 1) % text_folds
            test = (speaker == person) & (text == wording)
            dev = (speaker == next_person) & (text == next_wording)
            trainers = (speaker == next_person) if two else (speaker != person) & (speaker != next_person)
            train = trainers & (text != wording) & (text != next_wording)
            parts = np.select([test, dev, train], ["test", "dev", "train"], default="").tolist()
            made.append(assemble(len(made) + 1, clips, parts))
    return made


def _require_sentences(texts: pd.Series[str], count: int, text_folds: int) -> None:
    if not texts.any():
        raise SplitError(
            "splits: no clip says which sentence it is, so folds by texts are none. Set splits.scheme to speakers"
        )
    if count < 3:
        raise SplitError(
            f"splits: training, selection and test need three sentences, but there are {count}. "
            "Set splits.scheme to speakers"
        )
    if text_folds < 3:
        raise SplitError(
            "splits: training, selection and test need other sentences each. "
            f"Set splits.text_folds to 3 or more, not {text_folds}"
        )
    if count < text_folds:
        raise SplitError(
            f"splits: {text_folds} hands of sentences need at least as many, but there are {count}. "
            f"Set splits.text_folds to at most {count}"
        )
