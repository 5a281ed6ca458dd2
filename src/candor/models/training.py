"""Train a network for one fold and seed, select on dev, and only then look at the test speakers."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from candor.models.inputs import Inputs
from candor.models.outputs import outputs_of
from candor.models.recipe import Recipe
from candor.models.resume import Resume
from candor.models.seeding import seed_everything
from candor.models.tasks import Task
from candor.runtime import Explained

logger = logging.getLogger(__name__)

PLATEAU_PATIENCE = 5
PLATEAU_FACTOR = 0.5
LEAST_OF_RATE = 0.1
"""As in trust-ser, which lets 5e-4 fall to 5e-5."""

BETAS = (0.9, 0.98)


class TrainingError(Explained, ValueError):
    """A fold cannot be trained on."""


@dataclass(frozen=True)
class Part:
    """One part of a fold: utterances by their number in the inputs, and what is true of them."""

    numbers: list[int]
    targets: torch.Tensor

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class Trained:
    """A trained network, which epoch it is of, how the training went, and what of it was run here in which time."""

    network: nn.Module
    epoch: int
    history: list[dict[str, Any]]
    epochs_run: int = 0
    seconds: float = 0.0


@dataclass
class Progressed:
    """How far a training is."""

    epoch: int
    best: tuple[float, float]
    kept: dict[str, torch.Tensor]
    kept_epoch: int
    history: list[dict[str, Any]]


def train(
    make: Callable[[], nn.Module],
    inputs: Inputs,
    train_part: Part,
    dev_part: Part,
    task: Task,
    recipe: Recipe,
    seed: int,
    *,
    resume: Resume | None = None,
    device: str = "cpu",
) -> Trained:
    """Train a network; keep the epoch with the best dev score, between equals the one with the lower dev loss.

    The same inputs and seed yield the same weights, whether or not the job was killed on the way.

    Parameters
    ----------
    make
        Returns the untrained network; called once everything is seeded.
    inputs
        What it is given.
    train_part, dev_part
        The speakers to learn from and those to select on.
    task
        What is learned.
    recipe
        How to train.
    seed
        Seed of the initial weights and of the order of the utterances.
    resume
        Where the state is kept.
    device
        What to run on.
    """
    began = time.monotonic()
    seed_everything(seed)
    network = make().to(device)
    optimiser = make_optimiser(network, recipe)
    schedule = make_schedule(optimiser, recipe)
    resume = resume or Resume(None, "")
    at = Progressed(0, (-math.inf, -math.inf), trained_tensors(network), 0, [])
    state = resume.load()
    if state is not None:
        at = _take_up(state, network, optimiser, schedule)
        logger.info("seed %d: going on after epoch %d", seed, at.epoch)
    before = at.epoch
    while at.epoch < recipe.num_epochs and not _given_up(at, recipe):
        at.epoch += 1
        # Each epoch has generators of its own, so that one that is repeated after a kill comes out the same.
        torch.manual_seed(seed * 1_000_003 + at.epoch)
        order = torch.randperm(len(train_part), generator=torch.Generator().manual_seed(seed * 1_000_003 + at.epoch))
        rate = optimiser.param_groups[-1]["lr"]
        loss = _one_epoch(network, inputs, train_part, order, task, optimiser, recipe, device)
        dev_loss, dev_score = _judge(network, inputs, dev_part, task, device)
        if (dev_score, -dev_loss) > at.best:
            at.best, at.kept, at.kept_epoch = (dev_score, -dev_loss), trained_tensors(network), at.epoch
        _step(schedule, dev_loss)
        at.history.append(
            {
                "seed": seed,
                "epoch": at.epoch,
                "learning_rate": rate,
                "train_loss": loss,
                "dev_loss": dev_loss,
                "dev_score": dev_score,
            }
        )
        resume.save(_as_state(at, network, optimiser, schedule))
    resume.save(_as_state(at, network, optimiser, schedule), now=True)
    history = [{**row, "selected": "yes" if row["epoch"] == at.kept_epoch else "no"} for row in at.history]
    network.load_state_dict(at.kept, strict=False)
    return Trained(network.eval(), at.kept_epoch, history, at.epoch - before, time.monotonic() - began)


def trained_tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of all that makes this network what it is: not the frozen part of a backbone."""
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    inside = "backbone."
    buffers = {name for name, _ in network.named_buffers() if name.startswith(inside)}
    return {
        name: tensor.detach().cpu().clone()
        for name, tensor in network.state_dict().items()
        if name not in frozen and name not in buffers
    }


def make_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimiser; what is trained in a backbone has a learning rate of its own."""
    trained = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    inside = [parameter for name, parameter in trained if name.startswith("backbone.")]
    head = [parameter for name, parameter in trained if not name.startswith("backbone.")]
    groups: list[dict[str, Any]] = [{"params": head, "lr": recipe.learning_rate}]
    if inside:
        groups.insert(0, {"params": inside, "lr": recipe.backbone_learning_rate})
    match recipe.optimizer:  # fused: for a small head the usual loop over its parameters takes longer than the rest
        case "adam":
            return torch.optim.Adam(groups, betas=BETAS, weight_decay=recipe.weight_decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(groups, betas=BETAS, weight_decay=recipe.weight_decay, fused=True)
    return torch.optim.SGD(groups, momentum=0.9, weight_decay=recipe.weight_decay)


Schedule = torch.optim.lr_scheduler.ReduceLROnPlateau | torch.optim.lr_scheduler.LRScheduler


def make_schedule(optimiser: torch.optim.Optimizer, recipe: Recipe) -> Schedule:
    """Return how the recipe's learning rates change from epoch to epoch."""
    match recipe.scheduler:
        case "plateau":
            least = [group["lr"] * LEAST_OF_RATE for group in optimiser.param_groups]
            return torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimiser, factor=PLATEAU_FACTOR, patience=PLATEAU_PATIENCE, min_lr=least
            )
        case "cosine":
            return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=recipe.num_epochs)
    return torch.optim.lr_scheduler.LambdaLR(optimiser, lambda _: 1.0)


def _one_epoch(
    network: nn.Module,
    inputs: Inputs,
    part: Part,
    order: torch.Tensor,
    task: Task,
    optimiser: torch.optim.Optimizer,
    recipe: Recipe,
    device: str,
) -> float:
    network.train()
    total = 0.0
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    # Batches of nearly equal size: a last one of a single utterance has no concordance, and too much weight.
    for chosen in torch.tensor_split(order, math.ceil(len(order) / recipe.batch_size)):
        numbers = [part.numbers[place] for place in chosen.tolist()]
        loss = task.loss(network(inputs.batch(numbers, device)), part.targets[chosen].to(device))
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingError(
                "the loss is no longer finite; lower learning_rate (and backbone_learning_rate), or set clip_norm"
            )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if recipe.clip_norm:
            nn.utils.clip_grad_norm_(learning, recipe.clip_norm)
        optimiser.step()
        total += value * len(chosen)
    return total / len(order)


def _judge(network: nn.Module, inputs: Inputs, part: Part, task: Task, device: str) -> tuple[float, float]:
    outputs = outputs_of(network, inputs, part.numbers, device)
    return float(task.loss(outputs, part.targets)), task.score(outputs, part.targets)


def _step(schedule: Schedule, dev_loss: float) -> None:
    if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
        schedule.step(dev_loss)
    else:
        schedule.step()


def _given_up(at: Progressed, recipe: Recipe) -> bool:
    return bool(recipe.early_stopping) and at.epoch - at.kept_epoch >= recipe.early_stopping and at.epoch > 0


def _as_state(
    at: Progressed, network: nn.Module, optimiser: torch.optim.Optimizer, schedule: Schedule
) -> dict[str, Any]:
    return {
        "epoch": at.epoch,
        "best": list(at.best),
        "kept": at.kept,
        "kept_epoch": at.kept_epoch,
        "history": at.history,
        "network": trained_tensors(network),
        "optimiser": optimiser.state_dict(),
        "schedule": {key: value for key, value in schedule.state_dict().items() if key != "lr_lambdas"},
    }


def _take_up(
    state: Mapping[str, Any], network: nn.Module, optimiser: torch.optim.Optimizer, schedule: Schedule
) -> Progressed:
    network.load_state_dict(state["network"], strict=False)
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict({**schedule.state_dict(), **state["schedule"]})
    first, second = state["best"]
    return Progressed(state["epoch"], (first, second), state["kept"], state["kept_epoch"], state["history"])
