"""Shadow federations: the attacker has other people train as the victims do, and so learns what updates look like."""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from candor.federated.defences.treatment import Treatment
from candor.federated.engines.choose import choose
from candor.federated.errors import FederatedError
from candor.federated.federation import Federation
from candor.federated.held import held
from candor.federated.layers import layers_asked
from candor.federated.local import Returned
from candor.federated.placing import place
from candor.federated.recording import appended, is_kept
from candor.federated.rules.registry import rule_of
from candor.federated.settings import Faults, Imitated
from candor.federated.settings import Settings as FederationSettings
from candor.federated.vectors import Layout, Piece, Weights
from candor.federated.workloads import emotion
from candor.federated.workloads.prepared import Prepared, Sources
from candor.federated.world import World
from candor.made_of import hashes_of, made_of, named
from candor.models.resume import Resume
from candor.models.seeding import seed_everything, seeded
from candor.runtime import Progress, sole_user
from candor.tables.base import write_json
from candor.tables.leakage import SHADOW_PACK, SHADOW_SCHEMA, ShadowClients, ShadowUpdates
from candor.tables.packing import PackWriter

logger = logging.getLogger(__name__)

APART = 1_000_003
"""By so much the seeds of two shadow federations differ, so that none draws what another or the victims' one draws."""

Row = dict[str, Any]


@dataclass(frozen=True)
class ShadowJob:
    """Some shadow federations of the same people.

    They begin with the victims' first model, which everybody is sent who takes part, and differ from that federation
    and from each other in all else that is drawn. No fault befalls them, as an attacker knows of none. Where clients
    noise their updates, these are kept as they are before that, and how strong the noise is: who runs a federation
    sees both, and learns more from what is under the noise.

    Parameters
    ----------
    names
        Dataset, shadow and people.
    settings
        How the victims learn.
    sources
        What shadow people's examples are made of, and in `classes` what the victims tell apart.
    datasets
        Whose people they are; none for those of the victims' dataset.
    models
        How many federations.
    inputs
        The files that were read, by role.
    aside
        The folder for what is unfinished.
    device
        What models run on.
    code
        The fingerprint of the code.
    """

    names: Mapping[str, str]
    settings: FederationSettings
    sources: Sources
    datasets: Sequence[str]
    models: int
    inputs: Mapping[str, Any]
    aside: Path
    device: str = "cpu"
    code: str = ""

    def run_and_write(self, output: Any) -> None:
        """Run them all, one after the other, and write what their clients sent.

        Parameters
        ----------
        output
            The paths, by the names of the rule's output.
        """
        with sole_user(self.aside):
            seed_everything(self.settings.seed)
            resume = Resume(self.aside / "shadows.pt", json.dumps(self._depends_on, sort_keys=True))
            written = self._run(resume)
            ShadowClients.write(written.clients, output.clients)
            ShadowUpdates.write(written.updates, output.index)
            place(self._pack, output.updates)
            write_json(made_of(named(self.inputs), **self._facts(written)), output.facts)
            shutil.rmtree(self.aside, ignore_errors=True)

    def _run(self, resume: Resume) -> _Written:
        written = _Written()
        state = resume.load()
        if state is not None and self._pack.is_file() and self._pack.stat().st_size >= state["size"]:
            written = _Written(**state["written"])
            logger.info("going on after shadow federation %d", written.models)
        settings = self.settings
        size = state["size"] if state is not None and written.models else 0
        with PackWriter(self._pack, settings.keep.precision, size) as pack:
            rounds = settings.num_epochs
            with Progress(rounds * self.models, f"shadows {self.names['people']}", "round") as progress:
                progress.advance(written.models * rounds)
                for model in range(written.models + 1, self.models + 1):
                    size = pack.size
                    if why := self._one(model, pack, written, progress):
                        pack.cut(size)
                        written.forget(model, why)
                    written.models = model
                    pack.flush()
                    resume.save({"size": pack.size, "written": vars(written)}, now=True)
            written.bytes = pack.size
        return written

    def _one(self, model: int, pack: PackWriter, written: _Written, progress: Progress) -> str:
        """Run one federation; note its clients and what they sent. Return why there is none, where there cannot be."""
        keeper = _Keeper(model, pack, self.settings.keep.updates_every, written)
        try:
            prepared, federation = self._federation(model, keeper)
            for round in range(1, self.settings.num_epochs + 1):
                if federation.over:
                    break
                federation.round(round)
                progress.advance()
        except FederatedError as error:
            logger.warning("%s, %s: no shadow federation: %s", self.names["shadow"], self.names["people"], error)
            return str(error)
        rows = held(prepared.clients, prepared.rows, prepared.workload.classes)
        written.clients.extend({"model": model, **row} for row in rows)
        written.layers = {piece.name: list(piece.shape) for piece in keeper.pieces}
        written.partition = prepared.partition
        return ""

    def _federation(self, model: int, keeper: _Keeper) -> tuple[Prepared, Federation]:
        """Return who takes part and what, and the federation before its first round."""
        settings = replace(self.settings, seed=self.settings.seed + APART * model)
        prepared = emotion.prepare(settings, self.sources)
        workload, clients = prepared.workload, prepared.clients
        if (settings.clients_per_round or 0) > len(clients):  # there are fewer of them than of the victims
            settings = replace(settings, clients_per_round=1)
        with seeded(self.settings.seed):
            network = workload.make()
        layout = Layout.of(network)
        world = World(workload, clients, Weights.of(network, layout), layout, workload.targets, self.device)
        rule = rule_of(settings, layout)
        kind, _ = choose(workload, network, rule.local, settings.engine, self.device)
        keeper.names = [client.name for client in clients]
        keeper.pieces = layers_asked(layout, settings.keep.layers)
        engine = kind(workload, layout, rule.local, self.device)
        federation = Federation(settings, world, rule, engine, keeper.keep)
        keeper.treatment = federation.treatment
        return prepared, federation

    @property
    def _pack(self) -> Path:
        return self.aside / Path(SHADOW_PACK).name

    @property
    def _depends_on(self) -> dict[str, Any]:
        options = {"settings": repr(self.settings), "models": self.models, "names": dict(self.names)}
        return {**options, "inputs": hashes_of(self.inputs), "device": self.device, "code": self.code}

    def _facts(self, written: _Written) -> dict[str, Any]:
        updates = len(written.updates) // max(len(written.layers), 1)
        logger.info("%d updates of %d shadow federations: %.3f GB", updates, self.models, written.bytes / 1e9)
        return {
            "schema": SHADOW_SCHEMA,
            "names": dict(self.names),
            "options": asdict(self.settings),
            "datasets": list(self.datasets),
            "classes": list(self.sources.classes or ()),
            "models": len({row["model"] for row in written.clients}),
            "partition": written.partition,
            "reason": "" if written.clients else written.reason,
            "layers": written.layers,
            "updates": updates,
            "bytes": written.bytes,
        }


@dataclass
class _Keeper:
    """Keeps what the clients of one federation send, without noise."""

    model: int
    pack: PackWriter
    every: int
    written: _Written
    names: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    treatment: Treatment | None = None

    def keep(self, round: int, returned: Returned) -> None:
        """Keep the updates of a round, if it is one whose updates are kept."""
        if not is_kept(round, self.every):
            return
        assert self.treatment is not None
        noises = dict(zip(returned.clients, map(self.treatment.deviation, returned.examples), strict=True))
        if any(noises.values()):
            sent = zip(returned.updates, returned.clients, returned.examples, strict=True)
            before = [own.cpu() - self.treatment.noise_of(client, examples, round) for own, client, examples in sent]
            returned = replace(returned, updates=torch.stack(before))
        by_name = {self.names[client]: noise for client, noise in noises.items()}
        rows = appended(self.pack, round, returned, self.pieces, self.names)
        self.written.updates.extend({"model": self.model, **row, "noise": by_name[row["client"]]} for row in rows)


@dataclass
class _Written:
    """What of the federations is done: how many were run, what there is of them, and why one failed, if one did."""

    models: int = 0
    clients: list[Row] = field(default_factory=list)
    updates: list[Row] = field(default_factory=list)
    layers: dict[str, list[int]] = field(default_factory=dict)
    partition: str = ""
    reason: str = ""
    bytes: int = 0

    def forget(self, model: int, why: str) -> None:
        """Leave out what there is of a federation that has failed."""
        self.updates = [row for row in self.updates if row["model"] != model]
        self.reason = why


def as_attacker(options: Mapping[str, Any], facts: Mapping[str, Any] | None = None) -> FederationSettings:
    """Return how an attacker has shadow people train, who knows how the victims do.

    Parameters
    ----------
    options
        The victims' entry of the config, all defaults filled in. What he keeps, he keeps as that run does.
    facts
        Those of their run, where its clients noise their updates. Noise on an update is taken to be as strong as
        theirs, however many shadow people are; what it does to the model is the same as well; and shadow people end
        with the round in which the victims have ended, if these have spent a budget.
    """
    settings = FederationSettings.of(options)
    settings = replace(settings, faults=Faults(), keep=replace(settings.keep, standalone=False))
    if facts is None:
        return settings
    if settings.defence.guarantees:
        settings = replace(settings, num_epochs=int(facts["defence"]["rounds"]))
    return replace(settings, defence=replace(settings.defence, imitated=imitated(facts)))


def imitated(facts: Mapping[str, Any]) -> Imitated:
    """Return what an attacker takes over of the victims' defence.

    >>> imitated({"clients": 20, "defence": {"kind": "client_dp", "noise": 3.0, "sampling_rate": 0.45}})
    Imitated(clients=20, per_round=9, noise=1.0)

    Parameters
    ----------
    facts
        Of the victims' run.
    """
    defence, clients = facts["defence"], facts["clients"]
    per_round = round(defence["sampling_rate"] * clients)
    match defence["kind"]:
        case "client_dp":  # of so many each brings a share of the noise
            return Imitated(clients, per_round, defence["noise"] / math.sqrt(per_round))
        case "local_dp":
            return Imitated(clients, per_round, defence["noise"])
    return Imitated(clients, per_round)
