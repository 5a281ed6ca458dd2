"""What each client holds, as a table tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from candor.federated.clients import Client

if TYPE_CHECKING:
    import pandas as pd


def held(
    clients: Sequence[Client], rows: pd.DataFrame, classes: Sequence[str], poisoned: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return a row per client: who it is, and how many examples of each class it holds.

    Gender and session are blank where a client's examples have several.

    Parameters
    ----------
    clients
        Who takes part.
    rows
        A row per example: `gender`, `session`, `label`.
    classes
        What is told apart, in order.
    poisoned
        Names of the clients that send poison.
    """
    genders, sessions, labels = (rows[column].tolist() for column in ("gender", "session", "label"))
    table = []
    for client in clients:
        numbers = client.train + client.dev
        counts = Counter(labels[number] for number in numbers)
        table.append(
            {
                "client": client.name,
                "person": client.person,
                "gender": _shared(genders, numbers),
                "session": _shared(sessions, numbers),
                "poisoned": "yes" if client.name in poisoned else "no",
                "train": len(client.train),
                "dev": len(client.dev),
                **{f"n_{name}": counts[name] for name in classes},
            }
        )
    return table


def _shared(values: Sequence[str], numbers: Sequence[int]) -> str:
    own = {values[number] for number in numbers}
    return str(own.pop()) if len(own) == 1 else ""
