"""Read what a dense network is given: the mean over time of a layer's hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from candor.features.reading import read_pooled
from candor.federated.errors import FederatedError
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd

MEAN = 0
"""The place of the mean over time among the statistics of pooled states."""


def mean_states(index: pd.DataFrame, utterances: Sequence[str], store: Store, layer: str | int) -> NDArray[np.float64]:
    """Return the mean over time of hidden states, [utterances, dimensions].

    One pack of the store is in memory at a time: the states of all layers of a corpus may be more than there is.

    Parameters
    ----------
    index
        A `FeatureIndex`, in any order.
    utterances
        Whose states.
    store
        Where they are.
    layer
        ``last``, ``mean`` of all, or the number of one, counted from 0.

    Raises
    ------
    FederatedError
        When the backbone has no layer of that number.
    FeatureError
        When the index lacks an utterance.
    """
    packs = dict(zip(index["utterance"], index["member"], strict=True))
    places: dict[str, list[int]] = {}
    for place, name in enumerate(utterances):
        # A name without features is left to the reader, which says so.
        places.setdefault(packs.get(name, ""), []).append(place)
    means: NDArray[np.float64] | None = None
    for own in places.values():
        pooled = read_pooled(index, [utterances[place] for place in own], store)
        states = _of_layer(pooled[:, :, MEAN].astype(np.float64), layer)
        if means is None:
            means = np.empty((len(utterances), states.shape[1]))
        means[own] = states
    assert means is not None  # a fold has utterances
    return means


def _of_layer(states: NDArray[np.float64], layer: str | int) -> NDArray[np.float64]:
    """Return [utterances, dimensions] of [utterances, layers, dimensions]."""
    layers = states.shape[1]
    if layer == "mean":
        return np.asarray(states.mean(axis=1))
    number = layers - 1 if layer == "last" else int(layer)
    if number >= layers:
        raise FederatedError(f"layer is {number}, but the backbone's last is {layers - 1}")
    return np.asarray(states[:, number])
