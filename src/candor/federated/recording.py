"""What is kept of a run as it goes: what clients send, and the global model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from candor.federated.clients import Client
from candor.federated.layers import layers_asked
from candor.federated.local import Returned
from candor.federated.settings import Settings
from candor.federated.vectors import Layout, Piece, Weights
from candor.tables.federated import MODELS, UPDATES
from candor.tables.packing import PackWriter

Row = dict[str, Any]


class Recording:
    """Two packs that grow beside an unfinished run: updates and models.

    Parameters
    ----------
    folder
        Where they lie until the run is done.
    settings
        What is kept.
    layout
        Of the model.
    clients
        All of them.
    """

    def __init__(self, folder: Path, settings: Settings, layout: Layout, clients: Sequence[Client]) -> None:
        self._folder, self._keep, self._layout = folder, settings.keep, layout
        self._names = [client.name for client in clients]
        self._pieces = layers_asked(layout, settings.keep.layers)
        self._packs: dict[str, PackWriter] = {}
        self.updates: list[Row] = []
        self.models: list[Row] = []
        """Rows of the indexes."""

    def begin(self, start: Weights) -> None:
        """Begin with empty packs, and with the model before the first round."""
        self._open({UPDATES: 0, MODELS: 0})
        self.updates, self.models = [], []
        self.model(0, start)

    def update(self, round: int, returned: Returned) -> None:
        """Keep what clients have sent in a round, if it is one whose updates are kept.

        The first is one. With `models_every` a divisor of `updates_every` the model that they were given, that after
        the round before, is kept too: whoever wants to know what a gradient tells needs it.
        """
        if is_kept(round, self._keep.updates_every):
            self.updates.extend(appended(self._packs[UPDATES], round, returned, self._pieces, self._names))

    def model(self, round: int, weights: Weights, last: bool = False) -> None:
        """Keep the global model after a round, if it is one whose model is kept, or the last."""
        every = self._keep.models_every
        if not every or (round % every and not last):
            return
        for name, tensor in weights.named(self._layout).items():
            block = self._packs[MODELS].append(tensor.numpy())
            self.models.append({"round": round, "layer": name, **block.cells()})

    def state(self) -> dict[str, Any]:
        """Return where the packs end; what is before that is safe on the disk then."""
        for pack in self._packs.values():
            pack.flush()
        sizes = {name: pack.size for name, pack in self._packs.items()}
        return {"sizes": sizes, "updates": self.updates, "models": self.models}

    def take_up(self, state: dict[str, Any]) -> bool:
        """Go on where `state` was returned, cutting off what was written behind; tell whether the packs are there."""
        if any(self._length(name) < size for name, size in state["sizes"].items()):
            return False
        self._open(state["sizes"])
        self.updates, self.models = state["updates"], state["models"]
        return True

    def file(self, pack: str) -> Path:
        """Return where a pack lies while the run is unfinished, by the path of it in the tables' contract."""
        return self._folder / Path(pack).name

    def close(self) -> None:
        """Close the packs, which nothing more is added to."""
        for pack in self._packs.values():
            pack.close()

    def _open(self, sizes: dict[str, int]) -> None:
        precisions = {UPDATES: self._keep.precision, MODELS: "float32"}
        self._packs = {name: PackWriter(self.file(name), precisions[name], sizes[name]) for name in precisions}

    def _length(self, name: str) -> int:
        file = self.file(name)
        return file.stat().st_size if file.is_file() else 0


def is_kept(round: int, every: int) -> bool:
    """Tell whether the updates of a round are kept, where those of every so many rounds are: of the first one on."""
    return bool(every) and (round - 1) % every == 0


def appended(
    pack: PackWriter, round: int, returned: Returned, pieces: Sequence[Piece], names: Sequence[str]
) -> Iterator[Row]:
    """Add what clients have sent to a pack, and yield what an index says of it, a row per client and tensor.

    Parameters
    ----------
    pack
        Where to.
    round
        Its number.
    returned
        What they sent.
    pieces
        The tensors that are kept of it.
    names
        Those of all clients.
    """
    for place, client in enumerate(returned.clients):
        own = returned.updates[place].cpu().numpy()
        done = {"examples": returned.examples[place], "steps": returned.steps[place]}
        for piece in pieces:
            block = pack.append(own[piece.start : piece.end].reshape(piece.shape))
            yield {"round": round, "client": names[client], "layer": piece.name, **done, **block.cells()}
