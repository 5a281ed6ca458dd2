"""Handwritten digits by a small convolution net, which needs no corpus and no speech.

The net is that of PyTorch's example of 2019, which federated training over web sockets was shown with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.nn import functional

from candor.federated.clients import Client
from candor.federated.errors import FederatedError
from candor.federated.partitions.partition import DEALT, clients_of
from candor.federated.settings import Settings
from candor.federated.workloads.mnist import SIDE, read_mnist
from candor.federated.workloads.prepared import Prepared, Sources
from candor.federated.workloads.workload import InMemory

CLASSES = tuple("0123456789")
FOLDS = 5
"""Of scikit-learn's digits; MNIST comes with a test set of its own and has one fold."""

GREATEST = 16.0
"""The value of full ink in scikit-learn's digits."""


class DigitNet(nn.Module):
    """Two convolutions, each with ReLU and the maximum of every four, and two dense layers."""

    runs_vmapped: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList([nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)])
        self.dense = nn.ModuleList([nn.Linear(50 * 4 * 4, 500), nn.Linear(500, len(CLASSES))])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the outputs, [images, 10], of [images, 1, 28, 28]."""
        for convolution in self.convolutions:
            images = functional.max_pool2d(torch.relu(convolution(images)), 2)
        hidden, last = self.dense
        return last(torch.relu(hidden(images.flatten(1))))  # type: ignore[no-any-return]


class Digits(InMemory):
    """Which digit is on an image; inputs are [images, 1, 28, 28]."""

    def make(self) -> nn.Module:
        """Return an untrained net."""
        return DigitNet()


@dataclass(frozen=True)
class Images:
    """Images and what they show.

    Parameters
    ----------
    values
        Ink, from 0 to 1, [images, 28, 28].
    labels
        The digits.
    test
        Whether each is for the test.
    source
        Whose they are.
    """

    values: torch.Tensor
    labels: torch.Tensor
    test: torch.Tensor
    source: str


def prepare(settings: Settings, sources: Sources) -> Prepared:
    """Return the federation of a fold.

    Parameters
    ----------
    settings
        The run.
    sources
        The fold, and the folder of MNIST's files where a user owns these.

    Raises
    ------
    FederatedError
        When images cannot be divided as asked, the fold is not there, or files are not MNIST's.
    """
    partition = "iid" if settings.partition == "auto" else settings.partition
    if partition not in DEALT:
        raise FederatedError(
            f"partition is '{partition}', but nobody knows who wrote the digits; set it to {', '.join(DEALT)} or auto"
        )
    images = _small(sources.fold, settings.seed) if sources.folder is None else _mnist(sources)
    rows = _rows(images)
    divided, test = torch.nonzero(~images.test)[:, 0].tolist(), torch.nonzero(images.test)[:, 0].tolist()
    clients = clients_of(rows, divided, partition, settings)
    inputs, facts = _standardised(images.values, clients)
    workload = Digits(CLASSES, images.labels, inputs[:, None])
    return Prepared(workload, rows, clients, test, partition, facts={"images": images.source, **facts})


def _small(fold: int, seed: int) -> Images:
    """Return scikit-learn's 1797 digits, made larger; the fold says which are for the test."""
    _require_fold(fold, FOLDS)
    digits = load_digits()
    values = torch.from_numpy(digits.images / GREATEST).float()
    larger = functional.interpolate(values[:, None], size=(SIDE, SIDE), mode="bilinear", align_corners=False)[:, 0]
    labels = torch.from_numpy(digits.target).long()
    dealt = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32).split(labels, labels))
    test = torch.zeros(len(labels), dtype=torch.bool)
    test[torch.from_numpy(dealt[fold - 1][1])] = True
    return Images(larger, labels, test, "scikit-learn")


def _mnist(sources: Sources) -> Images:
    """Return MNIST's 70,000 digits with its own test set."""
    assert sources.folder is not None
    _require_fold(sources.fold, 1)
    (values, labels), (test_values, test_labels) = read_mnist(sources.folder)
    test = torch.zeros(len(labels) + len(test_labels), dtype=torch.bool)
    test[len(labels) :] = True
    ink = torch.from_numpy(np.concatenate([values, test_values])).float().div_(255)
    return Images(ink, torch.from_numpy(np.concatenate([labels, test_labels])).long(), test, "mnist")


def _require_fold(fold: int, folds: int) -> None:
    if not 1 <= fold <= folds:
        raise FederatedError(f"there is no fold {fold} of these digits; they have {folds}")


def _rows(images: Images) -> pd.DataFrame:
    """Return a row per image, as a fold's table has them of utterances."""
    count = len(images.labels)
    digits = max(4, len(str(count - 1)))
    return pd.DataFrame(
        {
            "utterance": [f"digit_{number:0{digits}}" for number in range(count)],
            "speaker": "",
            "gender": "",
            "session": "",
            "label": [CLASSES[label] for label in images.labels.tolist()],
            "part": np.where(images.test.numpy(), "test", "train"),
        }
    )


def _standardised(values: torch.Tensor, clients: Sequence[Client]) -> tuple[torch.Tensor, dict[str, float]]:
    """Return images less the mean over the deviation of all that clients learn from, and these two numbers."""
    learned = values[torch.tensor([number for client in clients for number in client.train])].double()
    mean, deviation = float(learned.mean()), float(learned.std(correction=0))
    return (values - mean) / deviation, {"mean": mean, "deviation": deviation}
