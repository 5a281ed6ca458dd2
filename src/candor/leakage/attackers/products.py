"""Inner products between standardised updates, in as much memory as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from candor.leakage.layers import Layer
from candor.leakage.updates import Float32, Standard, Updates

MEMORY = 256 * 2**20
"""Bytes of shadow updates that are in memory at once; a layer of all of them may have far more."""

SHORTEST = 1e-5
"""Directions of which less is there, relative to the longest, hold errors of rounding."""


@dataclass(frozen=True)
class Products:
    r"""What a linear attacker needs to know of updates: :math:`\langle x_i, x_j\rangle / D` of D standardised numbers.

    Parameters
    ----------
    shadow
        Between shadow updates, [shadow, shadow].
    others
        Between other updates and those, [updates, shadow], for each set of others.
    size
        D.
    """

    shadow: Float32
    others: tuple[Float32, ...]
    size: int


def products(
    shadow: Updates, others: Sequence[Updates], layer: Layer, scale: Standard, memory: int = MEMORY
) -> Products:
    """Return the products of one layer.

    The numbers of the layer are gone through in stripes, and for each stripe all updates are read once more: no more
    than a stripe of the shadow's is ever in memory.

    Parameters
    ----------
    shadow, others
        The updates, and sets of others.
    layer
        Which layer.
    scale
        How it is standardised.
    memory
        Bytes that a stripe may have.
    """
    among, *across = (torch.zeros(len(updates), len(shadow)) for updates in (shadow, *others))
    width = max(1, memory // (4 * len(shadow)))
    for start in range(0, layer.size, width):
        stripe = slice(start, start + width)
        own = torch.empty(len(shadow), min(width, layer.size - start))
        for places, values in shadow.blocks(layer, range(len(shadow))):
            own[places] = torch.from_numpy(scale.brought(values)[:, stripe])
        among.addmm_(own, own.T)
        for updates, found in zip(others, across, strict=True):
            for places, values in updates.blocks(layer, range(len(updates))):
                found[places].addmm_(torch.from_numpy(scale.brought(values)[:, stripe]), own.T)
    divided = (found.div_(layer.size).numpy() for found in across)
    return Products(among.div_(layer.size).numpy(), tuple(divided), layer.size)


def together(one: Products, other: Products) -> Products:
    """Return the products of two layers as if they were one, in which numbers weigh the same; the first changes."""
    size = one.size + other.size
    for own, more in zip((one.shadow, *one.others), (other.shadow, *other.others), strict=True):
        own *= np.float32(one.size / size)
        own += np.float32(other.size / size) * more
    return Products(one.shadow, one.others, size)


@dataclass(frozen=True)
class Coordinates:
    """Updates in coordinates in which they have the same inner products, but which are no more than the updates."""

    shadow: Float32
    others: tuple[Float32, ...]

    @classmethod
    def of(cls, found: Products) -> Coordinates:
        """Return coordinates along the directions in which shadow updates lie, the longest first."""
        lengths, directions = (own.numpy() for own in torch.linalg.eigh(torch.from_numpy(found.shadow)))
        kept = lengths > SHORTEST * lengths[-1]
        lengths, directions = lengths[kept][::-1], directions[:, kept][:, ::-1]
        roots = np.sqrt(lengths)
        return cls(directions * roots, tuple(own @ (directions / roots) for own in found.others))
