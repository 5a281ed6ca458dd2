"""Where updates are kept: in the histories of a run, and in the packs of shadow federations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from candor.federated.draws import draws
from candor.federated.settings import Settings as Federation
from candor.leakage.layers import Layer, layers_of
from candor.leakage.settings import SEED
from candor.leakage.updates import Seen, Updates
from candor.tables.base import TableError
from candor.tables.federated_history import FederatedHistory
from candor.tables.leakage import SHADOW_JSON, SHADOW_PACK, SHADOW_SCHEMA, ShadowClients, ShadowUpdates
from candor.tables.packing import IndexedPack

if TYPE_CHECKING:
    import pandas as pd


class Victims:
    """The updates of one fold of a run.

    Parameters
    ----------
    fold
        Its number.
    folder
        Where its history lies.
    """

    def __init__(self, fold: int, folder: Path) -> None:
        self.fold, self.history = fold, FederatedHistory(folder)

    @cached_property
    def settings(self) -> Federation:
        """How clients learn."""
        return Federation.of(self.history.facts["options"])

    @property
    def layers(self) -> list[Layer]:
        """The layers of which updates are kept."""
        shapes = self.history.facts["layers"]
        return layers_of({name: shapes[name] for name in self.history.layers})

    @property
    def classes(self) -> list[str]:
        """What the clients tell apart."""
        return list(self.history.facts["classes"])

    def tensor(self, seen: Seen, name: str) -> np.ndarray:
        """Return one tensor of an update."""
        return self.history.update(seen.round, seen.client, name)[name]

    def seen(self, people: Mapping[str, Any]) -> Iterator[Seen]:
        """Yield the updates of some people."""
        clients = _clients(self.history.clients, self.classes)
        for round, client in self.history.updates():
            person, classes = clients[client]
            entry = self.history.entry(round, client)
            if person in people and entry.steps:
                yield Seen(self.fold, round, client, person, entry.examples, entry.steps, classes)

    @cached_property
    def people(self) -> list[str]:
        """Whose clients sent any update that is kept; a client of several people is left out."""
        people = dict(zip(self.history.clients["client"], self.history.clients["person"], strict=True))
        return sorted({people[client] for _, client in self.history.updates()} - {""})


class AllVictims:
    """The updates of several folds of a run, whose attackers learn from the same people.

    Parameters
    ----------
    several
        The folds.
    """

    def __init__(self, several: Sequence[Victims]) -> None:
        self._several = {own.fold: own for own in several}
        first = several[0]
        self.layers, self.settings = first.layers, first.settings

    @property
    def folds(self) -> list[int]:
        """Their numbers."""
        return list(self._several)

    @property
    def people(self) -> list[str]:
        """Whose clients take part in any of them."""
        return sorted({person for own in self._several.values() for person in own.people})

    def tensor(self, seen: Seen, name: str) -> np.ndarray:
        """Return one tensor of an update."""
        return self._several[seen.federation].tensor(seen, name)

    def updates(self, people: Mapping[str, Any]) -> Updates:
        """Return the updates of some people."""
        found = [seen for own in self._several.values() for seen in own.seen(people)]
        return Updates(found, self, self.settings)


class Shadows:
    """The updates of shadow federations.

    Parameters
    ----------
    folder
        Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        facts = folder / Path(SHADOW_JSON).name
        self.facts: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        schema = self.facts.get("schema")
        if schema != SHADOW_SCHEMA:
            raise TableError(f"{facts}: holds {schema}, but {SHADOW_SCHEMA} is needed; delete it to have it rebuilt")
        self.folder = folder

    @cached_property
    def _index(self) -> pd.DataFrame:
        return ShadowUpdates.read(self.folder / Path(ShadowUpdates.path).name)

    @cached_property
    def _pack(self) -> IndexedPack:
        return IndexedPack(self.folder / Path(SHADOW_PACK).name, self._index, ("model", "round", "client"))

    def tensor(self, seen: Seen, name: str) -> np.ndarray:
        """Return one tensor of an update."""
        return self._pack.read(self._pack.blocks[seen.federation, seen.round, seen.client][name])

    def updates(self, people: Mapping[str, Any], most: int | None = None) -> Updates:
        """Return the updates of some people, before any noise.

        Of more than so many some, drawn so that federations, rounds and clients have all the same chance.
        """
        table = ShadowClients.read(self.folder / Path(ShadowClients.path).name)
        names = self.facts["classes"]
        clients = {model: _clients(own, names) for model, own in table.groupby("model")}
        sent = self._index[["model", "round", "client", "examples", "steps", "noise"]].drop_duplicates()
        found = []
        for model, round, client, examples, steps, noise in sent.itertuples(index=False):
            person, classes = clients[model][client]
            if person in people and steps:
                found.append(Seen(model, round, client, person, examples, steps, classes, noise))
        return Updates(some_of(found, most), self, Federation.of(self.facts["options"]))

    @cached_property
    def people(self) -> list[str]:
        """Whose clients sent any update that is kept."""
        table = ShadowClients.read(self.folder / Path(ShadowClients.path).name)
        people = dict(zip(zip(table["model"], table["client"], strict=True), table["person"], strict=True))
        sent = self._index[["model", "client"]].drop_duplicates().itertuples(index=False, name=None)
        return sorted({people[one] for one in sent} - {""})


def some_of(seen: Sequence[Seen], most: int | None) -> Sequence[Seen]:
    """Return so many updates at most, drawn from them, in their order.

    Every so many-th would not do: where the same clients take part in every round it would be the same ones' each time.
    """
    if most is None or len(seen) <= most:
        return seen
    drawn = draws(SEED, "some of them").permutation(len(seen))[:most]
    return [seen[place] for place in np.sort(drawn)]


def _clients(table: pd.DataFrame, classes: Sequence[str]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return of each client whose data it holds, and how many examples of each class."""
    counts = table[[f"n_{name}" for name in classes]].to_numpy().tolist()
    return {
        client: (person, tuple(own))
        for client, person, own in zip(table["client"], table["person"], counts, strict=True)
    }
