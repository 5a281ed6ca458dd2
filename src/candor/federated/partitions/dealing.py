"""Clients that are made up: examples dealt out with labels or amounts that differ, or evenly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from candor.federated.draws import draws
from candor.federated.errors import FederatedError
from candor.federated.partitions.groups import Shares, by_name

LEAST = 2
"""Examples of a client that is made up: one to learn from, one to judge models on."""


def by_label(labels: Mapping[int, str], clients: int, concentration: float, seed: int) -> Shares:
    r"""Deal out each class by shares of its own, so that clients differ in their labels, and in their amounts.

    .. math:: p_k \sim \mathrm{Dirichlet}(\alpha, \dots, \alpha)

    The examples of class k are shuffled and cut by :math:`p_k`, a share per client. No example is left over. A client
    that got fewer than two takes the rest, an example at a time, from whoever has most.

    Parameters
    ----------
    labels
        The class of each example.
    clients
        How many.
    concentration
        :math:`\alpha`: the smaller, the more clients differ.
    seed
        Of shares and shuffles.

    References
    ----------
    .. [1] M. Yurochkin et al., "Bayesian nonparametric federated learning of neural networks", ICML 2019.
    .. [2] T.-M. H. Hsu, H. Qi, M. Brown, "Measuring the effects of non-identical data distribution for federated visual
       classification", arXiv:1909.06335. There each client has a distribution over classes of its own instead, and
       all have as many examples.
    """
    return _by_shares(list(by_name(labels).values()), clients, concentration, draws(seed, "dirichlet"))


def by_amount(numbers: Sequence[int], clients: int, concentration: float, seed: int) -> Shares:
    """Deal out examples of any label by shares that follow a Dirichlet distribution, two at least to everyone.

    Parameters
    ----------
    numbers
        The examples.
    clients, concentration, seed
        As for `by_label`.
    """
    return _by_shares([sorted(numbers)], clients, concentration, draws(seed, "quantity"))


def evenly(numbers: Sequence[int], clients: int, seed: int) -> Shares:
    """Deal out examples at random, as many to each client as to any other, or one more.

    Parameters
    ----------
    numbers
        The examples.
    clients, seed
        As for `by_label`.
    """
    _require_enough(len(numbers), clients)
    shuffled = draws(seed, "iid").permutation(np.sort(np.asarray(numbers)))
    return _named([own.tolist() for own in np.array_split(shuffled, clients)])


def _by_shares(
    piles: Sequence[Sequence[int]], clients: int, concentration: float, generator: np.random.Generator
) -> Shares:
    """Cut each pile by shares of its own and give a part to every client."""
    _require_enough(sum(map(len, piles)), clients)
    hands: list[list[int]] = [[] for _ in range(clients)]
    for pile in piles:
        shuffled = generator.permutation(np.asarray(pile))
        ends = np.cumsum(generator.dirichlet(np.full(clients, concentration)))[:-1] * len(pile)
        for hand, own in zip(hands, np.split(shuffled, ends.astype(int)), strict=True):
            hand += own.tolist()
    _level_up(hands, generator)
    return _named(hands)


def _level_up(hands: Sequence[list[int]], generator: np.random.Generator) -> None:
    """Give to those who have too little, from whoever has most at the time."""
    for hand in hands:
        while len(hand) < LEAST:
            richest = max(hands, key=len)
            hand.append(richest.pop(int(generator.integers(len(richest)))))


def _require_enough(examples: int, clients: int) -> None:
    if examples < LEAST * clients:
        raise FederatedError(
            f"clients is {clients}, but {examples} examples are enough for {examples // LEAST} of {LEAST} each; "
            "set it lower"
        )


def _named(hands: Sequence[list[int]]) -> Shares:
    digits = len(str(len(hands) - 1))
    return {f"client_{number:0{digits}}": hand for number, hand in enumerate(hands)}
