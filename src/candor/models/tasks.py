"""What is learned: emotions by weighted cross-entropy, or a rating by its concordance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional


class Task(ABC):
    """What a network's outputs mean, what a mistake costs, and which epoch is best."""

    pred: str
    outputs: int

    @abstractmethod
    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return what is to be made small."""

    @abstractmethod
    def score(self, outputs: torch.Tensor, targets: torch.Tensor) -> float:
        """Return what the best epoch has most of."""

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """Return what `task_of` makes the same task of."""


class Emotion(Task):
    """One of several classes, by class-weighted cross-entropy; the best epoch is that of the highest UAR.

    Parameters
    ----------
    classes
        Their names in order.
    weights
        What a mistake on an utterance of each class costs.
    """

    pred = "emotion"

    def __init__(self, classes: Sequence[str], weights: torch.Tensor | None = None) -> None:
        self.classes, self.weights, self.outputs = list(classes), weights, len(classes)

    @classmethod
    def of(cls, classes: Sequence[str], targets: torch.Tensor) -> Emotion:
        """Return the task with weights in inverse proportion to the classes' frequencies among `targets`."""
        return cls(classes, class_weights(targets, len(classes)))

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy, weighted by class."""
        weights = None if self.weights is None else self.weights.to(outputs.device)
        return functional.cross_entropy(outputs, targets, weight=weights)

    def score(self, outputs: torch.Tensor, targets: torch.Tensor) -> float:
        """Return the UAR."""
        return uar(targets, outputs.argmax(dim=1), self.outputs)

    def described(self) -> dict[str, Any]:
        """Return its name and classes."""
        return {"pred": self.pred, "classes": self.classes}


class Rating(Task):
    """A number such as arousal, by 1 − CCC; the best epoch is that of the highest CCC.

    Networks foretell the rating in standard deviations from the mean of the training utterances.

    Parameters
    ----------
    pred
        What is rated.
    mean, deviation
        Of the ratings of the training utterances.
    """

    outputs = 1

    def __init__(self, pred: str, mean: float, deviation: float) -> None:
        self.pred, self.mean, self.deviation = pred, mean, deviation

    @classmethod
    def of(cls, pred: str, targets: torch.Tensor) -> Rating:
        """Return the task with the mean and deviation of `targets`."""
        return cls(pred, float(targets.mean()), max(float(targets.std(correction=0)), 1e-6))

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return one minus the concordance of outputs and targets."""
        return 1 - concordance(outputs[:, 0], (targets - self.mean) / self.deviation)

    def score(self, outputs: torch.Tensor, targets: torch.Tensor) -> float:
        """Return the concordance."""
        return float(concordance(self.ratings(outputs).double(), targets.double()))

    def ratings(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return what outputs say, in the unit of the ratings."""
        return outputs[:, 0] * self.deviation + self.mean

    def described(self) -> dict[str, Any]:
        """Return its name and scale."""
        return {"pred": self.pred, "mean": self.mean, "deviation": self.deviation}


def task_of(described: Mapping[str, Any]) -> Emotion | Rating:
    """Return the task that `Task.described` tells of, to predict with."""
    if described["pred"] == "emotion":
        return Emotion(described["classes"])
    return Rating(described["pred"], described["mean"], described["deviation"])


def class_weights(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return weights in inverse proportion to each class's frequency, one on average over utterances."""
    counts = torch.bincount(labels, minlength=classes).double()
    present = counts > 0
    weights = torch.zeros(classes, dtype=torch.float64)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights.float()


def uar(labels: torch.Tensor, predicted: torch.Tensor, classes: int) -> float:
    """Return the mean recall over the classes that occur in `labels`."""
    right = torch.bincount(labels[predicted == labels], minlength=classes).double()
    counts = torch.bincount(labels, minlength=classes).double()
    return float((right[counts > 0] / counts[counts > 0]).mean())


def concordance(predicted: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    r"""Return the concordance correlation coefficient, 0 where neither varies.

    .. math:: \frac{2\,\operatorname{cov}(p, t)}{\operatorname{var} p + \operatorname{var} t + (\bar p - \bar t)^2}

    References
    ----------
    .. [1] L. I-K. Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45, 1989.
    """
    apart = predicted.mean() - true.mean()
    covariance = ((predicted - predicted.mean()) * (true - true.mean())).mean()
    spread = predicted.var(correction=0) + true.var(correction=0) + apart**2
    return 2 * covariance / spread.clamp_min(1e-12)


def encode(labels: Sequence[str], classes: Sequence[str]) -> torch.Tensor:
    """Return the class numbers of labels."""
    numbers = {name: number for number, name in enumerate(classes)}
    return torch.tensor([numbers[label] for label in labels], dtype=torch.long)
