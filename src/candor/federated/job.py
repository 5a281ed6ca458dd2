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
from safetensors.torch import save

from candor.federated.centre import Centre
from candor.federated.course import Course, run_course
from candor.federated.engines.choose import choose
from candor.federated.faults import noisy_labels
from candor.federated.federation import Federation
from candor.federated.held import held
from candor.federated.judging import Judge, outputs_of
from candor.federated.mishaps import Mishaps
from candor.federated.recording import MODELS, UPDATES, Recording
from candor.federated.rules.registry import rule_of
from candor.federated.settings import Settings
from candor.federated.standalone import Standalone, train_alone
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.prepared import Prepared, Sources
from candor.made_of import hashes_of, made_of, named
from candor.models.resume import Resume
from candor.models.seeding import seed_everything, seeded
from candor.runtime import sole_user
from candor.tables.base import atomic, write_json
from candor.tables.federated import (
    RUN_SCHEMA,
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

CENTRAL = "central"
WHO = ("utterance", "speaker", "gender", "session")


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
    """

    run: Mapping[str, str]
    options: Mapping[str, Any]
    sources: Sources
    inputs: Mapping[str, Any]
    backbone: Mapping[str, Any]
    aside: Path
    device: str = "cpu"

    def run_and_write(self, output: Any) -> None:
        """Train, test, write tables, models and what they were made of.

        Parameters
        ----------
        output
            The paths, by the names of the rule's output; those that the run does not keep are not there.
        """
        settings = Settings.of(self.options)
        with sole_user(self.aside):  # packs grow in place, and would not bear a second writer
            seed_everything(settings.seed)
            run = _Run(self, settings, self._prepared(settings))
            course = run.train()
            assert course.best_weights is not None
            self._write(run, course, course.best_weights, output)
            shutil.rmtree(self.aside, ignore_errors=True)

    @property
    def depends_on(self) -> dict[str, Any]:
        """Return all that the course of the run depends on."""
        return {"options": dict(self.options), "inputs": hashes_of(self.inputs), "device": self.device}

    def _prepared(self, settings: Settings) -> Prepared:
        workload = importlib.import_module(f"candor.federated.workloads.{settings.workload}")
        prepared: Prepared = workload.prepare(settings, self.sources)
        return prepared

    def _write(self, run: _Run, course: Course, best: Weights, output: Any) -> None:
        prepared, settings = run.prepared, run.settings
        ClientsHeld.write(held(prepared.clients, prepared.rows, prepared.workload.classes), output.clients)
        Rounds.write(course.rounds, output.rounds)
        Participants.write(course.participants, output.participants)
        Judged.write(course.judged, output.judged)
        spent = {"engine": run.engine, "device": self.device.partition(":")[0]}
        RoundsTiming.write([{**row, **spent} for row in course.timing], output.timing)
        FederatedPredictions.write(run.predictions(best), output.predictions)
        if "model" in output.keys():  # noqa: SIM118 - Snakemake's output is a list with names
            _save(best.named(run.layout), output.model)
        run.recording.close()
        if settings.keep.updates_every:
            UpdateIndex.write(run.recording.updates, output.updates_index)
            _move(run.recording.folder / UPDATES, output.updates)
        if settings.keep.models_every:
            ModelIndex.write(run.recording.models, output.models_index)
            _move(run.recording.folder / MODELS, output.models)
        if settings.keep.standalone:
            alone = run.alone(best)
            StandaloneModels.write(alone.rows, output.standalone_table)
            _save(_by_client(alone.models, run.layout), output.standalone)
        write_json(made_of(named(self.inputs), **run.facts(course)), output.run)


class _Run:
    """A fold of a run, put together from what was prepared."""

    def __init__(self, job: FederatedJob, settings: Settings, prepared: Prepared) -> None:
        self.job, self.settings, self.prepared = job, settings, prepared
        with seeded(settings.seed):
            self.model = prepared.workload.make()
        self.layout = Layout.of(self.model)
        self.start = Weights.of(self.model, self.layout)
        self.model.to(job.device)
        faults, workload = settings.faults, prepared.workload
        self.targets = noisy_labels(
            workload.targets, prepared.clients, faults.label_noise, len(workload.classes), settings.seed
        )
        self.recording = Recording(job.aside, settings.keep, self.layout, prepared.clients)
        self.engine, self.why = "", ""

    def train(self) -> Course:
        """Run all rounds."""
        settings, prepared, device = self.settings, self.prepared, self.job.device
        judge = Judge(prepared.workload, prepared.clients, settings.test_batch_size, device)
        trainer: Centre | Federation
        if settings.model_type == CENTRAL:
            self.engine, self.why = CENTRAL, "everything is at one place"
            trainer = self._centre()
        else:
            trainer = self._federation()
        logger.info("%d clients by %s, run by %s: %s", len(prepared.clients), prepared.partition, self.engine, self.why)
        resume = Resume(self.job.aside / "course.pt", json.dumps(self.job.depends_on, sort_keys=True))
        what = f"{self.job.run['run']} fold {self.job.run['fold']}"
        return run_course(trainer, judge, self.model, self.layout, settings, self.recording, resume, what)

    def predictions(self, best: Weights) -> list[dict[str, Any]]:
        """Return what the selected model says of the test examples, as rows of `FederatedPredictions`."""
        settings, prepared = self.settings, self.prepared
        model = best.to_model(self.model, self.layout)
        outputs = outputs_of(model, prepared.workload, prepared.test, settings.test_batch_size, self.job.device)
        chances = torch.softmax(outputs.double(), dim=1).numpy()
        classes, rows = prepared.workload.classes, prepared.rows.iloc[prepared.test]
        return [
            {
                **dict(zip(WHO, who, strict=True)),
                "fold": int(self.job.run["fold"]),
                "seed": settings.seed,
                "label": label,
                "predicted": classes[int(chance.argmax())],
                **{f"p_{name}": float(p) for name, p in zip(classes, chance, strict=True)},
            }
            for who, label, chance in zip(
                rows[list(WHO)].itertuples(index=False, name=None), rows["label"], chances, strict=True
            )
        ]

    def alone(self, best: Weights) -> Standalone:
        """Train a model at each client alone."""
        return train_alone(
            self.settings,
            self.prepared.workload,
            self.prepared.clients,
            self.start,
            self.layout,
            best,
            self.targets,
            self.job.aside,
            self.job.depends_on,
            self.job.device,
        )

    def facts(self, course: Course) -> dict[str, Any]:
        """Return what stands in run.json."""
        prepared, settings = self.prepared, self.settings
        poisoned = Mishaps(settings.faults, len(prepared.clients), settings.seed).poisoned()
        return {
            "schema": RUN_SCHEMA,
            "run": dict(self.job.run),
            "options": dict(self.job.options),
            "backbone": dict(self.job.backbone),
            "classes": prepared.workload.classes,
            "partition": prepared.partition,
            "clients": len(prepared.clients),
            "transductive": prepared.transductive,
            "prepared": dict(prepared.facts),
            "layers": {piece.name: list(piece.shape) for piece in self.layout.parameters},
            "model_bytes": self.layout.bytes,
            "engine": {"name": self.engine, "why": self.why},
            "rounds": course.done,
            "selected_round": course.best_round,
            "poisoned": [prepared.clients[client].name for client in sorted(poisoned)],
            "wrong_labels": int((self.targets != prepared.workload.targets).sum()),
        }

    def _centre(self) -> Centre:
        prepared = self.prepared
        return Centre(
            self.settings,
            prepared.workload,
            prepared.clients,
            self.start,
            self.layout,
            self.targets,
            self.job.device,
        )

    def _federation(self) -> Federation:
        settings, prepared, device = self.settings, self.prepared, self.job.device
        rule = rule_of(settings, self.layout)
        kind, self.why = choose(prepared.workload, self.model, rule.local, settings.engine, device)
        engine = kind(prepared.workload, self.layout, rule.local, device)
        self.engine = kind.name
        if settings.model_type == "fed_sgd" and settings.local_epochs > 1:
            logger.info("local_epochs is %d, without effect: clients of fed_sgd take no step", settings.local_epochs)
        keep = self.recording.update
        return Federation(settings, prepared.clients, self.start, self.layout, rule, engine, self.targets, keep)


def _by_client(models: Mapping[str, Weights], layout: Layout) -> dict[str, torch.Tensor]:
    return {
        standalone_tensor(client, name): tensor
        for client, weights in models.items()
        for name, tensor in weights.named(layout).items()
    }


def _save(tensors: Mapping[str, torch.Tensor], path: str) -> None:
    with atomic(path, "wb") as handle:
        handle.write(save({name: tensor.contiguous() for name, tensor in tensors.items()}))


def _move(file: Path, path: str) -> None:
    """Put a finished file in its place, which may be on another file system than it is."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(file, path)
