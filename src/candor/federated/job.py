"""All that a job of the stage does: prepare, train round by round, test, write."""

from __future__ import annotations

import importlib
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from candor.federated.centre import Centre
from candor.federated.course import Course, run_course
from candor.federated.data_faults import noisy_labels
from candor.federated.defences.telling import tell_ending, tell_of, unit_of
from candor.federated.defences.treatment import Treatment
from candor.federated.engines.choose import choose
from candor.federated.errors import FederatedError
from candor.federated.federation import Federation
from candor.federated.held import held
from candor.federated.mishaps import Mishaps
from candor.federated.placing import place, save_tensors
from candor.federated.recording import Recording
from candor.federated.rules.registry import rule_of
from candor.federated.settings import CENTRAL, Settings
from candor.federated.standalone import Standalone, train_alone
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.prepared import Prepared, Sources
from candor.federated.world import World
from candor.made_of import file_hash, hashes_of, made_of, named
from candor.models.outputs import outputs_of, predicted
from candor.models.resume import Resume
from candor.models.seeding import seed_everything, seeded
from candor.models.tasks import Emotion
from candor.runtime import sole_user
from candor.tables.base import write_json
from candor.tables.federated import (
    MODELS,
    RUN_SCHEMA,
    UPDATES,
    ClientsHeld,
    FederatedPredictions,
    Judged,
    ModelIndex,
    Participants,
    Rounds,
    RoundsTiming,
    StandaloneModels,
    UpdateIndex,
    standalone_tensor,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FederatedJob:
    """One fold of a run.

    Parameters
    ----------
    run
        Dataset, run and fold.
    options
        The run's entry of the config, all defaults filled in.
    sources
        What its examples are made of.
    inputs
        The files that were read, by role.
    backbone
        The features and how they were made; blank for a workload that has none.
    aside
        The folder for what is unfinished.
    device
        What models run on.
    code
        The fingerprint of the code, so that what other code left unfinished is not gone on with.
    """

    run: Mapping[str, str]
    options: Mapping[str, Any]
    sources: Sources
    inputs: Mapping[str, Any]
    backbone: Mapping[str, Any]
    aside: Path
    device: str = "cpu"
    code: str = ""

    def run_and_write(self, output: Any) -> None:
        """Train, test, write tables, models and what they were made of.

        Parameters
        ----------
        output
            The paths, by the names of the rule's output; those that the run does not keep are not there.
        """
        settings = Settings.of(self.options)
        with sole_user(self.aside):  # packs grow in place, and would not bear a second writer
            try:
                seed_everything(settings.seed)
                run = _Run(self, settings, self._prepared(settings))
                course = run.train()
                assert course.best_weights is not None
                self._write(run, course, course.best_weights, output)
            except FederatedError as error:
                shutil.rmtree(self.aside, ignore_errors=True)
                which = f"{self.run['run']} of {self.run['dataset']}, fold {self.run['fold']}"
                raise FederatedError(f"{which}: {error}") from None
            shutil.rmtree(self.aside, ignore_errors=True)

    @property
    def depends_on(self) -> dict[str, Any]:
        """Return all that the course of the run depends on."""
        inputs = hashes_of(self.inputs)
        return {"options": dict(self.options), "inputs": inputs, "device": self.device, "code": self.code}

    def _prepared(self, settings: Settings) -> Prepared:
        workload = importlib.import_module(f"candor.federated.workloads.{settings.workload}")
        prepared: Prepared = workload.prepare(settings, self.sources)
        return prepared

    def _write(self, run: _Run, course: Course, best: Weights, output: Any) -> None:
        prepared, settings = run.prepared, run.settings
        # Before anything is in its place, as it may take long: what is there when a job is killed, Snakemake deletes.
        alone = run.alone(best) if settings.keep.standalone else None
        poisoned, classes = set(run.poisoned), prepared.workload.classes
        ClientsHeld.write(held(prepared.clients, prepared.rows, classes, poisoned), output.clients)
        Rounds.write(course.rounds, output.rounds)
        Participants.write(course.participants, output.participants)
        Judged.write(course.judged, output.judged)
        spent = {"engine": run.engine, "device": self.device.partition(":")[0]}
        RoundsTiming.write([{**row, **spent} for row in course.timing], output.timing)
        FederatedPredictions.write(run.predictions(best), output.predictions)
        if settings.save_model:
            save_tensors(best.named(run.world.layout), output.model)
        if alone is not None:
            StandaloneModels.write(alone.rows, output.standalone_table)
            save_tensors(_by_client(alone.models, run.world.layout), output.standalone)
        run.recording.close()
        if settings.keeps_updates:
            UpdateIndex.write(run.recording.updates, output.updates_index)
            place(run.recording.file(UPDATES), output.updates)
        if settings.keep.models_every:
            ModelIndex.write(run.recording.models, output.models_index)
            place(run.recording.file(MODELS), output.models)
        write_json(made_of(named(self.inputs), **run.facts(course, output)), output.run)


class _Run:
    """A fold of a run, put together from what was prepared."""

    def __init__(self, job: FederatedJob, settings: Settings, prepared: Prepared) -> None:
        self.job, self.settings, self.prepared = job, settings, prepared
        workload, clients = prepared.workload, prepared.clients
        with seeded(settings.seed):
            self._model = workload.make()
        layout = Layout.of(self._model)
        wrong = settings.faults.label_noise
        targets = noisy_labels(workload.targets, clients, wrong, len(workload.classes), settings.seed)
        self.world = World(workload, clients, Weights.of(self._model, layout), layout, targets, job.device)
        self.recording = Recording(job.aside, settings, layout, clients)
        self.engine, self._why = CENTRAL, "everything is at one place"
        self._treatment = Treatment(settings, layout, len(clients))

    def train(self) -> Course:
        """Run all rounds."""
        settings, run = self.settings, self.job.run
        trainer = Centre(settings, self.world) if settings.is_central else self._federation()
        kind = self.prepared.partition
        logger.info("%d clients by %s, run by %s: %s", len(self.world.clients), kind, self.engine, self._why)
        tell_of(self._treatment, unit_of(kind, settings))
        if self.poisoned:
            logger.info("%d of them send poison: %s", len(self.poisoned), ", ".join(self.poisoned))
        resume = Resume(self.job.aside / "course.pt", json.dumps(self.job.depends_on, sort_keys=True))
        what = f"{run['run']} fold {run['fold']}"
        course = run_course(trainer, self.world, settings, self.recording, resume, what)
        tell_ending(self._treatment, course.done)
        return course

    def predictions(self, best: Weights) -> list[dict[str, Any]]:
        """Return what the selected model says of the test examples, as rows of `FederatedPredictions`."""
        world, test = self.world, self.prepared.test
        outputs = outputs_of(world.model(best), world.workload, test, world.device, self.settings.test_batch_size)
        rows, task = self.prepared.rows.iloc[test], Emotion(world.workload.classes)
        return list(predicted(int(self.job.run["fold"]), self.settings.seed, rows, task, outputs))

    def alone(self, best: Weights) -> Standalone:
        """Train a model at each client alone."""
        return train_alone(self.settings, self.world, best, self.job.aside, self.job.depends_on)

    def facts(self, course: Course, output: Any) -> dict[str, Any]:
        """Return what stands in run.json."""
        prepared, world = self.prepared, self.world
        kept = {"model": self.settings.save_model, "standalone": self.settings.keep.standalone}
        files = {Path(file).name: file_hash(file) for name in kept if kept[name] for file in [getattr(output, name)]}
        return {
            "schema": RUN_SCHEMA,
            "files": files,
            "run": dict(self.job.run),
            "options": dict(self.job.options),
            "backbone": dict(self.job.backbone),
            "classes": world.workload.classes,
            "partition": prepared.partition,
            "clients": len(world.clients),
            "test_speakers_among_clients": self._speakers_on_both_sides(),
            "transductive": prepared.transductive,
            "prepared": dict(prepared.facts),
            "layers": {piece.name: list(piece.shape) for piece in world.layout.parameters},
            "model_bytes": world.layout.bytes,
            "engine": {"name": self.engine, "why": self._why},
            "rounds": course.done,
            "selected_round": course.best_round,
            "poisoned": self.poisoned,
            "wrong_labels": int((world.targets != world.workload.targets).sum()),
            "defence": self._treatment.facts(unit_of(prepared.partition, self.settings)),
        }

    @property
    def poisoned(self) -> list[str]:
        """The names of the clients that send poison."""
        clients, settings = self.world.clients, self.settings
        places = Mishaps(settings.faults, len(clients), settings.seed).poisoned()
        return [clients[place].name for place in sorted(places)]

    def _speakers_on_both_sides(self) -> int:
        """Return how many speakers are tested whose speech clients hold too, as some official partitions have it."""
        speakers = self.prepared.rows["speaker"].tolist()
        of_clients = {speakers[number] for client in self.world.clients for number in client.train + client.dev}
        return len((of_clients & {speakers[number] for number in self.prepared.test}) - {""})

    def _federation(self) -> Federation:
        settings, world = self.settings, self.world
        rule = rule_of(settings, world.layout)
        kind, self._why = choose(world.workload, self._model, rule.local, settings.engine, world.device)
        engine = kind(world.workload, world.layout, rule.local, world.device)
        self.engine = kind.name
        if settings.model_type == "fed_sgd" and settings.local_epochs > 1:
            logger.info("local_epochs is %d, without effect: clients of fed_sgd take no step", settings.local_epochs)
        federation = Federation(settings, world, rule, engine, self.recording.update)
        self._treatment = federation.treatment
        return federation


def _by_client(models: Mapping[str, Weights], layout: Layout) -> dict[str, torch.Tensor]:
    return {
        standalone_tensor(client, name): tensor
        for client, weights in models.items()
        for name, tensor in weights.named(layout).items()
    }
