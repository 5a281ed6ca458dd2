"""Federated averaging by Flower's simulation engine: the same clients, batches, model and seeds as ours.

A module of its own, as Ray's workers import the client from it instead of being sent it with every message.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

# Before Flower and Ray are imported: nobody is told that they ran.
os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import numpy as np
import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation
from torch import nn
from torch.nn import functional

from candor.federated.local import BETAS, EPSILON
from candor.federated.workloads.mlp import Mlp

RESOURCES = {"num_cpus": 1, "num_gpus": 0.0}
"""A worker per core, which is fastest: with Flower's own setting, two cores each, there would be a single one."""

WEIGHT = "num-examples"

client_app = ClientApp()


def save_examples(folder: Path, inputs: torch.Tensor, targets: torch.Tensor) -> None:
    """Write what the workers read."""
    np.save(folder / "inputs.npy", inputs.numpy())
    np.save(folder / "targets.npy", targets.numpy())


@cache
def examples(folder: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all examples and their classes; each worker reads them once."""
    torch.set_num_threads(1)
    return torch.from_numpy(np.load(f"{folder}/inputs.npy")), torch.from_numpy(np.load(f"{folder}/targets.npy"))


@cache
def model_of(widths: tuple[int, ...], dropout: float) -> Mlp:
    """Return the model of a worker, which is made once."""
    return Mlp(widths[0], widths[1:-1], widths[-1], dropout)


@client_app.train()
def train(message: Message, context: Context) -> Message:
    """Take a client's steps and send its model back."""
    config = message.content["config"]
    inputs, targets = examples(config["folder"])
    model = model_of(tuple(config["widths"]), config["dropout"])
    model.load_state_dict(message.content["arrays"].to_torch_state_dict())
    steps, batch = config["steps"], config["batch"]
    client = int(context.node_config["partition-id"])
    torch.manual_seed(client)
    loss = learn(model.train(), inputs, targets, batches_of(client, steps, batch), config["learning-rate"])
    metrics = MetricRecord({WEIGHT: steps * batch, "loss": loss})
    content = RecordDict({"arrays": ArrayRecord(model.state_dict()), "metrics": metrics})
    return Message(content=content, reply_to=message)


def batches_of(client: int, steps: int, batch: int) -> list[list[int]]:
    """Return the examples of each step of a client, which are its own."""
    first = client * steps * batch
    return [list(range(first + step * batch, first + (step + 1) * batch)) for step in range(steps)]


def learn(
    model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, batches: list[list[int]], learning_rate: float
) -> float:
    """Take a step of Adam for each batch, as people write it; return the last loss."""
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate, betas=BETAS, eps=EPSILON, weight_decay=1e-4)
    loss = torch.zeros(())
    for numbers in batches:
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(inputs[numbers]), targets[numbers])
        loss.backward()
        optimiser.step()
    return float(loss.detach())


def simulate(
    model: nn.Module,
    config: dict[str, object],
    clients: int,
    rounds: int,
    between: Callable[[int, dict[str, torch.Tensor]], None],
) -> None:
    """Let Flower train.

    Parameters
    ----------
    model
        What it begins with.
    config
        What `train` is told.
    clients, rounds
        How many. All clients take part in every round.
    between
        Called before the first round and after each, with its number and the model's tensors; Flower waits for it.
    """
    logging.getLogger("flwr").setLevel(logging.ERROR)
    server_app = ServerApp()

    @server_app.main()
    def main(grid: Grid, context: Context) -> None:
        strategy = FedAvg(
            fraction_train=1.0,
            fraction_evaluate=0.0,
            min_train_nodes=clients,
            min_available_nodes=clients,
            weighted_by_key=WEIGHT,
        )
        strategy.start(
            grid=grid,
            initial_arrays=ArrayRecord(model.state_dict()),
            num_rounds=rounds,
            train_config=ConfigRecord(config),
            evaluate_fn=lambda number, arrays: between(number, arrays.to_torch_state_dict()),
        )

    run_simulation(
        server_app=server_app,
        client_app=client_app,
        num_supernodes=clients,
        backend_config={
            "client_resources": RESOURCES,
            "init_args": {"num_cpus": os.cpu_count(), "log_to_driver": False, "logging_level": "error"},
        },
    )
