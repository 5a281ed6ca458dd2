"""The two attackers: a linear discriminant on vectors, and a network on bags of frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch

from candor.models.networks import FrameNetwork
from candor.models.outputs import outputs_of
from candor.models.recipe import Recipe
from candor.models.tasks import Emotion
from candor.models.training import Part, train
from candor.privacy.linear import Discriminant
from candor.privacy.people import Codes, Training
from candor.privacy.states import Bags
from candor.stats.intervals import FloatArray

BATCH, CONVOLUTIONS, DENSE, DROPOUT = 32, 2, 2, 0.2
PATIENCE = 5
"""Epochs in a row without a better UAR on dev, after which the cnn gives up."""
PROJECTED_AT_ONCE = 256


class Fitted(Protocol):
    """An attacker that has learned."""

    def guess(self, numbers: Codes) -> Codes:
        """Return the class of these utterances."""
        ...

    def guess_dev(self) -> Codes:
        """Return the class of the utterances of dev, none of which has been learned from."""
        ...

    def project(self, numbers: Codes) -> FloatArray:
        """Return what tells the classes apart in these utterances, [utterances, dimensions]."""
        ...


class Attacker(Protocol):
    """Learns to tell classes apart."""

    def fit(self, training: Training, seed: int) -> Fitted:
        """Return the attacker after a training."""
        ...


@dataclass(frozen=True)
class LinearAttacker:
    """Learns in closed form; with nothing to choose, from dev as well.

    Parameters
    ----------
    states
        [utterances, dimensions].
    """

    states: FloatArray

    def fit(self, training: Training, seed: int) -> Fitted:
        """Return the discriminant; nothing is random in it."""
        numbers = np.concatenate([training.train, training.dev])
        labels = training.labels[numbers]
        return _FittedLinear(self.states, training, Discriminant.fit(self.states[numbers], labels, training.classes))


@dataclass(frozen=True)
class _FittedLinear:
    states: FloatArray
    training: Training
    discriminant: Discriminant

    def guess(self, numbers: Codes) -> Codes:
        return self.discriminant.guess(self.states[numbers])

    def guess_dev(self) -> Codes:
        train, labels = self.training.train, self.training.labels
        taught_by_train = Discriminant.fit(self.states[train], labels[train], self.training.classes)
        return taught_by_train.guess(self.states[self.training.dev])

    def project(self, numbers: Codes) -> FloatArray:
        return self.discriminant.project(self.states[numbers])


@dataclass(frozen=True)
class Effort:
    """How hard a network tries.

    Parameters
    ----------
    num_epochs, learning_rate, hidden_size
        As in the config.
    """

    num_epochs: int
    learning_rate: float
    hidden_size: int

    def recipe(self) -> Recipe:
        """Return the training, as the stage `models` takes it."""
        return Recipe(
            "cnn", self.learning_rate, self.num_epochs, BATCH, hidden_size=self.hidden_size, conv_layers=CONVOLUTIONS,
            num_layers=DENSE, dropout=DROPOUT, early_stopping=PATIENCE,
        )  # fmt: skip


@dataclass(frozen=True)
class CnnAttacker:
    """A network of trust-ser's shape on standardised states; the epoch with the best UAR on dev is kept.

    Classes weigh the same in its loss, however often they occur. Else one that hears nothing would say the more
    frequent gender of train, which is the rarer one in test, and so fall below chance.

    Parameters
    ----------
    bags
        The utterances.
    effort
        How hard it tries.
    device
        What it runs on.
    """

    bags: Bags
    effort: Effort
    device: str = "cpu"

    def fit(self, training: Training, seed: int) -> Fitted:
        """Return the trained network."""
        bags = self.bags.standardised_by(training.train)
        layers, _, dimensions = bags.states[0].shape
        recipe, learned = self.effort.recipe(), _part(training, training.train)
        classes = [str(code) for code in range(training.classes)]
        trained = train(
            lambda: FrameNetwork(layers, dimensions, training.classes, recipe),
            bags,
            learned,
            _part(training, training.dev),
            Emotion.of(classes, learned.targets),
            recipe,
            seed,
            device=self.device,
        )
        assert isinstance(trained.network, FrameNetwork)
        return _FittedCnn(trained.network, bags, training, self.device)


@dataclass(frozen=True)
class _FittedCnn:
    network: FrameNetwork
    bags: Bags
    training: Training
    device: str

    def guess(self, numbers: Codes) -> Codes:
        outputs = outputs_of(self.network, self.bags, numbers.tolist(), self.device)
        return np.asarray(outputs.argmax(dim=1).numpy(), dtype=np.intp)

    def guess_dev(self) -> Codes:
        return self.guess(self.training.dev)

    def project(self, numbers: Codes) -> FloatArray:
        return np.asarray(self._embed(numbers.tolist()) - self._middle)

    @cached_property
    def _middle(self) -> FloatArray:
        """Where the utterances that were learned from are, on average; embedded once, and only if it is asked for."""
        return np.asarray(self._embed(self.training.train.tolist()).mean(axis=0))

    def _embed(self, numbers: Sequence[int]) -> FloatArray:
        parts = []
        with torch.no_grad():
            for start in range(0, len(numbers), PROJECTED_AT_ONCE):
                batch = self.bags.batch(numbers[start : start + PROJECTED_AT_ONCE], self.device)
                parts.append(self.network.embed(batch).cpu().double().numpy())
        return np.concatenate(parts)


def _part(training: Training, numbers: Codes) -> Part:
    return Part(numbers.tolist(), torch.from_numpy(training.labels[numbers]).long())
