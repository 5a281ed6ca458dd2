"""Who takes part in a round."""

from __future__ import annotations

from candor.federated.draws import draws
from candor.federated.errors import FederatedError

USUAL, LEAST = 0.1, 5
"""How many take part where nobody has said it: fed-ser-leakage's share, which is too little of few."""


def chosen(clients: int, asked: float | None, seed: int, round: int) -> list[int]:
    """Return who takes part in a round, drawn without replacement.

    It depends on these four numbers alone: not on names, on the order of anything, or on the machine.

    Parameters
    ----------
    clients
        How many could take part.
    asked
        How many are wanted, as `how_many` takes it.
    seed
        Of the run.
    round
        Its number.

    Returns
    -------
    list
        Places among those who could take part, ascending.
    """
    return sorted(draws(seed, "chosen", round).permutation(clients)[: how_many(clients, asked)].tolist())


def each_by_chance(clients: int, rate: float, seed: int, round: int) -> list[int]:
    """Return who takes part in a round where each client tosses a coin of its own; it may be nobody.

    Parameters
    ----------
    clients
        How many there are.
    rate
        The probability of each to take part.
    seed, round
        As for `chosen`.
    """
    tossed = draws(seed, "by chance", round).random(clients)
    return [client for client in range(clients) if tossed[client] < rate]


def how_many(clients: int, asked: float | None) -> int:
    """Return how many take part in a round.

    Parameters
    ----------
    clients
        How many could take part.
    asked
        A share up to 1, of which the whole part is taken but at least one, as fed-ser-leakage does; a number above 1,
        of which there are at most all; or None for a tenth, but five at least.

    >>> how_many(72, 0.1), how_many(5, 0.1), how_many(5, 1), how_many(5, 3), how_many(2, 3)
    (7, 1, 5, 3, 2)
    >>> how_many(72, None), how_many(19, None), how_many(3, None)
    (7, 5, 3)
    """
    if asked is None:
        return min(clients, max(LEAST, int(USUAL * clients)))
    return min(clients, max(1, int(asked * clients)) if asked <= 1 else int(asked))


def check_asked(clients: int, asked: float | None) -> None:
    """Refuse a run that asks for more clients in each round than there are in all.

    Towards its end a run may have fewer left who still have something to learn from; that is not refused.

    Raises
    ------
    FederatedError
        When more are asked for than there are.
    """
    if asked is not None and asked > max(clients, 1):
        raise FederatedError(
            f"clients_per_round asks for {int(asked)} clients, but there are {clients}; "
            f"lower it to {clients}, or to 1 for all of them"
        )
