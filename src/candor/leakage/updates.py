"""Updates of clients, read layer by layer as the gradients that an attacker takes them for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from candor.federated.draws import draws
from candor.federated.pseudo_gradient import gradient_of
from candor.federated.settings import Settings as Federation
from candor.leakage.layers import Layer
from candor.leakage.settings import SEED

Float32 = NDArray[np.float32]
Numbers = NDArray[np.intp]

AT_ONCE = 128
"""Updates that are decoded before they are handed on."""

ROUNDING = 1e-6
"""A number that changes by less, relative to its largest value, changes by errors of rounding."""

FARTHEST = 10.0
"""In deviations: a unit silent for all whom an attacker learned from may speak for others, and would drown the rest."""


@dataclass(frozen=True)
class Seen:
    """An update that an attacker sees.

    Parameters
    ----------
    federation
        Number of the federation: of the fold, or of the shadow.
    round, client
        When it was sent, and by whom.
    person
        Whose data the client holds.
    examples, steps
        What the client went through, which it tells the server.
    classes
        How many examples of each class the client has, in the order of the classes.
    noise
        Deviation of the noise that the client added, and that what is kept of the update lacks.
    """

    federation: int
    round: int
    client: str
    person: str
    examples: int
    steps: int
    classes: tuple[int, ...]
    noise: float = 0.0


class Kept(Protocol):
    """Where updates are kept."""

    def tensor(self, seen: Seen, name: str) -> np.ndarray:
        """Return one tensor of an update."""
        ...


class Updates:
    """Updates, by number.

    Parameters
    ----------
    seen
        Which.
    kept
        Where the numbers are.
    federation
        How the clients learned, which is known to who takes part: by it an update is taken for a gradient.
    as_sent
        Whether noise that an update lacks is added where it is read.
    """

    def __init__(self, seen: Sequence[Seen], kept: Kept, federation: Federation, as_sent: bool = False) -> None:
        self.seen = list(seen)
        self._kept, self._federation, self._as_sent = kept, federation, as_sent

    def __len__(self) -> int:
        return len(self.seen)

    @property
    def people(self) -> NDArray[np.str_]:
        """Whose each update is."""
        return np.array([own.person for own in self.seen])

    @property
    def lack_noise(self) -> bool:
        """Whether they were noised when they were sent, and are read here as they were before."""
        return not self._as_sent and any(own.noise for own in self.seen)

    def as_sent(self) -> Updates:
        """Return the same updates with the noise that they lack."""
        return Updates(self.seen, self._kept, self._federation, as_sent=True)

    def read(self, layer: Layer, number: int, drawing: int = 0) -> Float32:
        """Return one layer of an update, its weight row by row and its bias behind.

        Parameters
        ----------
        layer, number
            Of which update.
        drawing
            Of the noise that the update lacks, where it is read as it was sent.
        """
        own = self.seen[number]
        flat = np.concatenate([self._kept.tensor(own, name).reshape(-1) for name in layer.tensors])
        if self._as_sent and own.noise:
            drawn = draws(SEED, "noise", own.federation, own.round, own.client, layer.name, drawing)
            flat = flat + np.float32(own.noise) * drawn.standard_normal(len(flat), dtype=np.float32)
        return gradient_of(flat.astype(np.float32, copy=False), self._federation, own.examples, own.steps)

    def rows(self, layer: Layer, numbers: Sequence[int] | Numbers) -> Float32:
        """Return one layer of some updates, [updates, numbers]."""
        values = np.empty((len(numbers), layer.size), np.float32)
        for place, number in enumerate(numbers):
            values[place] = self.read(layer, int(number))
        return values

    def blocks(self, layer: Layer, numbers: Sequence[int] | Numbers) -> Iterator[tuple[slice, Float32]]:
        """Yield a layer of updates, a few at a time: their places among `numbers`, and [updates, numbers]."""
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            yield slice(start, start + len(some)), self.rows(layer, some)


class Standard:
    """The scale of a layer: mean and deviation of each of its numbers over the updates that an attacker learns from.

    Parameters
    ----------
    mean, deviation
        [numbers]. One that does not vary there has the mean deviation of the others.
    """

    def __init__(self, mean: Float32, deviation: Float32) -> None:
        self.mean, self.deviation = mean, deviation

    @classmethod
    def over(cls, updates: Updates, layer: Layer, numbers: Sequence[int] | Numbers) -> Standard:
        """Return the scale over some updates, which are gone through once."""
        first = updates.read(layer, int(numbers[0])).astype(np.float64)
        total, squares = np.zeros_like(first), np.zeros_like(first)
        for _, values in updates.blocks(layer, numbers):
            apart = values - first  # near the mean, so that squares lose nothing
            total += apart.sum(axis=0)
            squares += np.einsum("ij,ij->j", apart, apart)
        mean = total / len(numbers)
        deviation = np.sqrt(np.maximum(squares / len(numbers) - mean**2, 0.0))
        varies = deviation > ROUNDING * np.abs(first + mean)
        usual = deviation[varies].mean() if varies.any() else 1.0
        return cls((first + mean).astype(np.float32), np.where(varies, deviation, usual).astype(np.float32))

    def brought(self, values: Float32) -> Float32:
        """Return values on this scale, changed in place."""
        values -= self.mean
        values /= self.deviation
        return np.clip(values, -FARTHEST, FARTHEST, out=values)


def class_shares(updates: Updates) -> NDArray[np.float64]:
    """Return what share each class has at the client of each update, [updates, classes]."""
    counts = np.array([own.classes for own in updates.seen], dtype=np.float64)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
