"""Read pooled features back from the store."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


def read_pooled(index: pd.DataFrame, store: Store) -> np.ndarray:
    """Return the pooled features of the utterances of an index, in its order.

    Returns
    -------
    numpy.ndarray
        Shape [utterances, layers, statistics, dimensions], float32.
    """
    pooled: np.ndarray | None = None
    members = index["member"].to_numpy()
    rows = index["row"].to_numpy()
    for member in dict.fromkeys(members):
        pack = np.load(io.BytesIO(store.read(member)), allow_pickle=False)
        if pooled is None:
            pooled = np.empty((len(index), *pack.shape[1:]), dtype=np.float32)
        own = members == member
        pooled[own] = pack[rows[own]]
    if pooled is None:
        raise ValueError("the feature index is empty: no utterance of the dataset takes part")
    return pooled
