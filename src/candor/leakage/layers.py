"""The layers of a model, as whoever sees its updates tells them apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """A weight and the bias that belongs to it.

    Parameters
    ----------
    name
        Of the module, such as ``dense.0``.
    weight, bias
        Names of the tensors; the bias blank where there is none.
    rows, columns
        Shape of the weight as a matrix: a row per output.
    biases
        How many numbers the bias has.
    """

    name: str
    weight: str
    bias: str
    rows: int
    columns: int
    biases: int

    @property
    def tensors(self) -> tuple[str, ...]:
        """Return the names of its tensors."""
        return (self.weight, self.bias) if self.bias else (self.weight,)

    @property
    def size(self) -> int:
        """Return how many numbers it has."""
        return self.rows * self.columns + self.biases


def layers_of(shapes: Mapping[str, Sequence[int]]) -> list[Layer]:
    """Return the layers of a model in its order.

    What is no matrix, such as the weights of a mix of layers or a normalisation, is none: nobody has attacked those.

    >>> [layer.name for layer in layers_of({"mix": [3], "a.weight": [4, 2], "a.bias": [4], "b.weight": [2, 4, 1]})]
    ['a', 'b']

    Parameters
    ----------
    shapes
        The shape of each tensor that is sent.
    """
    found = []
    for name, shape in shapes.items():
        if len(shape) < 2:
            continue
        module = name.removesuffix(".weight")
        bias = f"{module}.bias"
        columns = math.prod(shape[1:])
        there = bias in shapes
        found.append(Layer(module, name, bias if there else "", shape[0], columns, shapes[bias][0] if there else 0))
    return found
