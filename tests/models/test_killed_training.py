"""A training that is killed goes on, and ends with the same bytes as one that never was."""

from pathlib import Path

import pytest

from candor.tables.models import TrainingTiming
from killing import run, run_and_kill

PROGRAM = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
import pandas as pd
import torch
from candor.features.clips import Clip
from candor.models import resume, training
from candor.models.inputs import PooledInputs
from candor.models.job import FoldJob
from candor.models.linear import PooledNetwork
from candor.models.prepare import Prepared

resume.PATIENCE = 0.0
root = Path(sys.argv[1])
root.mkdir(exist_ok=True)
generator = np.random.default_rng(0)
labels = generator.integers(0, 3, 240)
pooled = torch.from_numpy((labels[:, None] + generator.normal(0, 2, (240, 24))).astype(np.float32)).reshape(-1, 2, 2, 6)


class Slow(PooledInputs):
    def batch(self, numbers, device):
        time.sleep(0.002)
        return super().batch(numbers, device)


fold = pd.DataFrame(
    {
        "utterance": [f"u{n}" for n in range(240)],
        "speaker": [f"s{n % 6}" for n in range(240)],
        "gender": "",
        "session": "",
        "label": [("neutral", "anger", "sadness")[label] for label in labels],
        "value": np.nan,
        "part": [{0: "test", 1: "dev"}.get(n % 6, "train") for n in range(240)],
    }
)
recipe = {
    "downstream_model": "linear", "learning_rate": 0.01, "num_epochs": 40, "batch_size": 16, "seeds": [0, 1],
    "norm": "nonorm", "norm_scope": "train", "pooling": "std",
}
prepared = Prepared("pooled", Slow(pooled), lambda outputs: PooledNetwork(2, 6, outputs, "std"), 2, 6)
run = {"dataset": "d", "backbone": "b", "recipe": "r", "fold": "1"}
output = SimpleNamespace(
    predictions=root / "predictions.tsv", history=root / "history.tsv", layers=root / "layers.tsv",
    recipe=root / "recipe.json", timing=root / "training.timing.tsv",
    heads=[root / "seed0.safetensors", root / "seed1.safetensors"],
)
FoldJob(run, "emotion", recipe, {}, {}, root / "aside").train_and_write(fold, prepared, output)
"""


def written(root: Path) -> dict[str, bytes]:
    """Return the bytes of all files but of those that tell times."""
    files = [path for path in root.iterdir() if path.is_file() and not path.name.endswith(".timing.tsv")]
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_bytes(tmp_path):
    program = tmp_path / "train.py"
    program.write_text(PROGRAM)
    run(program, tmp_path / "undisturbed")
    killed = tmp_path / "killed"
    for seed in (0, 1):
        run_and_kill(program, killed, when=lambda s=seed: (killed / "aside" / f"seed{s}.pt").exists())
        assert not written(killed)
    run(program, killed)
    assert written(killed) == written(tmp_path / "undisturbed")
    assert not [*(killed / "aside").iterdir()], "what was kept aside is gone"
    first, second = (TrainingTiming.read(root / "training.timing.tsv") for root in (tmp_path / "undisturbed", killed))
    assert first["epochs_run"].tolist() == first["epochs"].tolist() == second["epochs"].tolist() == [40, 40]
    assert second["epochs_run"].iloc[0] == 0, "the first seed was done"
    assert second["epochs_run"].sum() < 80
    assert (first["seconds"] > 0).all()
