"""Models of which it is known how they can be fooled, and speech for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from candor.attack.crafting import Settings
from candor.attack.job import AttackJob
from candor.audio.conversion import encode
from candor.backbones.interface import Backbone, Hidden, pad
from candor.models.end_to_end import EndToEnd
from candor.models.linear import PooledNetwork
from candor.models.loading import Model
from candor.models.saving import About
from candor.models.tasks import Emotion
from candor.store.objects import Store

CLASSES = ["neutral", "anger"]
WIDTH = 16
RMS = 0.1
SPEAKERS, EACH = 6, 8


class Pieces(Backbone):
    """Cuts a waveform into pieces of 16 samples, whose one dimension is their product with fixed weights."""

    layers, dimensions = 1, 1

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("weights", weights)

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        clips = zip(waveforms, lengths.tolist(), strict=True)
        pieces = [own[: length // WIDTH * WIDTH].view(-1, WIDTH) for own, length in clips]
        return pad([(own @ self.weights)[None, :, None] for own in pieces])


class Silencer(Pieces):
    """The same without a gradient: everything is rounded."""

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        hidden = super().forward(waveforms, lengths)
        return Hidden(hidden.states + 0 * waveforms.sum() if waveforms.requires_grad else hidden.states, hidden.lengths)


def signs() -> torch.Tensor:
    """Return weights of plus and minus one."""
    return torch.tensor(np.random.default_rng(5).choice([-1.0, 1.0], WIDTH), dtype=torch.float32)


def linear_model(backbone: Backbone | None = None, slope: float = 50.0) -> EndToEnd:
    """Return a model that hears anger where the mean product with the weights is above zero, else neutral."""
    recipe = {"downstream_model": "linear", "learning_rate": 0.1, "num_epochs": 1, "batch_size": 1, "pooling": "mean"}
    about = About("pooled", 1, 1, Emotion(CLASSES).described(), recipe, {})
    head = PooledNetwork(1, 1, 2, "mean")
    with torch.no_grad():
        head.head.dense.weight.copy_(torch.tensor([[-slope], [slope]]))
        head.head.dense.bias.zero_()
    model = Model(about, Emotion(CLASSES), head.eval(), {}, None)
    return EndToEnd(backbone or Pieces(signs()), model)


def clip(label: str, margin: float, seed: int, samples: int = 4000) -> np.ndarray:
    """Return noise of which the mean product with the weights is 16 times the margin, and nothing else decides.

    Parameters
    ----------
    label
        Which side of zero that is on.
    margin
        How far a step along the weights has to go until the other emotion is heard.
    seed
        Of the noise.
    samples
        How long it is.
    """
    weights = signs().numpy().astype(np.float64)
    noise = np.random.default_rng(seed).standard_normal((samples // WIDTH, WIDTH))
    noise -= np.outer(noise @ weights, weights) / WIDTH
    noise *= RMS / np.sqrt(np.mean(noise**2))
    side = 1.0 if label == "anger" else -1.0
    tail = np.zeros(samples % WIDTH)
    return np.concatenate([(noise + side * margin * weights).ravel(), tail]).astype(np.float32)


class InMemory:
    """Models that need not be loaded, the same for all folds and seeds."""

    def __init__(self, model: EndToEnd, backbone: str = "pieces") -> None:
        self.end_to_end, self.backbone = model, backbone

    def model(self, fold, seed, table, store, device) -> EndToEnd:
        return self.end_to_end


def job_of(
    clips: dict[str, np.ndarray], labels: dict[str, str], model: EndToEnd, root: Path, settings: Settings, **more
) -> AttackJob:
    """Return the attack on a model with clips, in one fold, eight clips of each speaker."""
    store = Store(root / "store")
    names = list(clips)
    rows = [
        {"utterance": name, "member": store.put(encode(clips[name]), ".wav"), "samples": len(clips[name])}
        for name in names
    ]
    fold = pd.DataFrame(
        {
            "utterance": names,
            "speaker": [f"s{place // EACH}" for place in range(len(names))],
            "gender": ["female" if place // EACH % 2 else "male" for place in range(len(names))],
            "session": "",
            "label": [labels[name] for name in names],
            "value": np.nan,
            "part": "test",
        }
    )
    with torch.no_grad():
        waveforms = [torch.from_numpy(np.round(clips[name] * 32768) / 32768).float() for name in names]
        said = [int(model(one[None], torch.tensor([len(one)])).argmax()) for one in waveforms]
    predictions = fold[["utterance", "label"]].assign(seed=0, predicted=[CLASSES[code] for code in said])
    options = {"own_gradient": True, "surrogate": None, "seconds": None, **more}
    return AttackJob(
        system=InMemory(model),
        folds={1: fold},
        predictions={1: predictions},
        audio=pd.DataFrame(rows),
        seeds=[0],
        settings=settings,
        store=store,
        **options,
    )


def planted(margin: float) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return clips of six speakers that a step of this size along the weights turns, and their labels."""
    labels = {f"u{n:02}": CLASSES[n % 2] for n in range(SPEAKERS * EACH)}
    # Clips of three lengths, so that batches are padded.
    clips = {
        name: clip(label, margin * (0.9 + 0.02 * (n % 7)), n, 4000 + 800 * (n % 3))
        for n, (name, label) in enumerate(labels.items())
    }
    return clips, labels
