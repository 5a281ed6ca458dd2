"""Bring pooled features to a common scale: each speaker by its own, or all by what clients learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from candor.federated.clients import Client

Float64 = NDArray[np.float64]
Measure = Callable[[Float64], tuple[Float64, Float64]]

ADDED = 1e-5
"""What fed-ser-leakage adds to every deviation."""

ROUNDING = 1e-6
"""A dimension that changes by less, relative to its largest value, changes by errors of rounding."""


def speakers_apart(speakers: Sequence[str], clients: Sequence[Client]) -> list[str]:
    """Return whose scale each example is brought to where no client may know anything of what another one holds.

    A speaker whose clips several clients hold is measured by each of them on those that it holds itself. So what one
    client adds to a model does not depend on which other clients there are, as a guarantee to a client needs it.

    Parameters
    ----------
    speakers
        Of each example.
    clients
        Who holds which.

    >>> speakers_apart(["a", "a", "a", "b"], [Client("a_0", "a", (0,), (1,)), Client("a_1", "a", (2,), ())])
    ['a of a_0', 'a of a_0', 'a of a_1', 'b']
    """
    holders = {number: client.name for client in clients for number in client.train + client.dev}
    return [
        f"{speaker} of {holders[number]}" if number in holders else speaker for number, speaker in enumerate(speakers)
    ]


def scaled(values: Float64, norm: str, groups: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Float64:
    r"""Return values on the scale of their groups.

    .. math::
        \mathrm{znorm}(x) = \frac{x - \bar x}{\sigma + 10^{-5}}
        \qquad
        \mathrm{minmax}(x) = \frac{x - \min x}{\max x - \min x}

    with the mean, the deviation (of a population) and the range of each dimension over what a group is measured on. A
    dimension that does not change there is only shifted, lest whoever deviates elsewhere deviate by a million.

    Parameters
    ----------
    values
        [examples, dimensions].
    norm
        ``znorm``, ``minmax`` or ``nonorm``.
    groups
        On which examples each group is measured, and which are brought to its scale.
    """
    if norm == "nonorm":
        return values
    brought = np.empty_like(values)
    for measured, members in groups:
        offset, scale = MEASURES[norm](values[list(measured)])
        brought[list(members)] = (values[list(members)] - offset) / scale
    return brought


def _deviation(values: Float64) -> tuple[Float64, Float64]:
    deviation = values.std(axis=0)
    return values.mean(axis=0), np.where(deviation > _smallest(values), deviation + ADDED, 1.0)


def _range(values: Float64) -> tuple[Float64, Float64]:
    least = values.min(axis=0)
    span = values.max(axis=0) - least
    return least, np.where(span > _smallest(values), span, 1.0)


def _smallest(values: Float64) -> Float64:
    # Not a number for all dimensions: opensmile's intensity is of the order of a millionth, and no constant.
    return np.asarray(ROUNDING * np.abs(values).max(axis=0))


MEASURES: dict[str, Measure] = {"znorm": _deviation, "minmax": _range}
