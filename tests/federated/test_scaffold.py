"""SCAFFOLD against its paper's lines written out in numpy, and against what it is for."""

import numpy as np
import pytest
import torch

from candor.federated.local import Returned
from candor.federated.rules.registry import rule_of
from candor.federated.settings import Settings
from candor.federated.vectors import Layout, Piece, Weights

SIZE = 6
NOTHING = torch.empty(0), torch.empty(0, dtype=torch.int64)


class Bowl:
    """A loss with one lowest place: (w - place)' curvature (w - place) / 2."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        root = random.standard_normal((SIZE, SIZE))
        self.curvature, self.place = root @ root.T / SIZE + np.eye(SIZE), random.standard_normal(SIZE)

    def gradient(self, w: np.ndarray) -> np.ndarray:
        return self.curvature @ (w - self.place)


def by_the_paper(bowls: list[Bowl], rounds: list[dict[int, int]], rate: float) -> list[np.ndarray]:
    """Algorithm 1 with option II and a server's learning rate of 1; a round says who takes how many steps."""
    x, c = np.zeros(SIZE), np.zeros(SIZE)
    own = [np.zeros(SIZE) for _ in bowls]
    course = []
    for steps_of in rounds:
        moves, changes = [], []
        for client, steps in steps_of.items():
            y = x.copy()
            for _ in range(steps):
                y = y - rate * (bowls[client].gradient(y) - own[client] + c)
            new = own[client] - c + (x - y) / (steps * rate)
            moves.append(y - x)
            changes.append(new - own[client])
            own[client] = new
        x = x + sum(moves) / len(steps_of)
        c = c + len(steps_of) / len(bowls) * (sum(changes) / len(steps_of))
        course.append(x)
    return course


def by_the_rule(
    bowls: list[Bowl], rounds: list[dict[int, int]], rate: float, name: str, examples: list[int]
) -> list[np.ndarray]:
    """The same by one of our rules."""
    layout = Layout((Piece("w", (SIZE,), 0),), (), ())
    rule = rule_of(Settings(name, optimizer="sgd", learning_rate=rate), layout)
    weights, state, course = Weights(torch.zeros(SIZE), *NOTHING), rule.begin(len(bowls)), []
    for number, steps_of in enumerate(rounds, start=1):
        gathered = rule.gather()
        for client, steps in steps_of.items():
            start = y = weights.parameters.double().numpy()
            shift = rule.shift(state, client)
            for _ in range(steps):
                y = y - rate * (bowls[client].gradient(y) + (0 if shift is None else shift.numpy()))
            update = torch.from_numpy(y - start).float()[None]
            returned = Returned([client], update, *(one[None] for one in NOTHING), [examples[client]], [steps], [0.0])
            gathered.add(returned)
            rule.remember(state, returned)
        weights = rule.step(weights, gathered, state, number)
        course.append(weights.parameters.double().numpy())
    return course


def test_rounds_are_those_of_the_paper():
    """Some take part in each round, with unequal numbers of steps, and of examples, which are to be no matter."""
    random = np.random.default_rng(4)
    bowls = [Bowl(seed) for seed in range(8)]
    rounds = [{int(client): int(random.integers(1, 6)) for client in random.permutation(8)[:3]} for _ in range(12)]
    found = by_the_rule(bowls, rounds, 0.05, "scaffold", list(range(10, 18)))
    np.testing.assert_allclose(found, by_the_paper(bowls, rounds, 0.05), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize(("name", "least", "most"), [("scaffold", 0, 1e-4), ("fed_avg", 1e-2, 1)])
def test_clients_who_differ_are_led_to_what_is_best_for_all_where_fed_avg_is_not(name: str, least: float, most: float):
    bowls = [Bowl(seed) for seed in range(4)]
    pulls = sum(bowl.curvature @ bowl.place for bowl in bowls)
    best = np.linalg.solve(sum(bowl.curvature for bowl in bowls), pulls)
    rounds = [dict.fromkeys(range(4), 10)] * 150
    found = by_the_rule(bowls, rounds, 0.03, name, [20] * 4)[-1]
    assert least <= float(np.linalg.norm(found - best)) <= most


def test_before_the_first_round_nothing_is_corrected():
    rule = rule_of(Settings("scaffold", optimizer="sgd"), Layout((Piece("w", (SIZE,), 0),), (), ()))
    assert torch.equal(rule.shift(rule.begin(5), 4), torch.zeros(SIZE))
