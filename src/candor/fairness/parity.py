"""trust-ser's own three figures, by its formulas, in its format.

It compares men and women of each fold, takes the worst case, and reports mean and standard deviation over folds. What
it calls demographic parity is the joint rate of an emotion being spoken and recognised.

References
----------
.. [1] T. Feng, R. Hebbar, S. Narayanan, "TrustSER: On the trustworthiness of fine-tuning pre-trained speech embeddings
   for speech emotion recognition", arXiv:2305.11229.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from candor.runtime import Explained
from candor.stats.confusions import count_confusions
from candor.stats.intervals import FloatArray

GENDERS = ("male", "female")

_NEARLY_NOTHING = 1e-32
"""Added to each count, so that the column of an emotion that a group lacks becomes uniform, as it does there."""


class ParityError(Explained, ValueError):
    """The figures cannot be had for this dataset."""


def joint_parity(counts: FloatArray) -> float:
    r"""Return :math:`\max_c |P(y=c, \hat y=c \mid m) - P(y=c, \hat y=c \mid f)|`.

    Parameters
    ----------
    counts
        Confusion counts of both genders, `[2, classes, classes]`, truth in rows.
    """
    joint = np.diagonal(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2))[:, None]
    return float(np.abs(joint[0] - joint[1]).max())


def statistical_parity(counts: FloatArray) -> float:
    r"""Return :math:`\tfrac12 \sum_c |P(\hat y=c \mid m) - P(\hat y=c \mid f)|`."""
    said = counts.sum(axis=1) / counts.sum(axis=(1, 2))[:, None]
    return float(0.5 * np.abs(said[0] - said[1]).sum())


def equality_of_opportunity(counts: FloatArray) -> float:
    r"""Return :math:`\tfrac{1}{2C} \sum_{i,j} |P(\hat y=i \mid y=j, m) - P(\hat y=i \mid y=j, f)|`."""
    filled = counts + _NEARLY_NOTHING
    shares = filled / filled.sum(axis=2, keepdims=True)
    return float(np.abs(shares[0] - shares[1]).sum() / (2 * counts.shape[1]))


FIGURES = {
    "demographic_parity": joint_parity,
    "statistical_parity": statistical_parity,
    "equality_of_opp": equality_of_opportunity,
}
"""By the names that trust-ser gives them."""


def trust_ser_figures(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the figures of each fold, averaged over seeds, with their mean and standard deviation over folds.

    Parameters
    ----------
    predictions
        Rows of `Predictions`, all folds and seeds.
    classes
        The emotions, in their order.

    Raises
    ------
    ParityError
        When a fold has speakers of one gender only.
    """
    order = pd.Index(list(classes))
    made: dict[str, dict[str, float]] = {}
    for fold, rows in predictions.groupby("fold"):
        each = []
        for _, own in rows.groupby("seed"):
            known = own[own["gender"].isin(GENDERS)]
            if set(known["gender"]) != set(GENDERS):
                there = ", ".join(sorted(set(known["gender"]))) or "nobody whose gender is known"
                raise ParityError(
                    f"fairness.parity is 'trust-ser', which compares men and women; fold {fold} tests {there}: "
                    "take fewer folds, or leave it empty"
                )
            codes = [pd.Index(GENDERS).get_indexer(pd.Index(known["gender"]))]
            codes += [order.get_indexer(pd.Index(known[name])) for name in ("label", "predicted")]
            counts = count_confusions(codes, [len(GENDERS), len(order), len(order)])
            each.append([figure(counts) for figure in FIGURES.values()])
        made[str(fold)] = dict(zip(FIGURES, np.mean(each, axis=0).tolist(), strict=True))
    values = np.array([[fold[name] for name in FIGURES] for fold in made.values()])
    made["average"] = dict(zip(FIGURES, values.mean(axis=0).tolist(), strict=True))
    made["std"] = dict(zip(FIGURES, values.std(axis=0).tolist(), strict=True))
    return made
