"""Read pooled features back from the store."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from candor.features.extraction import FeatureError
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd


def read_pooled(index: pd.DataFrame, utterances: Sequence[str], store: Store) -> np.ndarray:
    """Return the pooled features of utterances, in their order.

    Parameters
    ----------
    index
        Where features are: a feature index, in any order.
    utterances
        Whose features to read.
    store
        Where they are kept.

    Raises
    ------
    FeatureError
        When the index lacks one of them, or none is asked for.

    Returns
    -------
    numpy.ndarray
        Shape [utterances, layers, statistics, dimensions], float32.
    """
    by_name = index.set_index("utterance")
    lacking = [name for name in utterances if name not in by_name.index]
    if lacking or not len(utterances):
        raise FeatureError(f"no features of {lacking[0]}" if lacking else "no utterance of the dataset takes part")
    index = by_name.loc[list(utterances)]
    pooled: np.ndarray | None = None
    members = index["member"].to_numpy()
    rows = index["row"].to_numpy()
    for member in dict.fromkeys(members):
        pack = np.load(io.BytesIO(store.read(member)), allow_pickle=False)
        if pooled is None:
            pooled = np.empty((len(index), *pack.shape[1:]), dtype=np.float32)
        own = members == member
        pooled[own] = pack[rows[own]]
    assert pooled is not None  # there is at least one utterance, so there was a first pack
    return pooled
