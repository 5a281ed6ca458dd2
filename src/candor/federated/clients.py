"""Who takes part: the clients of a fold and what each of them holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    """A participant and the examples it holds, by their number in the workload.

    Parameters
    ----------
    name
        Unlike that of any other client.
    person
        Whose data it holds, where it is one person's; blank otherwise.
    train, dev
        What it learns from, and what it keeps to judge models on. No example is in both, or with two clients.
    """

    name: str
    person: str
    train: tuple[int, ...]
    dev: tuple[int, ...]
