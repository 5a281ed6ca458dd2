"""Train a head for one fold and seed, select on dev, and only then look at the test speakers."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from candor.models.linear import LinearHead
from candor.models.seeding import seed_everything


@dataclass(frozen=True)
class Recipe:
    """How to train; the fields are those of the config's recipe."""

    learning_rate: float
    num_epochs: int
    batch_size: int
    weight_decay: float

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Recipe:
        """Return the recipe of an entry of the config."""
        return cls(**{field.name: options[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Data:
    """One part of a fold: pooled features and class numbers, row by row."""

    pooled: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Trained:
    """A trained head, which epoch it is of, and how the training went."""

    head: LinearHead
    epoch: int
    history: list[dict[str, Any]]


def train(train_data: Data, dev_data: Data, classes: int, recipe: Recipe, seed: int) -> Trained:
    """Train with class-weighted cross-entropy; keep the epoch with the best dev UAR.

    Between epochs with the same UAR the one with the lower dev loss is kept. The same inputs and seed yield
    the same weights.

    Parameters
    ----------
    train_data, dev_data
        The speakers to learn from and those to select on.
    classes
        Number of classes.
    recipe
        How to train.
    seed
        Seed of the initial weights and of the order of the utterances.
    """
    seed_everything(seed)
    layers, statistics, dimensions = train_data.pooled.shape[1:]
    head = LinearHead(layers, statistics, dimensions, classes)
    head.standardise_by(train_data.pooled)
    weights = class_weights(train_data.labels, classes)
    optimiser = torch.optim.Adam(head.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    order = torch.Generator().manual_seed(seed)
    best: tuple[float, float] | None = None
    kept, kept_epoch = copy.deepcopy(head.state_dict()), 0
    history: list[dict[str, Any]] = []
    for epoch in range(1, recipe.num_epochs + 1):
        loss = _one_epoch(head, train_data, weights, optimiser, recipe.batch_size, order)
        dev_loss, dev_uar = _score(head, dev_data, weights, classes)
        if best is None or (dev_uar, -dev_loss) > best:
            best, kept, kept_epoch = (dev_uar, -dev_loss), copy.deepcopy(head.state_dict()), epoch
        history.append({"seed": seed, "epoch": epoch, "train_loss": loss, "dev_loss": dev_loss, "dev_uar": dev_uar})
    for row in history:
        row["selected"] = "yes" if row["epoch"] == kept_epoch else "no"
    head.load_state_dict(kept)
    return Trained(head, kept_epoch, history)


def class_weights(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return weights in inverse proportion to each class's frequency, one on average over utterances."""
    counts = torch.bincount(labels, minlength=classes).double()
    present = counts > 0
    weights = torch.zeros(classes, dtype=torch.float64)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights.float()


def probabilities(head: LinearHead, pooled: torch.Tensor) -> np.ndarray:
    """Return the probability of each class for each utterance."""
    head.eval()
    with torch.no_grad():
        return np.asarray(torch.softmax(head(pooled).double(), dim=1).numpy())


def uar(labels: torch.Tensor, predicted: torch.Tensor, classes: int) -> float:
    """Return the mean recall over the classes that occur in `labels`."""
    right = torch.bincount(labels[predicted == labels], minlength=classes).double()
    counts = torch.bincount(labels, minlength=classes).double()
    return float((right[counts > 0] / counts[counts > 0]).mean())


def encode(labels: Sequence[str], classes: Sequence[str]) -> torch.Tensor:
    """Return the class numbers of labels."""
    numbers = {name: number for number, name in enumerate(classes)}
    return torch.tensor([numbers[label] for label in labels], dtype=torch.long)


def _one_epoch(
    head: LinearHead,
    data: Data,
    weights: torch.Tensor,
    optimiser: torch.optim.Optimizer,
    batch_size: int,
    order: torch.Generator,
) -> float:
    head.train()
    total = 0.0
    for batch in torch.split(torch.randperm(len(data), generator=order), batch_size):
        loss = functional.cross_entropy(head(data.pooled[batch]), data.labels[batch], weight=weights)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += loss.item() * len(batch)
    return total / len(data)


def _score(head: LinearHead, data: Data, weights: torch.Tensor, classes: int) -> tuple[float, float]:
    head.eval()
    with torch.no_grad():
        logits = head(data.pooled)
        loss = functional.cross_entropy(logits, data.labels, weight=weights).item()
    return loss, uar(data.labels, logits.argmax(dim=1), classes)
