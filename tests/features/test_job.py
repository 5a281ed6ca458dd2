"""A job of the stage: from tables and parameters to what is in the store."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from backbones.tiny_s3prl import write_tiny
from candor.audio.conversion import encode
from candor.backbones.weights import WeightsError, keep_checkpoint
from candor.features.job import Job, deviation_of, extract, load_backbone
from candor.runtime import DeviceError
from candor.store.objects import Store
from candor.tables.backbones import Weights


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def audio(store) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    rows = []
    for number in range(4):
        clip = (0.1 * generator.standard_normal(8000 + 800 * number)).astype(np.float32)
        rows.append({"utterance": f"u{number}", "member": store.put(encode(clip), ".wav"), "samples": len(clip)})
    return pd.DataFrame(rows)


def weights(folder, seed: int = 0) -> str:
    """Return the table of a tiny APC below `folder`, as the rule `weights` leaves it."""
    checkpoint = write_tiny("apc", folder / f"made{seed}", seed=seed).read_bytes()
    Weights.write([keep_checkpoint(checkpoint, folder / Weights.FOLDER, "made here")], folder / "weights.tsv")
    return str(folder / "weights.tsv")


def job(table: str, store: Store, **changes) -> Job:
    params = {"family": "s3prl", "options": {"upstream": "apc"}, "seconds": 6.0, "precision": "float32"}
    given = SimpleNamespace(**{**params, "store": str(store.root), **changes})
    return Job.of("apc", table, given, SimpleNamespace(batch_seconds=10, device="cpu"))


def test_the_same_weights_from_elsewhere_cost_nothing_and_others_do(tmp_path, store, audio, caplog):
    caplog.set_level("INFO")
    first, _ = extract(job(weights(tmp_path / "one"), store), audio, frames=True)
    again, _ = extract(job(weights(tmp_path / "two"), store), audio, frames=True)
    assert again.frame_rows() == first.frame_rows()
    assert "all 4 clips are in the store" in caplog.text
    ran, found = first.took(), again.took()
    assert (ran["clips"], ran["clips_run"], ran["device"]) == (4, 4, "cpu")
    assert ran["audio_run"] == sum(clip.seconds for clip in first.clips)
    assert ran["seconds"] > 0
    assert {**found, "clips": 0} == {"clips": 0, "clips_run": 0, "audio_run": 0.0, "seconds": 0.0, "device": ""}
    other, _ = extract(job(weights(tmp_path / "three", seed=1), store), audio, frames=True)
    assert other.frame_rows() != first.frame_rows()


def test_weights_that_have_changed_are_refused(tmp_path, store, audio):
    table = weights(tmp_path / "one")
    with (tmp_path / "one" / Weights.FOLDER / "checkpoint.ckpt").open("ab") as handle:
        handle.write(b"x")
    with pytest.raises(WeightsError, match=r"checkpoint\.ckpt has changed"):
        extract(job(table, store), audio, frames=False)


def test_lower_precision_needs_a_gpu_and_is_measured(tmp_path, store, audio):
    table = weights(tmp_path / "one")
    with pytest.raises(DeviceError, match=r"features\.precision is 'bfloat16', which needs a GPU"):
        extract(job(table, store, precision="bfloat16"), audio, frames=False)
    backbone, way = load_backbone(job(table, store))
    clips = extract(job(table, store), audio, frames=False)[0].clips
    assert deviation_of(backbone, clips, store, way) == {"relative_deviation": 0.0}
    lower = type(way)(way.batch_seconds, "bfloat16", "cpu")
    assert 0 < deviation_of(backbone, clips, store, lower)["relative_deviation"] < 0.05
