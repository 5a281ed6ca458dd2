"""The complete history of a federated training, as whoever looks into it reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from candor.made_of import file_hash
from candor.tables.base import Table, TableError
from candor.tables.federated import (
    MODEL,
    MODELS,
    RUN_JSON,
    RUN_SCHEMA,
    STANDALONE,
    UPDATES,
    ClientsHeld,
    FederatedPredictions,
    Judged,
    ModelIndex,
    Participants,
    Rounds,
    StandaloneModels,
    UpdateIndex,
    of_standalone,
)
from candor.tables.packing import Block, IndexedPack

if TYPE_CHECKING:
    import pandas as pd

Tensors = dict[str, np.ndarray]

ALWAYS: tuple[type[Table], ...] = (ClientsHeld, Rounds, Participants, Judged, FederatedPredictions)
"""Tables that every run has."""

WHERE_KEPT: tuple[tuple[type[Table], str], ...] = (
    (UpdateIndex, UPDATES),
    (ModelIndex, MODELS),
    (StandaloneModels, STANDALONE),
)
"""Tables that are there where a run keeps what they tell of, and what that is."""


@dataclass(frozen=True)
class Entry:
    """An update that is kept, and the work behind it.

    Parameters
    ----------
    round, client
        When it was sent, and by whom.
    examples
        How many examples the client went through, each time counted.
    steps
        How many steps it took.
    """

    round: int
    client: str
    examples: int
    steps: int


class FederatedHistory:
    """All that is kept of one fold of a federated run.

    Nothing is read before it is asked for. Updates and models of rounds lie in packs that are mapped into memory, and
    only what is asked for is decompressed; it comes as float32, whole numbers as int64.

    Parameters
    ----------
    folder
        The fold's.

    Raises
    ------
    TableError
        When something that every run has is missing, or is of another version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._sound: set[Path] = set()
        self.facts = _facts(self._file(RUN_JSON))
        for table in ALWAYS:
            _recognise(table, self._file(table.path))
        for table, companion in WHERE_KEPT:
            paths = [self._file(table.path), self._file(companion)]
            there = [path for path in paths if path.exists()]
            if len(there) == 1:
                lacking = next(path for path in paths if path not in there)
                raise TableError(
                    f"{lacking} is missing, but {there[0].name} is there; delete that to have both rebuilt"
                )
            if there:
                _recognise(table, paths[0])

    @cached_property
    def clients(self) -> pd.DataFrame:
        """Who takes part: rows of `ClientsHeld`."""
        return ClientsHeld.read(self._file(ClientsHeld.path))

    @cached_property
    def rounds(self) -> pd.DataFrame:
        """How the global model went: rows of `Rounds`."""
        return Rounds.read(self._file(Rounds.path))

    @cached_property
    def participants(self) -> pd.DataFrame:
        """Who was chosen, and what came of it: rows of `Participants`."""
        return Participants.read(self._file(Participants.path))

    @cached_property
    def judged(self) -> pd.DataFrame:
        """How the global model does on the data of each client: rows of `Judged`."""
        return Judged.read(self._file(Judged.path))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """What the selected model says about test speakers: rows of `FederatedPredictions`."""
        return FederatedPredictions.read(self._file(FederatedPredictions.path))

    @cached_property
    def standalone_models(self) -> pd.DataFrame:
        """What clients reach alone: rows of `StandaloneModels`."""
        return StandaloneModels.read(self._kept(StandaloneModels.path, "keep: {standalone: true}"))

    @property
    def layers(self) -> list[str]:
        """Names of the tensors that are kept of updates, in the order of the model."""
        return list(self._first_update)

    def updates(self) -> Iterator[tuple[int, str]]:
        """Yield round and client of every update that is kept, in the order in which they came."""
        yield from self._entries

    def entry(self, round: int, client: str) -> Entry:
        """Return what there is to know of an update besides its numbers.

        Raises
        ------
        TableError
            When it is not kept; so do all that ask for something that is not kept.
        """
        if (round, client) not in self._entries:
            raise TableError(f"{self.folder} keeps no update of client {client} in round {round}")
        return self._entries[round, client]

    def update(self, round: int, client: str, layer: str | None = None) -> Tensors:
        """Return what a client sent in a round, by tensor; only one of them, where that is named."""
        entry = self.entry(round, client)
        found = self._updates.blocks[entry.round, entry.client]
        return {name: self._updates.read(found[name]) for name in (found if layer is None else [self._known(layer)])}

    def stack(
        self, layer: str, rounds: Iterable[int] | None = None, clients: Iterable[str] | None = None
    ) -> tuple[np.ndarray, pd.DataFrame]:
        """Return one layer of many updates at once.

        No more memory is taken than for what is returned and one update beside it.

        Parameters
        ----------
        layer
            Name of the tensor.
        rounds, clients
            Of which rounds and clients; None for all.

        Returns
        -------
        numpy.ndarray, DataFrame
            Updates, [entries, ...] in float32; and round, client, examples and steps of each.
        """
        import pandas as pd

        self._known(layer)
        in_rounds, of_clients = (None if own is None else set(own) for own in (rounds, clients))
        entries = [
            entry
            for entry in self._entries.values()
            if (in_rounds is None or entry.round in in_rounds) and (of_clients is None or entry.client in of_clients)
        ]
        if not entries:
            raise TableError(
                f"{self.folder} keeps no update of these rounds and clients; `updates()` says which it keeps"
            )
        blocks = [self._updates.blocks[entry.round, entry.client][layer] for entry in entries]
        stacked = np.empty((len(blocks), *self._first_update[layer].shape), np.float32)
        for place, block in enumerate(blocks):
            stacked[place] = self._updates.read(block)
        return stacked, pd.DataFrame([vars(entry) for entry in entries], columns=list(Entry.__dataclass_fields__))

    @property
    def model_rounds(self) -> list[int]:
        """The rounds after which the global model is kept."""
        return [round for (round,) in self._models.blocks]

    def model(self, round: int) -> Tensors:
        """Return the global model after a round, buffers included."""
        found = self._models.blocks.get((round,))
        if found is None:
            kept = ", ".join(map(str, self.model_rounds))
            raise TableError(f"{self.folder} keeps no model of round {round}; it keeps those of rounds {kept}")
        return {name: self._models.read(block) for name, block in found.items()}

    def final(self) -> Tensors:
        """Return the selected global model, buffers included."""
        return _tensors(self._verified(MODEL, "save_model: true"))

    def standalone(self, client: str) -> Tensors:
        """Return the model that a client has trained on its own data alone."""
        file = self._verified(STANDALONE, "keep: {standalone: true}")
        found = _tensors(file, lambda name: of_standalone(name)[0] == client)
        if not found:
            raise TableError(f"{self.folder} keeps no standalone model of client {client}")
        return {of_standalone(name)[1]: values for name, values in found.items()}

    def _verified(self, path: str, how: str) -> Path:
        """Return a file that is kept, once its hash is what run.json says."""
        file = self._kept(path, how)
        if file not in self._sound and file_hash(str(file)) != self.facts["files"].get(file.name):
            raise TableError(f"{file} is not as it was written; delete it to have it rebuilt")
        self._sound.add(file)
        return file

    @cached_property
    def _updates(self) -> IndexedPack:
        path = self._kept(UPDATES, "keep: {updates_every: 1}")
        return IndexedPack(path, self._update_index, ("round", "client"))

    @cached_property
    def _models(self) -> IndexedPack:
        path = self._kept(MODELS, "keep: {models_every: 10}")
        return IndexedPack(path, ModelIndex.read(self._file(ModelIndex.path)), ("round",))

    @cached_property
    def _update_index(self) -> pd.DataFrame:
        return UpdateIndex.read(self._kept(UpdateIndex.path, "keep: {updates_every: 1}"))

    @cached_property
    def _entries(self) -> dict[tuple[int, str], Entry]:
        names = list(Entry.__dataclass_fields__)
        once = self._update_index.drop_duplicates(["round", "client"])
        return {row[:2]: Entry(*row) for row in once[names].itertuples(index=False, name=None)}

    @property
    def _first_update(self) -> dict[str, Block]:
        """Where the tensors of the first update are; those of all have the same names and shapes."""
        return next(iter(self._updates.blocks.values()), {})

    def _known(self, layer: str) -> str:
        if layer not in self._first_update:
            kept = ", ".join(self.layers) or "no layer"
            raise TableError(f"{self.folder} keeps no updates of {layer!r}; it keeps those of {kept}")
        return layer

    def _file(self, template: str) -> Path:
        return self.folder / Path(template).name

    def _kept(self, template: str, wish: str) -> Path:
        """Return a file that is there where it was wished for."""
        file = self._file(template)
        if not file.exists():
            raise TableError(f"{file} is not kept; set `{wish}` in the entry of `federated` and run it anew")
        return file


def _facts(file: Path) -> dict[str, Any]:
    """Return the facts of a run."""
    try:
        facts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found = facts["schema"]
    except FileNotFoundError:
        raise TableError(f"{file} is missing, so this is no fold of a federated run") from None
    except (ValueError, KeyError, TypeError):
        raise TableError(f"{file} does not hold the facts of a federated run; delete it to have it rebuilt") from None
    _refuse_other(file, found, RUN_SCHEMA)
    return facts


def _recognise(table: type[Table], file: Path) -> None:
    """Refuse a file of another table or version by its first row; all rows are checked once they are read."""
    try:
        with file.open(encoding="utf-8") as handle:
            headers, first = (handle.readline().rstrip("\n").split("\t") for _ in range(2))
    except FileNotFoundError:
        raise TableError(
            f"{file} is missing, though every federated run has it; ask for it to have it rebuilt"
        ) from None
    if headers[-1] != "schema":
        raise TableError(f"{file} has no `schema` column, so it is not a {table.name} table; rebuild it")
    _refuse_other(file, first[-1] or table.schema(), table.schema())


def _refuse_other(file: Path, found: str, needed: str) -> None:
    if found != needed:
        raise TableError(f"{file}: holds {found}, but {needed} is needed; delete it to have it rebuilt")


def _tensors(file: Path, wanted: Callable[[str], bool] = bool) -> Tensors:
    """Return the tensors of a file that are wanted, by their name."""
    try:
        with safe_open(str(file), framework="numpy") as tensors:
            return {name: tensors.get_tensor(name) for name in filter(wanted, tensors.keys())}
    except SafetensorError as error:
        raise TableError(f"{file} is damaged ({error}); delete it to have it rebuilt") from None
