"""Handwritten digits: scikit-learn's made larger, or the files of MNIST that a user owns."""

import gzip
import struct
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from candor.federated.errors import FederatedError
from candor.federated.settings import Settings
from candor.federated.workloads.digits import DigitNet, prepare
from candor.federated.workloads.prepared import Sources

THREE = Settings(workload="digits", clients=3)


def learned(prepared):
    return [number for client in prepared.clients for number in client.train]


def test_the_five_folds_test_every_digit_once_and_all_classes_alike():
    tested = []
    for fold in range(1, 6):
        prepared = prepare(THREE, Sources(fold))
        tested += prepared.test
        counts = Counter(prepared.rows["label"].iloc[prepared.test])
        assert max(counts.values()) - min(counts.values()) <= 3
        held = [number for client in prepared.clients for number in client.train + client.dev]
        assert sorted(held + prepared.test) == list(range(1797))
    assert sorted(tested) == list(range(1797))
    assert prepare(Settings(workload="digits", seed=9), Sources(1)).test != prepare(THREE, Sources(1)).test


def test_images_are_those_of_scikit_learn_made_larger_by_straight_lines():
    prepared = prepare(THREE, Sources(1))
    digits = load_digits()
    assert prepared.rows["label"].tolist() == [str(label) for label in digits.target]
    assert prepared.rows["utterance"].iloc[[0, 1796]].tolist() == ["digit_0000", "digit_1796"]
    made = prepared.workload.inputs * prepared.facts["deviation"] + prepared.facts["mean"]
    for number in (0, 5, 1700):
        small = Image.fromarray((digits.images[number] / 16).astype(np.float32))
        larger = np.asarray(small.resize((28, 28), Image.Resampling.BILINEAR))
        assert np.allclose(made[number, 0].numpy(), larger, atol=1e-5)
    assert made.min() >= -1e-6
    assert made.max() <= 1 + 1e-6


def test_images_are_standardised_by_what_clients_learn_from():
    prepared = prepare(THREE, Sources(2))
    own = prepared.workload.inputs[learned(prepared)].double()
    assert abs(own.mean()) < 1e-6
    assert own.std(correction=0) == pytest.approx(1, abs=1e-6)
    assert not prepared.transductive


def test_nobody_wrote_them_so_they_are_dealt_out():
    assert prepare(THREE, Sources(1)).partition == "iid"
    for kind in ("dirichlet", "quantity", "iid"):
        prepared = prepare(Settings(workload="digits", clients=4, partition=kind), Sources(1))
        assert (prepared.partition, len(prepared.clients)) == (kind, 4)
    with pytest.raises(FederatedError, match="partition is 'speaker', but nobody knows who wrote the digits"):
        prepare(Settings(workload="digits", partition="speaker"), Sources(1))
    with pytest.raises(FederatedError, match="there is no fold 6 of these digits; they have 5"):
        prepare(THREE, Sources(6))


def test_the_net_is_the_one_of_the_example():
    # 20 and 50 convolutions of 5 × 5, then 800-500-10: its parameters are 431,080.
    assert sum(weights.numel() for weights in DigitNet().parameters()) == 20 * 26 + 50 * 501 + 500 * 801 + 10 * 501
    assert DigitNet()(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_the_net_learns_digits():
    prepared = prepare(THREE, Sources(1))
    workload, numbers = prepared.workload, learned(prepared)
    torch.manual_seed(0)
    network = workload.make()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(5):
        order = torch.randperm(len(numbers)).tolist()
        for start in range(0, len(order), 32):
            batch = [numbers[place] for place in order[start : start + 32]]
            optimiser.zero_grad()
            workload.loss(network(workload.batch(batch, "cpu")), workload.targets[batch]).backward()
            optimiser.step()
    with torch.no_grad():
        said = network(workload.batch(prepared.test, "cpu")).argmax(dim=1)
    assert (said == workload.targets[prepared.test]).double().mean() > 0.95


# MNIST


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def mnist(tmp_path):
    """A folder of files in MNIST's format, two of them packed, one called as after unpacking on Windows."""
    random = np.random.default_rng(0)
    parts = {}
    for name, count in (("train", 60), ("t10k", 20)):
        images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        parts[name] = images, labels
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(idx(labels))
    (tmp_path / "t10k-labels-idx1-ubyte").rename(tmp_path / "t10k-labels.idx1-ubyte")
    return tmp_path, parts


def test_files_of_mnist_are_read_packed_or_not(mnist):
    folder, parts = mnist
    prepared = prepare(THREE, Sources(1, folder=folder))
    made = prepared.workload.inputs * prepared.facts["deviation"] + prepared.facts["mean"]
    expected = np.concatenate([parts["train"][0], parts["t10k"][0]]) / 255
    assert np.allclose(made[:, 0].numpy(), expected, atol=1e-5)
    assert prepared.workload.targets.tolist() == [n % 10 for n in range(60)] + [n % 10 for n in range(20)]
    assert prepared.test == list(range(60, 80)), "its own test set is the one fold's"
    assert (prepared.rows["part"] == "test").sum() == 20
    with pytest.raises(FederatedError, match="there is no fold 2 of these digits; they have 1"):
        prepare(THREE, Sources(2, folder=folder))


def refused(folder):
    with pytest.raises(FederatedError) as error:
        prepare(THREE, Sources(1, folder=folder))
    return str(error.value).replace(f"{folder}", "")


def test_a_file_that_is_cut_off_says_so(mnist):
    folder, parts = mnist
    packed = folder / "train-images-idx3-ubyte.gz"
    whole = packed.read_bytes()
    packed.write_bytes(whole[:-100])
    assert refused(folder).startswith("/train-images-idx3-ubyte.gz: cannot be unpacked: ")
    packed.write_bytes(gzip.compress(idx(parts["train"][0])[:-5]))
    assert refused(folder) == "/train-images-idx3-ubyte.gz: is cut off: of 47040 values there are 47035"
    packed.write_bytes(gzip.compress(idx(parts["train"][0]) + b"x"))
    assert "is longer than it says: of 47040 values there are 47041" in refused(folder)
    packed.write_bytes(gzip.compress(b"\x00\x00\x08"))
    assert "is cut off: 3 bytes are no whole head" in refused(folder)


def test_a_foreign_file_says_what_it_is_not(mnist):
    folder, parts = mnist
    labels, images = folder / "train-labels-idx1-ubyte", folder / "train-images-idx3-ubyte.gz"
    right = labels.read_bytes()
    labels.write_bytes(b"<html>not found</html>")
    assert refused(folder) == "/train-labels-idx1-ubyte: is no idx file of bytes with 1 axis"
    labels.write_bytes(idx(parts["t10k"][1]))
    assert refused(folder) == "/train-labels-idx1-ubyte: holds 20 labels, but train-images-idx3-ubyte.gz 60 images"
    labels.write_bytes(idx(np.full(60, 12, dtype=np.uint8)))
    assert "holds the label 12; digits go from 0 to 9" in refused(folder)
    labels.write_bytes(right)
    images.write_bytes(b"no archive")
    assert refused(folder).startswith("/train-images-idx3-ubyte.gz: cannot be unpacked: ")
    images.write_bytes(gzip.compress(idx(parts["train"][0][:, :14])))
    assert "holds images of 14 × 28 pixels; MNIST's have 28 × 28" in refused(folder)


def test_a_file_that_is_not_there_is_named(mnist):
    folder, _ = mnist
    (folder / "t10k-labels.idx1-ubyte").unlink()
    assert "there is no t10k-labels-idx1-ubyte, nor t10k-labels-idx1-ubyte.gz; all four files" in refused(folder)
