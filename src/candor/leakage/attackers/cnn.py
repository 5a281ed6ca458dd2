"""The network of fed-ser-leakage: a layer's weight as an image, its bias beside what is made of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from candor.leakage.attackers.attacker import Lesson, Taught
from candor.leakage.layers import Layer
from candor.leakage.settings import BATCH, DROPOUT, PATIENCE
from candor.leakage.updates import Numbers, Standard, Updates
from candor.models.outputs import outputs_of
from candor.models.recipe import Recipe
from candor.models.tasks import Emotion
from candor.models.training import Part, train
from candor.stats.intervals import FloatArray

CHANNELS = (16, 32, 64)
DENSE = (256, 128)
CELLS = 64
"""Places of an image that are left at most once it has been pooled."""

POOLS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""How far the last pooling may go. With at most 64 places left these are fed-ser-leakage's of each of its features."""

LEAST = 32
"""Rows and columns of an image that can be pooled by 2, by 4, and once more."""

AT_HAND = 256 * 2**20
"""Bytes of updates that are kept in memory, in half precision; of more each is read anew whenever it is needed."""

Pool = tuple[tuple[int, int], tuple[int, int]]
"""Kernel and stride."""


def pools(rows: int, columns: int) -> list[Pool]:
    """Return how an image is pooled, three times, so that little enough is left of it.

    What can be pooled by 8 both ways is, and then by as much as is needed. Of flat images, as the last layer's, only
    the longer side is.

    >>> [kernel for kernel, _ in pools(256, 512)], [stride for _, stride in pools(4, 128)]
    ([(2, 2), (4, 4), (6, 6)], [(1, 1), (1, 4), (1, 4)])
    """
    if min(rows, columns) >= LEAST:
        for last in POOLS:
            left = (rows // 8 // last) * (columns // 8 // last)
            if 0 < left <= CELLS or min(rows, columns) // 8 // last == 1:
                return [((pool, pool), (pool, pool)) for pool in (2, 4, last)]
    if rows > columns:
        return [(kernel[::-1], stride[::-1]) for kernel, stride in pools(columns, rows)]
    flat: list[Pool] = [((1, 1), (1, 1))]
    for _ in range(2):
        kernel = (min(2, rows), min(2, columns))
        stride = 4 if columns >= 8 else 1
        rows, columns = rows - kernel[0] + 1, (columns - kernel[1]) // stride + 1
        flat.append((kernel, (1, stride)))
    return flat


class GradientNetwork(nn.Module):
    """Tells classes apart by one layer of a gradient.

    Parameters
    ----------
    layer
        Which layer.
    classes
        How many classes.
    """

    def __init__(self, layer: Layer, classes: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        before = 1
        for place, (channels, (kernel, stride)) in enumerate(
            zip(CHANNELS, pools(layer.rows, layer.columns), strict=True)
        ):
            last = place == len(CHANNELS) - 1
            stages += [nn.Conv2d(before, channels, 5, padding=2), *([nn.BatchNorm2d(channels)] if last else [])]
            stages += [nn.ReLU(), nn.MaxPool2d(kernel, stride), *([] if last else [nn.Dropout2d(DROPOUT)])]
            before = channels
        self.image = nn.Sequential(*stages, nn.Flatten())
        with torch.no_grad():
            width = self.image.eval()(torch.zeros(1, 1, layer.rows, layer.columns)).shape[1]
        self.image.train()
        dense: list[nn.Module] = []
        for before, after in zip((width + layer.biases, *DENSE), (*DENSE, classes), strict=False):
            dense += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(DROPOUT)]
        self.dense = nn.Sequential(*dense[:-2])
        self._layer = layer
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return log odds, [updates, classes], of standardised updates, [updates, numbers]."""
        weight = self._layer.rows * self._layer.columns
        images = values[:, :weight].view(-1, 1, self._layer.rows, self._layer.columns)
        seen = self.image(images.contiguous(memory_format=torch.channels_last))
        return self.dense(torch.cat([seen, values[:, weight:]], dim=1))  # type: ignore[no-any-return]


class Shown:
    """One layer of updates on a common scale, a batch at a time, as a training takes them.

    Parameters
    ----------
    updates, layer, scale
        Which, and how they are standardised.
    redrawn
        Numbers of updates whose noise is another one whenever they are looked at, so that none can be learned by heart.
    """

    def __init__(
        self, updates: Updates, layer: Layer, scale: Standard, redrawn: Sequence[int] | Numbers | None = None
    ) -> None:
        self._updates, self._layer, self._scale = updates, layer, scale
        self._redrawn = frozenset(() if redrawn is None else map(int, redrawn))
        self._drawings = 0
        self._at_hand: np.ndarray | None = None
        if 2 * len(updates) * layer.size <= AT_HAND:
            at_hand = np.empty((len(updates), layer.size), np.float16)
            for places, values in updates.blocks(layer, range(len(updates))):
                at_hand[places] = scale.brought(values)
            self._at_hand = at_hand

    def __len__(self) -> int:
        return len(self._updates)

    def values(self, numbers: Sequence[int] | Numbers) -> np.ndarray:
        """Return updates on the common scale, [updates, numbers]."""
        if self._redrawn and not self._redrawn.isdisjoint(map(int, numbers)):
            self._drawings += 1
            read = (
                self._updates.read(self._layer, int(number), self._drawings if number in self._redrawn else 0)
                for number in numbers
            )
            return self._scale.brought(np.stack(list(read)))
        if self._at_hand is not None:
            return self._at_hand[list(numbers)].astype(np.float32)
        return self._scale.brought(self._updates.rows(self._layer, numbers))

    def batch(self, numbers: Sequence[int], device: str) -> Any:
        """Return updates as a network takes them."""
        return torch.from_numpy(self.values(numbers)).to(device)


@dataclass(frozen=True)
class Cnn:
    """The network; the epoch with the best UAR on dev is kept. Values of the attribute weigh the same in its loss.

    Parameters
    ----------
    shadow, victims
        What it sees.
    layer
        Which layer that is.
    num_epochs, learning_rate
        How hard it tries at most.
    device
        What it runs on.
    """

    shadow: Shown
    victims: Shown
    layer: Layer
    num_epochs: int
    learning_rate: float
    device: str = "cpu"

    def learn(self, lesson: Lesson, seed: int, like: Taught | None = None) -> Taught:
        """Return the network after a lesson; its epoch is chosen anew after every lesson."""
        recipe = Recipe("cnn", self.learning_rate, self.num_epochs, BATCH, early_stopping=PATIENCE)
        learned = _part(lesson, lesson.train)
        classes = [str(code) for code in range(lesson.classes)]
        trained = train(
            lambda: GradientNetwork(self.layer, lesson.classes),
            self.shadow,
            learned,
            _part(lesson, lesson.dev),
            Emotion.of(classes, learned.targets),
            recipe,
            seed,
            device=self.device,
        )
        return _TaughtCnn(trained.network, self, lesson.dev)


@dataclass(frozen=True)
class _TaughtCnn:
    network: nn.Module
    attacker: Cnn
    held_out: Numbers

    def of_held_out(self) -> FloatArray:
        outputs = outputs_of(self.network, self.attacker.shadow, self.held_out.tolist(), self.attacker.device)
        return outputs.double().numpy()

    def of_means(self, groups: Sequence[Numbers]) -> FloatArray:
        return np.concatenate(list(self._of_means(groups)))

    @torch.no_grad()
    def _of_means(self, groups: Sequence[Numbers]) -> Iterator[FloatArray]:
        for start in range(0, len(groups), BATCH):
            means = [self.attacker.victims.values(group).mean(axis=0) for group in groups[start : start + BATCH]]
            values = torch.from_numpy(np.stack(means)).to(self.attacker.device)
            yield self.network(values).cpu().double().numpy()


def _part(lesson: Lesson, numbers: Numbers) -> Part:
    return Part(numbers.tolist(), torch.from_numpy(lesson.labels[numbers]).long())
