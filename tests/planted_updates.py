"""Updates that are made up: of as many people as one likes, with or without something planted in one layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from candor.federated.settings import Settings as Federation
from candor.leakage.layers import Layer, layers_of
from candor.leakage.updates import Seen, Updates

SHAPES = {
    "dense.0.weight": (32, 40),
    "dense.0.bias": (32,),
    "dense.1.weight": (6, 32),
    "dense.1.bias": (6,),
}
LAYERS: list[Layer] = layers_of(SHAPES)
GRADIENTS = Federation(model_type="fed_sgd", optimizer="none", batch_size=None, learning_rate=0.1)


class InMemory:
    """Updates in memory."""

    def __init__(self, tensors: Mapping[tuple[int, int, str], Mapping[str, np.ndarray]]) -> None:
        self.tensors = tensors

    def tensor(self, seen: Seen, name: str) -> np.ndarray:
        return np.asarray(self.tensors[seen.federation, seen.round, seen.client][name])


def planted(
    people: Mapping[str, str],
    rounds: int,
    strength: float,
    seed: int,
    federations: int = 1,
    layer: str = "dense.0",
    classes: tuple[int, ...] = (5, 5),
    noise: float = 0.0,
) -> Updates:
    """Return an update of each person in each round: noise, and on women's a pattern in one layer.

    Parameters
    ----------
    people
        Who, and of which gender.
    rounds, federations
        How many.
    strength
        Of the pattern, in deviations of the noise.
    seed
        Of the noise; the pattern is always the same.
    layer
        Where the pattern is.
    classes
        Examples of each class, of everybody.
    noise
        That clients have added, and that these updates lack.
    """
    pattern = np.random.default_rng(99).choice([-1.0, 1.0], size=SHAPES[f"{layer}.weight"])
    generator = np.random.default_rng(seed)
    tensors, seen = {}, []
    for federation in range(1, federations + 1):
        for round in range(1, rounds + 1):
            for person, gender in people.items():
                own = {name: generator.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
                if gender == "female":
                    own[f"{layer}.weight"] += (strength * pattern).astype(np.float32)
                tensors[federation, round, person] = own
                seen.append(Seen(federation, round, person, person, 10, 1, classes, noise))
    return Updates(seen, InMemory(tensors), GRADIENTS)


def half_women(number: int, lead: str) -> dict[str, str]:
    return {f"{lead}{place:02d}": "female" if place % 2 else "male" for place in range(number)}
