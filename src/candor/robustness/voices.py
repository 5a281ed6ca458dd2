"""Who speaks in a dataset, to be heard behind others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from candor.audio.conversion import decode
from candor.robustness.transforms import Samples
from candor.stats.clustering import clusters
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd

FEWEST_VOICES, MOST_VOICES = 4, 7
"""Speakers of a babble, as in ser-tests; fewer where the dataset has fewer others."""


class Voices:
    """Who speaks in a dataset, to be heard behind others.

    Parameters
    ----------
    everyone
        Rows of fold tables, each utterance once.
    members
        Where the audio of each utterance is.
    store
        Where that is read.
    """

    def __init__(self, everyone: pd.DataFrame, members: Mapping[str, str], store: Store) -> None:
        self._members, self._store = members, store
        self._speaker = dict(zip(everyone["utterance"], clusters(everyone), strict=True))
        self._said: dict[str, list[str]] = defaultdict(list)
        for name, speaker in sorted(self._speaker.items()):
            self._said[speaker].append(name)
        self._speakers = sorted(self._said)

    def behind(self, utterance: str, draws: np.random.Generator) -> list[Samples]:
        """Return recordings of other speakers than that of an utterance, one of each; fewer where there are few."""
        others = [speaker for speaker in self._speakers if speaker != self._speaker[utterance]]
        wanted = int(draws.integers(FEWEST_VOICES, MOST_VOICES + 1))
        chosen = draws.permutation(len(others))[:wanted]
        names = [said[int(draws.integers(len(said)))] for said in (self._said[others[place]] for place in chosen)]
        return [self.samples(name) for name in names]

    def samples(self, utterance: str) -> Samples:
        """Return the whole recording of an utterance."""
        return decode(self._store.read(self._members[utterance]))
