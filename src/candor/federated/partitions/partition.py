"""The clients of a fold, whichever way its examples are divided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from candor.federated.clients import Client
from candor.federated.draws import draws
from candor.federated.errors import FederatedError
from candor.federated.partitions.dealing import by_amount, by_label, evenly
from candor.federated.partitions.groups import Shares, by_name, in_shards
from candor.federated.settings import Settings
from candor.federated.shares import whole_part

if TYPE_CHECKING:
    import pandas as pd

DEALT = ("iid", "dirichlet", "quantity")
"""Partitions that ask neither who speaks nor when."""

ENOUGH_SPEAKERS = 40
"""Speakers from which on `auto` makes each a client; fewer are cut into shards, as in fed-ser-leakage."""

ENOUGH_CLIPS = 20
"""Clips that a shard has at least, of a speaker who has as many as most; of smaller ones `auto` makes none."""


def among_people(partition: str, rows: pd.DataFrame, shards: int) -> str:
    """Return what a partition of speech stands for: `auto` by who takes part, others for themselves.

    Parameters
    ----------
    partition
        As the config says it.
    rows
        All examples of the dataset, with their `speaker`: what `auto` stands for does not differ from fold to fold.
    shards
        Into how many each speaker's would be cut.
    """
    if partition != "auto":
        return partition
    clips = rows.loc[rows["speaker"] != "", "speaker"].value_counts()
    few_speakers, much_speech = len(clips) < ENOUGH_SPEAKERS, clips.median() >= ENOUGH_CLIPS * shards
    return "speaker_shards" if few_speakers and much_speech else "speaker"


def clients_of(rows: pd.DataFrame, numbers: Sequence[int], partition: str, settings: Settings) -> list[Client]:
    """Return who takes part in a fold, in an order that names alone decide, and what each of them holds.

    Parameters
    ----------
    rows
        A row per example: `speaker`, `session`, `label`.
    numbers
        The examples that are divided; not those of the test.
    partition
        How: any but `auto`.
    settings
        How many clients, how unlike each other, what they keep to judge models on, and the seed.

    Raises
    ------
    FederatedError
        When examples do not say what they are to be divided by, or there are not two clients.
    """
    shares = _shares(rows, numbers, partition, settings)
    if len(shares) < 2:
        way_out = "Set clients to 2 or more" if partition in DEALT else f"Set it to {_others(partition)}"
        raise FederatedError(
            f"partition '{partition}' makes {len(shares)} client of {len(numbers)} examples, but a federation has two "
            f"at least. {way_out}"
        )
    speakers = rows["speaker"].tolist()
    return [_client(name, own, speakers, settings) for name, own in shares.items()]


def _shares(rows: pd.DataFrame, numbers: Sequence[int], partition: str, settings: Settings) -> Shares:
    """Return the examples of each client."""
    match partition:
        case "speaker":
            return by_name(_known(rows, numbers, "speaker", partition))
        case "speaker_shards":
            return in_shards(_known(rows, numbers, "speaker", partition), settings.shards, settings.seed)
        case "session":
            return by_name(_known(rows, numbers, "session", partition))
        case "dirichlet":
            labels = rows["label"].tolist()
            by_class = {number: str(labels[number]) for number in numbers}
            return by_label(by_class, settings.clients, settings.concentration, settings.seed)
        case "quantity":
            return by_amount(numbers, settings.clients, settings.concentration, settings.seed)
        case "iid":
            return evenly(numbers, settings.clients, settings.seed)
    raise FederatedError(f"partition is {partition!r}; allowed are {_others('')}")


def _known(rows: pd.DataFrame, numbers: Sequence[int], column: str, partition: str) -> Mapping[int, str]:
    """Return the speaker of each example, or its session; refuse examples that have none."""
    values = rows[column].tolist()
    names = {number: str(values[number]) for number in numbers}
    if unknown := sum(not name for name in names.values()):
        raise FederatedError(
            f"partition '{partition}' needs the {column} of every clip, but {unknown} of {len(numbers)} have none. "
            f"Set it to {_others(partition, column)}"
        )
    return names


def _others(partition: str, lacking: str = "") -> str:
    """Return in words the partitions that there are besides one, and besides those that ask for what is lacking."""
    everything = ("speaker", "speaker_shards", "session", *DEALT)
    names = [name for name in everything if name != partition and not (lacking and name.startswith(lacking))]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _client(name: str, numbers: Sequence[int], speakers: Sequence[str], settings: Settings) -> Client:
    """Return a client that keeps a share of its examples to judge models on, but learns from one at least."""
    shuffled = draws(settings.seed, "validation", name).permutation(sorted(numbers)).tolist()
    learned = max(1, whole_part(1 - settings.validation, len(numbers)))
    people = {speakers[number] for number in numbers}
    person = people.pop() if len(people) == 1 else ""
    return Client(name, person, tuple(sorted(shuffled[:learned])), tuple(sorted(shuffled[learned:])))
