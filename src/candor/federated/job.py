"""All that a job of the stage does: prepare, train round by round, test, write."""

from __future__ import annotations

import importlib
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from candor.federated.centre import Centre
from candor.federated.course import Course, run_course
from candor.federated.engines.choose import choose
from candor.federated.faults import noisy_labels
from candor.federated.federation import Federation, Happened
from candor.federated.judging import Judge, outputs_of
from candor.federated.mishaps import Mishaps
from candor.federated.partitions import held
from candor.federated.recording import Recording
from candor.federated.rules.registry import rule_of
from candor.federated.settings import Settings
from candor.federated.standalone import train_alone
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.prepared import Prepared
from candor.made_of import hashes_of, made_of, named
from candor.models.resume import Resume
from candor.models.seeding import seed_everything, seeded
from candor.runtime import use_device
from candor.tables.base import atomic, write_json
from candor.tables.federated import (
    ClientsHeld,
    FederatedPredictions,
    Judged,
    Participants,
    Rounds,
    RoundsTiming,
    StandaloneModels,
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
    inputs
        The rule's input.
    params
        The rule's parameters, for the workload.
    aside
        The folder for what is unfinished.
    device
        What models run on.
    """

    run: Mapping[str, str]
    options: Mapping[str, Any]
    inputs: Any
    params: Any
    resources: Any
    aside: Path
    device: str

    @classmethod
    def of(cls, run: Mapping[str, str], inputs: Any, params: Any, resources: Any) -> FederatedJob:
        """Return the job that a rule describes by its wildcards, input, parameters and resources."""
        options = dict(params.options)
        device = use_device(resources.device) if options["downstream_model"] == "cnn" else "cpu"
        return cls(dict(run), options, inputs, params, resources, Path(params.aside), device)
