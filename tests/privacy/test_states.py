"""What attackers read is what the store holds: the right layer, the right frames, standardised by the right people."""

import numpy as np
import pandas as pd
import pytest

from candor.features.packs import FramePacker, FramePlace, PooledPacker, PooledPlace
from candor.features.reading import Frames
from candor.privacy.states import LayerStates, evenly_spaced, sampled, vectors
from candor.store.ledger import Ledger
from candor.store.objects import Store

LAYERS, DIMENSIONS = 3, 4
LENGTHS = [7, 2, 30, 12]
NAMES = [f"u{number}" for number in range(len(LENGTHS))]


@pytest.fixture
def kept(tmp_path):
    """Return states of every frame, and where they and their moments are kept."""
    random = np.random.default_rng(0)
    states = [random.normal(size=(LAYERS, length, DIMENSIONS)).astype(np.float16) for length in LENGTHS]
    store = Store(tmp_path / "store")
    frames, pooled = (Ledger(tmp_path / name) for name in ("frames", "pooled"))
    packer, other = FramePacker(store, frames, {}, np.dtype(np.float16)), PooledPacker(store, pooled, {})
    for name, own in zip(NAMES, states, strict=True):
        packer.add(name, own)
        whole = own.astype(np.float32)
        other.add(name, np.stack([whole.mean(axis=1), whole.std(axis=1)], axis=1), own.shape[1])
    packer.write()
    other.write()
    index = pd.DataFrame([{"utterance": name, **vars(FramePlace.parse(frames.get(name)))} for name in NAMES])
    moments = pd.DataFrame([{"utterance": name, **vars(PooledPlace.parse(pooled.get(name)))} for name in NAMES])
    return states, store, index, moments


@pytest.mark.parametrize("most", [1, 5, 100])
def test_frames_are_evenly_spaced_and_no_more_than_asked_for(kept, most, tmp_path):
    states, store, index, _ = kept
    got = sampled(Frames(index, NAMES, store), most, tmp_path / "scratch")
    for own, found in zip(states, got, strict=True):
        number = min(own.shape[1], most)
        assert np.array_equal(found, own[:, evenly_spaced(own.shape[1], number)])
    assert list((tmp_path / "scratch").iterdir()) == []


def test_layers_are_those_of_the_store(kept):
    states, store, index, moments = kept
    layers = LayerStates(moments, index, NAMES, store, 100)
    assert (layers.layers, layers.of_frames) == (LAYERS, True)
    for layer in range(LAYERS):
        for number, own in enumerate(states):
            whole = own[layer].astype(np.float32)
            expected = np.concatenate([whole.mean(axis=0), whole.std(axis=0)])
            assert layers.pooled(layer)[number] == pytest.approx(expected, abs=1e-6)
            assert np.array_equal(layers.bags(layer).states[number][0].numpy(), own[layer])
    standard = [
        (layers.pooled(layer) - layers.pooled(layer).mean(axis=0)) / layers.pooled(layer).std(axis=0)
        for layer in range(LAYERS)
    ]
    assert layers.pooled(None) == pytest.approx(np.mean(standard, axis=0))
    assert np.array_equal(layers.bags(None).states[2].numpy(), states[2])


def test_without_frames_pooled_states_are_a_single_one(kept):
    _, store, _, moments = kept
    layers = LayerStates(moments, None, NAMES, store, 100)
    assert not layers.of_frames
    assert layers.bags(1).states[0].shape == (1, 1, 2 * DIMENSIONS)
    assert layers.bags(1).states[3][0, 0].numpy() == pytest.approx(layers.pooled(1)[3], abs=1e-6)
    assert layers.bags(None).states[0].shape == (LAYERS, 1, 2 * DIMENSIONS)


@pytest.mark.parametrize("layer", [0, None])
def test_bags_are_standardised_by_the_frames_of_some(kept, layer):
    states, store, index, moments = kept
    bags = LayerStates(moments, index, NAMES, store, 100).bags(layer).standardised_by(np.array([0, 2]))
    learned = np.concatenate([states[0], states[2]], axis=1).astype(np.float64)
    batch = bags.batch([1, 3], "cpu")
    rows = [0] if layer == 0 else range(LAYERS)
    for own, number in zip(batch.states, [1, 3], strict=True):
        got = own if batch.offset is None else (own - batch.offset[0][:, None]) / batch.scale[0][:, None]
        expected = (states[number] - learned.mean(axis=1)[:, None]) / learned.std(axis=1)[:, None]
        assert got.numpy() == pytest.approx(expected[list(rows)], abs=1e-4)
    assert batch.lengths.tolist() == [2, 12]


def test_an_embedding_is_a_single_frame():
    bags = vectors(np.arange(6.0).reshape(3, 2))
    assert bags.batch([2], "cpu").states[0].tolist() == [[[4.0, 5.0]]]
