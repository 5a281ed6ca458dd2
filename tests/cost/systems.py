"""Systems with random weights: any backbone with any head, put together without a training."""

from __future__ import annotations

import torch
from torch import nn

from candor.backbones.interface import Backbone, Hidden, by_equal_length
from candor.cost.system import System
from candor.models.end_to_end import EndToEnd
from candor.models.loading import Model, make_head
from candor.models.saving import About
from candor.models.tasks import Emotion

CLASSES = ["neutral", "anger", "sadness"]
OPTIONS = {"learning_rate": 0.1, "num_epochs": 1, "batch_size": 1}
CNN = {"downstream_model": "cnn", "hidden_size": 8, "conv_layers": 2, "num_layers": 2, "pooling": "mean"}


def system_of(backbone: Backbone, head: dict | None = None, kind: str = "frames") -> System:
    """Return a backbone with an untrained head."""
    recipe, task = {**OPTIONS, **(head or CNN)}, Emotion(CLASSES)
    about = About(kind, backbone.layers, backbone.dimensions, task.described(), recipe, {})
    return System(EndToEnd(backbone, Model(about, task, make_head(about, task).eval(), {}, None)), frozenset())


class Handmade(Backbone):
    """A convolution, a GRU, a transformer layer: all that a backbone may consist of; and a part that is never run."""

    layers, dimensions = 2, 12

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 6, 400, stride=320, bias=False)
        self.gru = nn.GRU(6, 12, batch_first=True)
        self.attention = nn.TransformerEncoderLayer(12, 2, 20, 0.0, batch_first=True)
        self.decoder = nn.Linear(12, 1000)
        self.train()

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        return by_equal_length(self._run, waveforms, lengths)

    def _run(self, waveforms: torch.Tensor) -> torch.Tensor:
        low, _ = self.gru(self.convolution(waveforms[:, None]).transpose(1, 2))
        return torch.stack([low, self.attention(low)])


def of_handmade(samples: int) -> int:
    """Return what `Handmade` does, by hand."""
    frames = (samples - 400) // 320 + 1
    convolution = 2 * frames * 400 * 6
    gru = frames * 2 * 3 * 12 * (6 + 12)
    attention = 2 * frames * 12 * 4 * 12 + 2 * 2 * frames**2 * 12 + 2 * 2 * frames * 12 * 20
    return convolution + gru + attention


def of_cnn(frames: int, dimensions: int, layers: int, width: int = 8, classes: int = len(CLASSES)) -> int:
    """Return what the head `CNN` does: two layers weighted; one convolution of width 1 per frame, one of the mean."""
    mixed = 2 * layers * frames * dimensions if layers > 1 else 0
    return mixed + 2 * frames * dimensions * width + 2 * width * (2 * width + classes)
