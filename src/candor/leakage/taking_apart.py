r"""Examples taken out of the gradient of a dense network, one by one and exactly.

The gradient of the second layer's weights is a sum over examples, :math:`\sum_i \delta_i a_i^T`, where a is what ReLU
and dropout let through of the first layer. So its rows span the space of all a, and each of these stands out in there:
it has no negative number, and a zero in every unit that ReLU or dropout has closed, about half of all. In the cone of
all that is not negative the examples are edges at which very many faces meet, one for each closed unit. A linear
programme that asks for a small sum ends on such an edge more often than not. What closes units helps: dropout makes
this easier, not harder.

What is found on an edge is a direction. Its length, and the input behind it, are what the open units of the known first
layer come out as, for an input in the space that the rows of the first layer's gradient span: linear equations, of
which there are more than unknowns. Were it no example, they would not hold. With a the rest of the network is known as
well, and the label is the one for which :math:`\delta` lies in the space of the columns. Then the example is taken out,
and what is left has one example less.

That ReLU gives inputs away exactly is due to SPEAR (Dimitrov et al., NeurIPS 2024), which looks for rows of the first
layer's gradient whose errors vanish, in a time that grows exponentially with examples. Here what is searched is not
negative, which linear programmes find at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linprog

from candor.leakage.dense_gradients import DenseNetwork, Gradient, one_hot

TRIES = 64
"""Edges that are looked at before the search for another example is given up."""

SURE = 2e-3
LIKELY = 0.05
"""How far an edge may be from an example: the first that is nearer than the one is taken, else the nearest if it is
nearer than the other. Gradients in half precision leave some thousandths; so where nothing was sure, what is twice as
far as the nearest counts as sure from there on, which saves looking at all edges for every example."""

CLOSED = 0.01
"""A unit below this part of the largest counts as closed when an edge was just found."""

OPEN = 0.05
"""Units above this part of the largest are what an input is sought by; smaller ones may be noise."""

LABEL_WEIGHT = 0.2
"""Of the distance of errors from the space of columns. It is larger, as errors of well-learned examples are small."""

NOISE = (1e-6, 1e-2)
"""Bounds of the noise that is reckoned with, relative to the weakest example."""


@dataclass(frozen=True)
class Taken:
    """An example that was taken out of a gradient.

    Parameters
    ----------
    inputs
        [dimensions].
    first
        What ReLU and dropout let through of the first layer, [width].
    label
        Its class.
    distance
        How far it was from being an example; 0: it explains the gradient exactly.
    """

    inputs: torch.Tensor
    first: torch.Tensor
    label: int
    distance: float


def take_apart(network: DenseNetwork, gradient: Gradient, examples: int, seed: int) -> list[Taken]:
    """Return the examples that can be taken out of a gradient; of none that are there, too, where there is no way.

    There is none without a second hidden layer, as wide as there are examples at least.

    Parameters
    ----------
    network
        What the client was given.
    gradient
        Summed over its examples.
    examples
        How many there are.
    seed
        Of the order in which edges are looked for.
    """
    if len(network.weights) < 3 or examples >= min(network.weights[1].shape):
        return []
    spaces = _Spaces.of(gradient, examples)
    random = np.random.default_rng(seed)
    rest, found, sure = gradient[2], list[Taken](), SURE
    while len(found) < spaces.rank:
        taken = _next(network, spaces, rest, found, sure, random)
        if taken is None:
            break
        found.append(taken)
        if taken.distance > sure:
            sure = 2 * taken.distance
        rest = rest - torch.outer(_error_of_second(network, taken.first, taken.label), taken.first)
    return found


@dataclass(frozen=True)
class _Spaces:
    """Orthonormal bases, [width, rank], of what a gradient's matrices span, as far as it rises above the noise.

    Parameters
    ----------
    first
        Of what the first layer lets through.
    inputs
        Of the inputs.
    errors
        Of the errors of the second layer.
    """

    first: torch.Tensor
    inputs: torch.Tensor
    errors: torch.Tensor

    @classmethod
    def of(cls, gradient: Gradient, examples: int) -> _Spaces:
        errors, first = _spanned(gradient[2], examples)
        return cls(first, _spanned(gradient[0], examples)[1], errors)

    @property
    def rank(self) -> int:
        """Return how many examples can be told apart."""
        return self.first.shape[1]


def _spanned(matrix: torch.Tensor, examples: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return bases of the columns and rows of a matrix that is a sum over examples."""
    columns, values, rows = torch.linalg.svd(matrix, full_matrices=False)
    # Whatever there is beyond the examples is noise.
    noise = 10 * values[examples] if examples < len(values) else 0.0
    rank = int((values[:examples] > max(float(noise), 1e-6 * float(values[0]))).sum())
    return columns[:, :rank], rows[:rank].T


def _next(
    network: DenseNetwork,
    spaces: _Spaces,
    rest: torch.Tensor,
    found: list[Taken],
    sure: float,
    random: np.random.Generator,
) -> Taken | None:
    """Return the next example, if there is one to be found: the first that is sure, or else the nearest."""
    left = spaces.rank - len(found)
    _, values, rows = torch.linalg.svd(rest, full_matrices=False)
    noise = float((values[left] / values[left - 1]).clamp(*NOISE)) if left < len(values) else NOISE[0]
    basis = rows[:left].T
    lengths = basis.norm(dim=1)
    # Units that all examples have closed are noise alone, and would close the cone as well.
    live = lengths > 10 * noise * lengths.max()
    best: Taken | None = None
    for unit in random.permutation(torch.nonzero(live).flatten().numpy())[:TRIES]:
        edge = _edge(basis[live].numpy(), basis[unit].numpy(), noise)
        taken = None if edge is None else _example_on(network, spaces, basis @ torch.from_numpy(edge))
        if taken is None or taken.distance > LIKELY or any(_same(taken.first, own.first) for own in found):
            continue
        if taken.distance < sure:
            return taken
        if best is None or taken.distance < best.distance:
            best = taken
    return best


def _edge(basis: np.ndarray, unit: np.ndarray, slack: float) -> np.ndarray | None:
    """Return, by its coordinates, the direction without negative numbers that has the least sum for a unit's value.

    Parameters
    ----------
    basis
        Of the space, [width, dimensions].
    unit
        The row of the unit.
    slack
        How negative numbers may be, for a value of the unit of 1.
    """
    width = len(basis)
    # A vertex is wanted, and it is not to depend on how fast the machine is.
    how = {"method": "highs-ds", "options": {"maxiter": 20 * width}}
    found = linprog(basis.sum(0), -basis, np.full(width, slack), unit[None], [1.0], bounds=(None, None), **how)
    return found.x if found.status == 0 else None


def _example_on(network: DenseNetwork, spaces: _Spaces, direction: torch.Tensor) -> Taken | None:
    """Return the example on an edge, where there may be one.

    Closed units say what the direction is exactly; that says what the input is; and that which units are closed.
    """
    closed = direction.abs() < CLOSED * direction.max()
    inputs = first = direction
    distance = 1.0
    for _ in range(3):
        if closed.sum() < spaces.rank:
            return None
        direction = spaces.first @ torch.linalg.svd(spaces.first[closed])[2][-1]
        direction = direction / direction[direction.abs().argmax()]
        solved = _input_behind(network, spaces, direction, (direction > OPEN) & ~closed)
        if solved is None:
            return None
        inputs, length = solved
        through = torch.relu(network.before_first(inputs)) / network.kept
        first = torch.where(length * direction > through / 2, through, 0.0) if network.kept < 1 else through
        if not first.any():
            return None
        distance = float((length * direction - first).norm() / first.norm())
        if torch.equal(first == 0, closed):
            break
        closed = first == 0
    label, off = _label(network, spaces, first)
    return Taken(inputs, first, label, max(distance, LABEL_WEIGHT * off))


def _input_behind(
    network: DenseNetwork, spaces: _Spaces, direction: torch.Tensor, opened: torch.Tensor
) -> tuple[torch.Tensor, float] | None:
    """Return the input that opens units in a direction, and the length that this has then.

    It is one of the space of inputs, x = Rc, so that W R c + b = kept * length * direction in all open units.
    """
    unknown = spaces.inputs.shape[1] + 1
    if opened.sum() <= unknown:
        return None
    weights = network.weights[0][opened] @ spaces.inputs
    equations = torch.cat([weights, -network.kept * direction[opened, None]], dim=1)
    *coordinates, length = torch.linalg.lstsq(equations, -network.biases[0][opened, None]).solution.flatten()
    if length <= 0:
        return None
    return spaces.inputs @ torch.stack(coordinates), float(length)


def _label(network: DenseNetwork, spaces: _Spaces, first: torch.Tensor) -> tuple[int, float]:
    """Return the label whose error lies nearest to the space of errors, and how far off it is, relative to its norm."""
    labels = torch.arange(network.classes)
    errors = network.errors(first.expand(len(labels), -1), one_hot(labels, len(labels)))[1]
    off = (errors - errors @ spaces.errors @ spaces.errors.T).norm(dim=1) / errors.norm(dim=1)
    best = int(off.argmin())
    return best, float(off[best])


def _error_of_second(network: DenseNetwork, first: torch.Tensor, label: int) -> torch.Tensor:
    return network.errors(first[None], one_hot(torch.tensor([label]), network.classes))[1][0]


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool(one @ other > 0.9999 * one.norm() * other.norm())
