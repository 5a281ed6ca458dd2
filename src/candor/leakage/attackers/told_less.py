"""Controls who are told less than an update: how long its parts are, or how often each class occurs at the client."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from candor.leakage.attackers.logistic import Logistic
from candor.leakage.layers import Layer
from candor.leakage.updates import Updates, class_shares
from candor.stats.intervals import FloatArray

SMALLEST = 1e-12


def norms(updates: Updates, layer: Layer) -> FloatArray:
    """Return how long weight and bias of each update are, on a logarithmic scale, [updates, 1 or 2]."""
    weight = layer.rows * layer.columns
    lengths = np.empty((len(updates), 2 if layer.biases else 1))
    for places, values in updates.blocks(layer, range(len(updates))):
        lengths[places, 0] = np.linalg.norm(values[:, :weight], axis=1)
        if layer.biases:
            lengths[places, 1] = np.linalg.norm(values[:, weight:], axis=1)
    return np.log(np.maximum(lengths, SMALLEST))


def by_norms(shadow: FloatArray, victims: FloatArray) -> Logistic:
    """Return the attacker who is told norms alone."""
    return _standardised(shadow, victims)


def by_labels(shadow: Updates, victims: Updates) -> Logistic:
    """Return the attacker who is told how often each class occurs at each client, and sees no update."""
    return _standardised(class_shares(shadow), class_shares(victims))


def _standardised(shadow: FloatArray, victims: FloatArray) -> Logistic:
    mean, deviation = shadow.mean(axis=0), shadow.std(axis=0)
    scale = np.where(deviation > SMALLEST, deviation, 1.0)
    return Logistic(*_brought((shadow, victims), mean, scale))


def _brought(both: tuple[FloatArray, FloatArray], mean: FloatArray, scale: FloatArray) -> Iterator[FloatArray]:
    return ((values - mean) / scale for values in both)
