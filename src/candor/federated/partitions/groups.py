"""Clients as they come: a speaker, a shard of a speaker's clips, a session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from candor.federated.draws import draws

Shares = dict[str, list[int]]
"""The examples of each client, by its name."""


def by_name(names: Mapping[int, str]) -> Shares:
    """Return a client per name, in order of the names.

    Parameters
    ----------
    names
        The speaker of each example, or its session; in any order.
    """
    shares: defaultdict[str, list[int]] = defaultdict(list)
    for number, name in sorted(names.items()):
        shares[name].append(number)
    return dict(sorted(shares.items()))


def in_shards(speakers: Mapping[int, str], shards: int, seed: int) -> Shares:
    """Return each speaker's examples, shuffled and cut into shards of about the same size.

    A client is called as its speaker, with the number of its shard behind. There is none without examples.

    Parameters
    ----------
    speakers
        The speaker of each example.
    shards
        How many per speaker.
    seed
        Of the shuffles.
    """
    return {
        f"{speaker}_{shard}": own
        for speaker, numbers in by_name(speakers).items()
        for shard, own in enumerate(_cut(numbers, shards, draws(seed, "shards", speaker)))
        if own
    }


def _cut(numbers: Sequence[int], shards: int, generator: np.random.Generator) -> list[list[int]]:
    return [own.tolist() for own in np.array_split(generator.permutation(np.asarray(numbers)), shards)]
