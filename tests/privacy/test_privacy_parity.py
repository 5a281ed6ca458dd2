"""Gender as trust-ser attacks it, on frames whose gender is known."""

import inspect
import json

import pandas as pd
import pytest
import torch
from torch.nn.functional import cross_entropy

from candor.models.tasks import Emotion
from candor.models.training import make_optimiser, train
from candor.privacy import parity
from candor.privacy.parity import ParityError, as_trust_ser
from candor.store.objects import Store
from privacy.crowds import folds, manifest
from privacy.test_jobs import LAYERS, kept_frames


def test_a_gender_that_is_heard_is_found_and_the_file_is_in_that_systems_format(tmp_path):
    table = manifest()
    store = Store(tmp_path / "store")
    index = kept_frames(table, store, tmp_path, shift=2.0)
    found = as_trust_ser(folds(table)[1], index, store)
    assert set(found) == {"1", "average", "std"}
    assert found["1"] == {"uar": 100.0, "acc": 100.0} == found["average"]
    assert found["std"] == {"uar": 0.0, "acc": 0.0}
    json.dumps(found)


def test_it_is_trained_as_that_system_trains(tmp_path, monkeypatch):
    told = {}

    def noted(*arguments, **more):
        told.update(inspect.signature(train).bind(*arguments, **more).arguments)
        told["trained"] = train(*arguments, **more)
        return told["trained"]

    monkeypatch.setattr(parity, "train", noted)
    table, store = manifest(takes=6), Store(tmp_path / "store")
    fold = folds(table)[1]
    as_trust_ser(fold, kept_frames(table, store, tmp_path, shift=0.1), store)
    assert told["seed"] == 8
    assert told["inputs"].affine is None, "nothing is standardised"
    learned = fold[fold["part"] == "train"]["gender"]
    assert told["train_part"].targets.tolist() == (learned == "female").astype(int).tolist()
    network = told["make"]()
    assert len(network.layer_weights()) == LAYERS
    assert {own.shape[0] for name, own in network.named_parameters() if "convolutions" in name} == {256}
    optimiser = make_optimiser(network, told["recipe"])
    assert type(optimiser) is torch.optim.Adam
    (group,) = optimiser.param_groups
    assert (group["lr"], group["betas"], group["weight_decay"]) == (5e-4, (0.9, 0.98), 1e-4)
    history = pd.DataFrame(told["trained"].history)
    assert len(history) == 10
    assert history.loc[history["selected"] == "yes", "dev_score"].tolist() == [history["dev_score"].max()]


def test_its_loss_is_not_weighted_and_batches_are_of_64(tmp_path, monkeypatch):
    """Of women there is much less than of men."""
    losses = []

    class Noted(Emotion):
        def loss(self, outputs, targets):
            own = super().loss(outputs, targets)
            losses.append((len(targets), float(own.detach()), float(cross_entropy(outputs, targets).detach())))
            return own

    monkeypatch.setattr(parity, "Emotion", Noted)
    table, store = manifest(takes=9), Store(tmp_path / "store")
    table = table[(table["gender"] == "male") | table["utterance"].str.endswith(("_0", "_1"))]
    as_trust_ser(folds(table)[1], kept_frames(table, store, tmp_path, shift=0.1), store)
    assert [own for _, own, _ in losses] == [plain for _, _, plain in losses]
    # 88 in train are two batches of at most 64; dev, as many, is judged at once, after each of ten epochs.
    assert [number for number, _, _ in losses] == [44, 44, 88] * 10


def test_without_both_genders_it_ends_with_a_line(tmp_path):
    table = manifest(gender="male")
    with pytest.raises(ParityError, match=r"privacy\.parity is 'trust-ser', but not both genders are in train"):
        as_trust_ser(folds(table)[1], pd.DataFrame(), Store(tmp_path / "store"))
