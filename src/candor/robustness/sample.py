"""Which test utterances are disturbed, where these are not all."""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b

import pandas as pd

from candor.stats.clustering import clusters


def drawn_evenly(tested: pd.DataFrame, most: int | None) -> frozenset[str]:
    """Return the names of as many utterances as are wanted, drawn evenly from speakers and emotions.

    Speakers take turns, and of each speaker the emotions: nobody and nothing has two utterances more than another while
    there are some left. Who comes first is decided by a hash of the names, so that the choice depends on nothing else.

    Parameters
    ----------
    tested
        Rows of fold tables: all test utterances, with `label` blank where ratings are predicted.
    most
        How many; None for all.
    """
    tested = tested.drop_duplicates("utterance")
    if most is None or len(tested) <= most:
        return frozenset(tested["utterance"])
    by_speaker: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, speaker, label in zip(tested["utterance"], clusters(tested), tested["label"], strict=True):
        by_speaker[speaker][str(label)].append(str(name))
    queues = {
        speaker: _in_turns({f"{speaker}\n{label}": sorted(names, key=_mark) for label, names in by_label.items()})
        for speaker, by_label in by_speaker.items()
    }
    return frozenset(_in_turns(queues)[:most])


def _in_turns(groups: dict[str, list[str]]) -> list[str]:
    """Return the members of all groups: the first of each, then the second of each; groups that are empty drop out."""
    members = [
        (turn, _mark(f"{turn}\n{group}"), names[turn]) for group, names in groups.items() for turn in range(len(names))
    ]
    return [name for _, _, name in sorted(members)]


def _mark(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
