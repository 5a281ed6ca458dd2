"""The benchmarks of extraction, training, attacks and federated training run, on tiny networks, and count right."""

import json
import runpy
import subprocess
import sys

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from paths import ROOT

FEATURES, TRAINING, ATTACK, FEDERATED, KEPT = (
    runpy.run_path(str(ROOT / "benchmarks" / f"{name}.py"))
    for name in ("features", "training", "attack", "federated", "kept_updates")
)
BACKBONES = runpy.run_path(str(ROOT / "benchmarks" / "random_backbones.py"))

TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8, 8, 8, 8, 8, 8, 8),
    "num_conv_pos_embeddings": 6,
    "num_conv_pos_embedding_groups": 2,
}


@pytest.fixture
def wav2vec2(tmp_path):
    return BACKBONES["wav2vec2"](tmp_path / "wav2vec2", TINY)


@pytest.fixture
def apc(tmp_path):
    return BACKBONES["apc"](tmp_path / "apc", {"hidden_size": 8, "num_layers": 3})


def columns_of(rows):
    return {tuple(row) for row in rows}


COLUMNS = {("what", "ours", "other", "ratio", "how measured")}


def test_both_of_the_twins_say_the_same(wav2vec2, apc):
    """Otherwise the comparison would be with another network."""
    waveform = 0.1 * torch.randn(9000, generator=torch.Generator().manual_seed(0))
    normalised = (waveform - waveform.mean()) / waveform.std(correction=0)
    for twins, heard in ((wav2vec2, normalised), (apc, waveform)):
        with torch.no_grad():
            ours = twins.backbone(waveform[None], torch.tensor([9000])).states
            theirs = torch.stack(list(twins.run(twins.model, [heard])))
        assert torch.allclose(ours, theirs, atol=1e-4), twins.name


def test_operations_are_those_that_torch_counts(wav2vec2):
    # Fused attention would not be counted on a CPU.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counted, torch.no_grad():
        wav2vec2.run(wav2vec2.model, [torch.randn(16000)])
    assert BACKBONES["multiplications"](wav2vec2.model, 16000) == counted.get_total_flops()


def test_extraction_is_compared(apc, tmp_path):
    rows = FEATURES["compare"](apc, FEATURES["Work"](2, 6.0), tmp_path / "run")
    assert columns_of(rows) == COLUMNS
    assert [row["what"].rpartition(", ")[2] for row in rows] == ["one by one", "in a batch"]
    assert all(float(row["ratio"]) > 0 for row in rows)


def test_lower_precision_is_compared(wav2vec2, tmp_path):
    """As on a GPU, which the machine that tests may lack."""
    rows = FEATURES["lower_precision"](wav2vec2, FEATURES["Work"](1, 0.5, 64), tmp_path, "cpu")
    assert columns_of(rows) == COLUMNS
    assert {row["what"].rpartition(", ")[2] for row in rows} == {"pooled", "frames", "bare loop"}


@pytest.mark.parametrize("kind", ["wav2vec2", "apc"])
def test_training_is_compared(kind, request, tmp_path):
    rows = TRAINING["thirty_epochs"](request.getfixturevalue(kind), 10, 4, tmp_path / "run")
    assert columns_of(rows) == COLUMNS
    assert all(float(row["ratio"]) > 0 for row in rows)


def test_attacks_are_compared_and_fool_the_same_utterances(apc, tmp_path):
    rows = ATTACK["compare"](apc, 6, tmp_path / "run")
    assert columns_of(rows) == COLUMNS
    assert all(float(row["ratio"]) > 0 for row in rows)
    assert rows[-1]["ratio"] == "1.000"


def test_the_whole_of_an_epoch_is_done_in_thirty_pieces(apc, tmp_path):
    """10 clips: two steps of training, two clips of dev and two of test."""
    clips = TRAINING["put_clips"](TRAINING["Store"](tmp_path / "store"), 10, 0)
    waveforms = [torch.randn(clip.samples) for clip in clips]
    theirs = TRAINING["TheirEpoch"](apc, TRAINING["Fold"].of(clips), waveforms, 4)
    done = []
    for epoch in range(30):
        theirs.go_on((epoch + 1) / 30)
        done.append(theirs.done)
    assert len(theirs.pieces) == 6
    assert done[-1] == 6
    assert done[14] == 3


def test_steps_of_the_linear_head_are_counted():
    before = torch.get_num_threads()
    row = TRAINING["linear_steps"](6, utterances=64, batch=32)
    assert "over 6 steps of 32" in row["how measured"]
    assert torch.get_num_threads() == before


def test_memory_is_watched_in_a_process_of_its_own(tmp_path):
    store = TRAINING["Store"](tmp_path / "store")
    index = TRAINING["write_frames"](store, 0.002, layers=3, dimensions=32)
    assert len(index) == 53  # of 200 frames, 3 layers, 32 dimensions and 2 bytes each
    index.to_csv(tmp_path / "index.tsv", sep="\t", index=False)
    command = [sys.executable, str(ROOT / "benchmarks" / "training.py"), "--only-read", str(tmp_path)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert said["VmHWM"] >= said["RssAnon"] >= said["RssAnon before"] > 0


@pytest.fixture
def federation():
    return FEDERATED["Contest"](FEDERATED["Task"](clients=3, steps=2, batch=4, widths=(8, 6, 3)))


def test_rounds_of_a_federation_are_compared_and_come_to_the_same_model(federation):
    for number in range(3):
        federation.round(count=number > 0)
    rows = list(federation.rows())
    assert columns_of(rows) == COLUMNS
    assert [row["what"] for row in rows] == ["round, plain loop", "round, as people write it"]
    assert all("median of 2 rounds" in row["how measured"] and float(row["ratio"]) > 0 for row in rows)
    ours, loop = (own.parameters for own in federation.weights.values())
    assert torch.allclose(ours, loop, atol=1e-6)
    assert not torch.equal(ours, federation.start.parameters)


def test_the_arithmetic_of_a_round_is_what_torch_counts(federation):
    loop = federation.engines["plain loop"]
    with FlopCounterMode(display=False) as counted:
        list(loop.run(federation.start, federation.work))
    federation.round()
    [told] = [row["how measured"] for row in FEDERATED["bounds"](federation, 1e10) if "arithmetic" in row["what"]]
    assert told.startswith(f"{counted.get_total_flops() / 1e9:.2f} GFLOP")
    assert FEDERATED["operations"](federation.task) == counted.get_total_flops()


def test_what_it_takes_to_keep_updates_is_measured():
    rows = list(KEPT["rows"](FEDERATED["Task"](clients=3, steps=2, batch=4, widths=(64, 32, 3)), 2))
    *measured, _, _ = rows
    assert columns_of(rows) == COLUMNS
    assert [row["what"].split(" updates of ")[0] for row in measured] == ["6"] * 8
    ratios = [float(row["ratio"]) for row in measured]
    assert ratios[:4] == sorted(ratios[:4], reverse=True)
    assert ratios[4:] == sorted(ratios[4:], reverse=True)


def test_aggregation_is_compared():
    rows, copied = FEDERATED["aggregation"](5, 1000, 1)
    assert columns_of(rows) == COLUMNS
    assert [row["what"].rpartition(", ")[2] for row in rows] == ["NumPy loop", "Flower"]
    assert copied > 0
    values, weights = torch.randn(4, 30), torch.rand(4)
    total = torch.zeros(30)
    FEDERATED["add_weighted"](total, values, weights)
    assert torch.allclose(total, torch.from_numpy(FEDERATED["numpy_loop"](values.numpy(), weights.numpy())), atol=1e-6)
