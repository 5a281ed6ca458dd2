"""Planted models and speech for them, and answers whose figures are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from candor.audio.conversion import encode
from candor.backbones.interface import Backbone
from candor.features.extraction import Way, run_on_device
from candor.models.as_trained import AsTrained
from candor.models.linear import PooledNetwork
from candor.models.loading import Model
from candor.models.saving import About
from candor.models.tasks import Emotion, Rating, Task
from candor.robustness.job import RobustnessJob
from candor.store.objects import Store
from planted_models import CLASSES, EACH, Pieces, signs

EMOTIONS = ["neutral", "anger", "sadness"]


class Direct:
    """Runs a backbone that need not be loaded."""

    device = "cpu"

    def __init__(self, backbone: Backbone) -> None:
        self.backbone, self.calls = backbone, 0

    def hidden(self, model, waveforms):
        self.calls += 1
        return run_on_device(self.backbone, waveforms, Way())

    def backbone_of(self, model):
        return self.backbone


class Planted:
    """Models that hear anger where the mean product with the weights is above zero, the same for all folds."""

    backbone = "pieces"

    def __init__(self, task: Task | None = None, slope: float = 50.0) -> None:
        task = task or Emotion(CLASSES)
        recipe = {
            "downstream_model": "linear",
            "learning_rate": 0.1,
            "num_epochs": 1,
            "batch_size": 1,
            "pooling": "mean",
        }
        head = PooledNetwork(1, 1, task.outputs, "mean")
        with torch.no_grad():
            weights = [[-slope], [slope]] if isinstance(task, Emotion) else [[slope]]
            head.head.dense.weight.copy_(torch.tensor(weights))
            head.head.dense.bias.zero_()
        self.model = Model(About("pooled", 1, 1, task.described(), recipe, {}), task, head.eval(), {}, None)
        self.listener = Direct(Pieces(signs()))

    def as_trained(self, fold, seeds, table, store, device) -> AsTrained:
        return AsTrained(dict.fromkeys(seeds, self.model), self.listener)


def job_of(clips: dict[str, np.ndarray], labels: dict[str, str], root: Path, tests, **more) -> RobustnessJob:
    """Return the tests of planted models with clips, in one fold, eight clips of each speaker."""
    store, names = Store(root / "store"), list(clips)
    system = more.pop("system", None) or Planted()
    audio = pd.DataFrame(
        {
            "utterance": names,
            "member": [store.put(encode(clips[name]), ".wav") for name in names],
            "samples": [len(clips[name]) for name in names],
        }
    )
    fold = pd.DataFrame(
        {
            "utterance": names,
            "speaker": more.pop("speakers", [f"s{place // EACH}" for place in range(len(names))]),
            "gender": "",
            "session": "",
            "label": [labels[name] for name in names],
            "value": np.nan,
            "part": "test",
        }
    )
    seeds = more.pop("seeds", [0])
    waveforms = [torch.from_numpy(np.round(clips[name] * 32768) / 32768).float() for name in names]
    said = system.as_trained(1, [0], fold, store, "cpu").answers(waveforms, range(len(names)), names)[0]
    rows = fold[["utterance", "speaker", "session", "label"]].assign(fold=1, predicted=said)
    predictions = pd.concat([rows.assign(seed=seed) for seed in seeds])
    options = {"seconds": None, "most": None, **more}
    return RobustnessJob(
        system=system,
        folds={1: fold},
        predictions={1: predictions},
        audio=audio,
        seeds=seeds,
        tests=tests,
        store=store,
        **options,
    )


def rating_task() -> Rating:
    return Rating("arousal", 3.0, 1.0)


def predictions_of(speakers=8, each=15, seeds=(0,), right=0.8, seed=0, classes=EMOTIONS) -> pd.DataFrame:
    """Return predictions as recorded: so many of them are right."""
    random, rows = np.random.default_rng(seed), []
    for number in seeds:
        for person in range(speakers):
            for place in range(each):
                label = classes[place % len(classes)]
                said = label if random.random() < right else classes[(place + 1) % len(classes)]
                rows.append(
                    {
                        "utterance": f"u{person}_{place:02}", "speaker": f"s{person}", "gender": "", "session": "",
                        "fold": 1 + person % 2, "seed": number, "label": label, "predicted": said,
                        **{f"p_{name}": float(name == said) for name in classes},
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def disturbed_of(predictions: pd.DataFrame, tests, change, seed=1) -> pd.DataFrame:
    """Return what is said of disturbed speech; `change` says what from test, strength, row and a random generator."""
    random, rows = np.random.default_rng(seed), []
    for test, strengths in tests.items():
        for strength in strengths:
            for row in predictions.to_dict("records"):
                made = {name: row[name] for name in ("utterance", "fold", "seed")}
                said = change(test, strength, row, random)
                status = "disturbed" if said in EMOTIONS or not isinstance(said, str) else said
                predicted = said if status == "disturbed" else ""
                made |= {"test": test, "strength": strength, "predicted": predicted, "realised_snr": None}
                rows.append({**made, "status": status})
    return pd.DataFrame(rows)
