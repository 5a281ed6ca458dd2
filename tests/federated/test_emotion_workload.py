"""What emotions are learned from: the right layer of the right utterance, on the scale that was asked for."""

import io
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from candor.features.clips import FeatureError
from candor.federated.errors import FederatedError
from candor.federated.settings import Defence, Faults, Settings
from candor.federated.workloads.emotion import prepare
from candor.federated.workloads.prepared import Sources
from candor.store.objects import Store

LAYERS, DIMENSIONS = 3, 5
USABLE = [0, 1, 3, 4]
"""All dimensions but the one that never changes."""

LABELS = ["sadness", "neutral", "anger"]
SHARDS = Settings(partition="speaker_shards", shards=3, hidden_size=(8, 4), norm="nonorm")
TEST_SPEAKERS = ("s6", "s7")


def fold_of(speakers=8, each=12):
    people = [f"s{number % speakers}" for number in range(speakers * each)]
    return pd.DataFrame(
        {
            "utterance": [f"u{number:03}" for number in range(len(people))],
            "speaker": people,
            "gender": ["female" if int(name[1:]) % 2 else "male" for name in people],
            "session": "",
            "label": [LABELS[number // speakers % 3] for number in range(len(people))],
            "value": np.nan,
            "part": ["test" if name in TEST_SPEAKERS else "dev" if name == "s5" else "train" for name in people],
        }
    )


def put(store, array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return store.put(buffer.getvalue(), ".npy")


class World:
    """A fold whose frames and pooled states are known."""

    def __init__(self, folder):
        random = np.random.default_rng(3)
        self.fold, self.store = fold_of(), Store(folder)
        counts = random.integers(4, 9, len(self.fold))
        offsets = {name: random.normal(0, 5, (LAYERS, 1, DIMENSIONS)) for name in set(self.fold["speaker"])}
        self.frames = [
            (random.normal(0, 2, (LAYERS, count, DIMENSIONS)) + offsets[name]).astype(np.float32)
            for count, name in zip(counts, self.fold["speaker"], strict=True)
        ]
        for own in self.frames:
            own[:, :, 2] = 7.25  # says nothing
        self.index_anew()

    def index_anew(self):
        counts = [own.shape[1] for own in self.frames]
        self.pooled = np.stack([np.stack([own.mean(axis=1), own.std(axis=1)], axis=1) for own in self.frames])
        self.sources = Sources(2, self.fold, self._pooled_index(counts), self._frame_index(counts), self.store)

    def _pooled_index(self, counts):
        names = self.fold["utterance"].tolist()
        order = np.random.default_rng(0).permutation(len(names)).tolist()
        rows = []
        for part in (order[:50], order[50:]):
            member = put(self.store, self.pooled[part])
            rows += [
                {"utterance": names[number], "member": member, "row": row, "frames": counts[number]}
                for row, number in enumerate(part)
            ]
        return pd.DataFrame(rows)

    def _frame_index(self, counts):
        member = put(self.store, np.concatenate([own.ravel() for own in self.frames]))
        sizes = [0, *np.cumsum([own.size for own in self.frames])[:-1].tolist()]
        return pd.DataFrame(
            {
                "utterance": self.fold["utterance"], "member": member, "offset": sizes, "layers": LAYERS,
                "frames": counts, "dimensions": DIMENSIONS,
            }
        )  # fmt: skip

    def means(self, layer):
        return self.pooled[:, :, 0].astype(np.float64)[:, layer]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("store"))


def learned(prepared):
    return sorted(number for client in prepared.clients for number in client.train)


def test_inputs_are_the_mean_over_time_of_the_layer_asked_for(world):
    for layer, expected in (
        ("last", world.means(-1)),
        (0, world.means(0)),
        (1, world.means(1)),
        ("mean", world.pooled[:, :, 0].astype(np.float64).mean(axis=1)),
    ):
        prepared = prepare(replace(SHARDS, layer=layer), world.sources)
        assert np.allclose(prepared.workload.inputs.numpy(), expected, rtol=1e-6)
        assert prepared.workload.inputs.dtype == torch.float32


def test_a_layer_that_is_not_there_is_refused(world):
    with pytest.raises(FederatedError, match=r"^layer is 3, but the backbone's last is 2$"):
        prepare(replace(SHARDS, layer=3), world.sources)


def test_utterances_without_features_are_named(world):
    short = replace(world.sources, pooled=world.sources.pooled[world.sources.pooled["utterance"] != "u007"])
    with pytest.raises(FeatureError, match="no features of u007"):
        prepare(SHARDS, short)


def test_classes_and_examples_are_in_their_usual_order(world):
    prepared = prepare(SHARDS, world.sources)
    assert prepared.workload.classes == ["neutral", "anger", "sadness"]
    assert [prepared.workload.classes[n] for n in prepared.workload.targets] == world.fold["label"].tolist()
    assert prepared.rows["utterance"].tolist() == world.fold["utterance"].tolist()
    assert set(world.fold["speaker"].iloc[prepared.test]) == set(TEST_SPEAKERS)
    held = [number for client in prepared.clients for number in client.train + client.dev]
    assert sorted(held + prepared.test) == list(range(len(world.fold))), "train and dev of the fold are the clients'"
    assert (prepared.partition, len(prepared.clients)) == ("speaker_shards", 18)
    assert prepare(Settings(partition="auto", norm="nonorm"), world.sources).partition == "speaker", "of few clips"


def test_znorm_within_speakers_is_as_published(world):
    prepared = prepare(replace(SHARDS, norm="znorm"), world.sources)
    expected = np.empty((len(world.fold), DIMENSIONS))
    for speaker in world.fold["speaker"].unique():
        own = (world.fold["speaker"] == speaker).to_numpy()
        values = world.means(-1)[own]
        expected[own] = (values - np.nanmean(values, axis=0)) / (np.nanstd(values, axis=0) + 1e-5)
    assert np.allclose(prepared.workload.inputs.numpy(), expected, atol=1e-5)
    assert prepared.transductive
    # The test speakers are brought to their own scale too, which is what makes it transductive.
    tested = prepared.workload.inputs.numpy()[world.fold["speaker"] == "s7"]
    assert np.allclose(tested.mean(axis=0), 0, atol=1e-5)


GUARANTEED = [Defence(kind, 10.0, 1e-5, 0.5) for kind in ("client_dp", "local_dp")]


@pytest.mark.parametrize("defence", GUARANTEED, ids=lambda own: own.kind)
def test_where_a_guarantee_holds_each_client_measures_what_it_holds_itself(world, defence):
    prepared = prepare(replace(SHARDS, norm="znorm", defence=defence), world.sources)
    values, speakers = world.means(-1), world.fold["speaker"].to_numpy()
    groups = [list(own.train + own.dev) for own in prepared.clients]
    groups += [np.flatnonzero(speakers == name).tolist() for name in TEST_SPEAKERS]
    assert sorted(itertools.chain(*groups)) == list(range(len(values)))
    for own in groups:
        expected = (values[own] - values[own].mean(axis=0)) / (values[own].std(axis=0) + 1e-5)
        assert np.allclose(prepared.workload.inputs.numpy()[own][:, USABLE], expected[:, USABLE], atol=1e-4)


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("norm", ["znorm", "minmax"])
def test_where_a_guarantee_holds_no_client_changes_anothers_inputs(world, norm, model):
    settings = replace(SHARDS, norm=norm, downstream_model=model, hidden_size=(8,))
    before = prepare(replace(settings, defence=GUARANTEED[0]), world.sources)
    client, other = before.clients[:2]
    assert client.person == other.person
    changed = World(world.store.root)
    for number in client.train + client.dev:
        changed.frames[number] = 3 * changed.frames[number] + 1
    changed.index_anew()
    unlike = {}
    for told, defence in (("guaranteed", GUARANTEED[0]), ("not", Defence())):
        asked = replace(settings, defence=defence)
        one, two = (inputs_of(prepare(asked, own.sources), other.train) for own in (world, changed))
        unlike[told] = not torch.allclose(one, two)
    assert unlike == {"guaranteed": False, "not": True}


def inputs_of(prepared, numbers):
    """Return what a model is given of these examples; of frames the scale that they are brought to."""
    batch = prepared.workload.batch(list(numbers), "cpu")
    return batch if isinstance(batch, torch.Tensor) else torch.cat([batch.offset, batch.scale])


def test_znorm_by_all_clients_is_measured_on_what_they_learn_from(world):
    prepared = prepare(replace(SHARDS, norm="znorm", norm_scope="train"), world.sources)
    values = world.means(-1)
    own = values[learned(prepared)]
    expected = (values - own.mean(axis=0)) / (own.std(axis=0) + 1e-5)
    assert np.allclose(prepared.workload.inputs.numpy()[:, USABLE], expected[:, USABLE], atol=1e-5)
    assert not prepared.transductive


def test_minmax_goes_from_0_to_1(world):
    for scope in ("speaker", "train"):
        prepared = prepare(replace(SHARDS, norm="minmax", norm_scope=scope), world.sources)
        values, speakers = world.means(-1), world.fold["speaker"].to_numpy()
        for speaker in np.unique(speakers):
            whose = speakers == speaker
            measured = values[whose] if scope == "speaker" else values[learned(prepared)]
            low, high = measured.min(axis=0), measured.max(axis=0)
            made = prepared.workload.inputs.numpy()[whose]
            assert np.allclose(made[:, USABLE], ((values[whose] - low)[:, USABLE] / (high - low)[USABLE]), atol=1e-5)
            if scope == "speaker":
                assert made.min() >= -1e-6
                assert made.max() <= 1 + 1e-6


@pytest.mark.parametrize("norm", ["znorm", "minmax"])
def test_what_clients_never_saw_change_does_not_blow_up(world, norm):
    pooled = world.pooled.copy()
    pooled[world.fold["part"] == "test", :, 0, 2] += 0.5  # constant for all clients, not for who is tested
    names = world.fold["utterance"].tolist()
    member = put(world.store, pooled)
    index = pd.DataFrame({"utterance": names, "member": member, "row": range(len(names)), "frames": 5})
    for scope in ("train", "speaker"):
        prepared = prepare(replace(SHARDS, norm=norm, norm_scope=scope), replace(world.sources, pooled=index))
        inputs = prepared.workload.inputs
        assert torch.isfinite(inputs).all()
        assert inputs[:, 2].abs().max() <= 0.5 + 1e-6


def test_dimensions_of_tiny_numbers_are_no_constants(world):
    pooled = world.pooled.copy()
    pooled[:, :, 0, 1] *= 1e-9
    names = world.fold["utterance"].tolist()
    member = put(world.store, pooled)
    index = pd.DataFrame({"utterance": names, "member": member, "row": range(len(names)), "frames": 5})
    prepared = prepare(replace(SHARDS, norm="minmax"), replace(world.sources, pooled=index))
    assert prepared.workload.inputs[:, 1].max() == pytest.approx(1)


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_speakers_must_be_known_to_be_normalised_by(world, model):
    table = world.fold.assign(speaker=world.fold["speaker"].where(world.fold.index > 3, ""))
    settings = Settings(partition="iid", clients=3, hidden_size=(8,), downstream_model=model)
    with pytest.raises(FederatedError, match=r"norm_scope 'speaker' needs the speaker .* 4 of 96 .*Set it to train"):
        prepare(settings, replace(world.sources, table=table))
    assert prepare(replace(settings, norm_scope="train"), replace(world.sources, table=table)).partition == "iid"


def test_one_class_is_nothing_to_tell_apart(world):
    with pytest.raises(FederatedError, match="fold 2: only the class 'anger'"):
        prepare(SHARDS, replace(world.sources, table=world.fold.assign(label="anger")))


def test_the_dense_network_has_the_widths_asked_for(world):
    workload = prepare(replace(SHARDS, hidden_size=(16, 6)), world.sources).workload
    shapes = [tuple(weight.shape) for weight in workload.make().parameters() if weight.dim() == 2]
    assert shapes == [(16, DIMENSIONS), (6, 16), (3, 6)]
    assert workload.make()(workload.batch([4, 2], "cpu")).shape == (2, 3)


def by_hand(world, scope, norm, prepared):
    """The mean over layers of normalised frames, [utterances, dimensions], averaged over time."""
    speakers, made = world.fold["speaker"].to_numpy(), []
    for number, own in enumerate(world.frames):
        group = np.flatnonzero(speakers == speakers[number]) if scope == "speaker" else learned(prepared)
        together = np.concatenate([world.frames[member] for member in group], axis=1).astype(np.float64)
        if norm == "znorm":
            offset, scale = together.mean(axis=1), together.std(axis=1)
        else:
            offset = together.min(axis=1)
            scale = together.max(axis=1) - offset
        scale = np.where(scale > 1e-3, scale, 1.0)
        made.append(((own - offset[:, None]) / scale[:, None]).mean(axis=(0, 1)))
    return np.stack(made)


@pytest.mark.parametrize("norm", ["znorm", "minmax"])
@pytest.mark.parametrize("scope", ["speaker", "train"])
def test_the_cnn_reads_frames_on_the_scale_asked_for(world, scope, norm):
    settings = replace(SHARDS, downstream_model="cnn", hidden_size=(8,), norm=norm, norm_scope=scope)
    prepared = prepare(settings, world.sources)
    network = prepared.workload.make().eval()
    batch = prepared.workload.batch([30, 7, 95], "cpu")
    mixed = network.mix(batch.states, batch.offset, batch.scale)
    means = [part.mean(dim=0) for part in mixed.split(batch.lengths.tolist())]
    expected = by_hand(world, scope, norm, prepared)[[30, 7, 95]]
    assert np.allclose(torch.stack(means).detach().numpy(), expected, atol=1e-4)
    assert network(batch).shape == (3, 3)
    assert prepared.transductive == (scope == "speaker")


def test_the_cnn_is_as_wide_as_asked_for(world):
    for widths, expected in (((256, 128), 128), ((24,), 24)):
        settings = replace(SHARDS, downstream_model="cnn", hidden_size=widths)
        prepared = prepare(settings, world.sources)
        assert prepared.facts["width"] == expected
        assert prepared.workload.make().head.dense[0].weight.shape == (expected, expected)


NOISY = Faults(microphone_noise=(20.0, 5.0))


def test_only_what_clients_record_is_heard_through_their_microphones(world):
    asked = {}

    def noised(levels):
        asked.update(levels)
        member = put(world.store, np.stack([np.full_like(world.pooled[0], level) for level in levels.values()]))
        rows = range(len(levels))
        return pd.DataFrame({"utterance": list(levels), "member": member, "row": rows, "frames": 5})

    prepared = prepare(replace(SHARDS, faults=NOISY), replace(world.sources, noised=noised))
    clean = world.means(-1)
    tested = prepared.test
    assert np.allclose(prepared.workload.inputs[tested].numpy(), clean[tested], rtol=1e-6)
    names = world.fold["utterance"].tolist()
    dealt = prepared.facts["microphones"]
    assert sorted(dealt.values()) == [5.0] * 9 + [20.0] * 9
    for client in prepared.clients:
        for number in client.train + client.dev:
            assert asked[names[number]] == dealt[client.name]
            assert (prepared.workload.inputs[number] == dealt[client.name]).all()
    assert len(asked) + len(tested) == len(names)


def test_the_cnn_hears_no_microphones(world):
    with pytest.raises(FederatedError, match="which downstream_model 'cnn' does not read; set that to mlp"):
        prepare(replace(SHARDS, downstream_model="cnn", hidden_size=(8,), faults=NOISY), world.sources)
