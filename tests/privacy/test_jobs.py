"""The jobs of the stage on a store: what they write, that each key counts, that a killed one goes on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from candor.config.loading import load
from candor.features.packs import FramePacker, FramePlace, PooledPacker, PooledPlace
from candor.models.tasks import Emotion, Rating
from candor.plan.fingerprint import reached
from candor.plan.privacy import settings_of_layers, settings_of_models
from candor.privacy.job import LayersJob, ModelsJob, PrivacyError
from candor.privacy.people import People
from candor.privacy.settings import Settings
from candor.privacy.states import LayerStates
from candor.privacy.trained import Kept
from candor.store.ledger import Ledger
from candor.store.objects import Store
from candor.tables.privacy import PrivacyEmbedding, PrivacyLayers
from candor.unfinished import Unfinished
from paths import ROOT
from privacy.crowds import folds, manifest, one_hot

LAYERS, DIMENSIONS = 2, 5


def states_of(table: pd.DataFrame, shift: float) -> list[np.ndarray]:
    """Return frames that differ by gender in their second layer only."""
    random, found = np.random.default_rng(3), []
    for row in table.to_dict("records"):
        own = random.normal(size=(LAYERS, int(random.integers(4, 9)), DIMENSIONS))
        own[1, :, 0] += shift if row["gender"] == "female" else -shift
        found.append(own.astype(np.float16))
    return found


def kept_frames(table: pd.DataFrame, store: Store, folder, shift: float) -> pd.DataFrame:
    ledger = Ledger(folder / "frames")
    packer = FramePacker(store, ledger, {}, np.dtype(np.float16))
    for name, own in zip(table["utterance"], states_of(table, shift), strict=True):
        packer.add(name, own)
    packer.write()
    return pd.DataFrame(
        [{"utterance": name, **vars(FramePlace.parse(ledger.get(name)))} for name in table["utterance"]]
    )


def kept_pooled(table: pd.DataFrame, store: Store, folder, shift: float) -> pd.DataFrame:
    ledger = Ledger(folder / "pooled")
    packer = PooledPacker(store, ledger, {})
    for name, own in zip(table["utterance"], states_of(table, shift), strict=True):
        whole = own.astype(np.float32)
        packer.add(name, np.stack([whole.mean(axis=1), whole.std(axis=1)], axis=1), own.shape[1])
    packer.write()
    return pd.DataFrame(
        [{"utterance": name, **vars(PooledPlace.parse(ledger.get(name)))} for name in table["utterance"]]
    )


def settings(made=lambda config: settings_of_layers(config, True), **changed) -> Settings:
    quick = {"num_epochs": 20, "hidden_size": 16, "learning_rate": 0.01}
    without_network = "cnn" not in changed.get("attackers", ["cnn"]) or changed.get("attributes") == ["membership"]
    return Settings.of(made(load({"privacy": {**({} if without_network else quick), **changed}})))


@pytest.fixture
def layers_job(tmp_path):
    table, store = manifest(), Store(tmp_path / "store")
    frames, pooled = kept_frames(table, store, tmp_path, 2.0), kept_pooled(table, store, tmp_path, 2.0)
    people = People.of(table, folds(table))

    def make(frames_kept=True, aside=None, **changed) -> LayersJob:
        own = settings(**changed)

        def states():
            return LayerStates(pooled, frames if frames_kept else None, people.utterances, store, own.max_frames)

        return LayersJob(people, states, own, "cpu", Unfinished(aside, "the same"))

    return make


def test_each_layer_is_attacked_by_each_attacker_and_all_together(layers_job, tmp_path):
    rows = layers_job().run()
    PrivacyLayers.write(rows, tmp_path / "layers.tsv")
    told = PrivacyLayers.read(tmp_path / "layers.tsv").set_index(["attribute", "source", "attacker"])
    assert len(told) == 3 * 3 * 2
    for attacker in ("linear", "cnn"):
        gender = told.xs(attacker, level="attacker").loc["gender"]
        assert gender.loc["layer 1", "verdict"] == gender.loc["all layers", "verdict"] == "beyond control"
        assert gender.loc["layer 1", "value"] > 0.9
        assert gender.loc["layer 0", "verdict"] == "not beyond control"
    assert set(told["reads"]) == {"frames", "pooled states"}


def test_without_frames_the_network_reads_pooled_states_and_says_so(layers_job):
    rows = layers_job(frames_kept=False, attributes=["gender"], attackers=["cnn"]).run()
    assert {row["reads"] for row in rows} == {"pooled states"}
    assert [row["source"] for row in rows] == ["layer 0", "layer 1", "all layers"]


@pytest.mark.parametrize(
    ("changed", "attributes"),
    [
        ({"attributes": ["gender"]}, {"gender"}),
        ({"attributes": ["speaker"], "attackers": ["linear"]}, {"speaker", "verification"}),
        ({"attributes": ["speaker", "membership"]}, {"speaker", "verification"}),
    ],
)
def test_what_is_asked_for_is_attacked_and_nothing_else(layers_job, changed, attributes):
    rows = layers_job(**changed).run()
    assert {row["attribute"] for row in rows} == attributes
    assert {row["attacker"] for row in rows} == set(changed.get("attackers", ["linear", "cnn"]))


@pytest.mark.parametrize("changed", [{"max_frames": 1}, {"num_epochs": 1}, {"learning_rate": 0.1}, {"hidden_size": 2}])
def test_each_key_of_the_network_changes_figures(layers_job, changed):
    told = [
        [row["value"] for row in layers_job(attributes=["speaker"], attackers=["cnn"], **own).run()]
        for own in ({}, changed)
    ]
    assert told[0] != told[1]


def test_a_killed_job_goes_on_where_it_was(layers_job, tmp_path, monkeypatch):
    expected = layers_job(attackers=["linear"]).run()
    monkeypatch.setattr("candor.privacy.job._attacker_on_layer", killed_after(2))
    with pytest.raises(KeyboardInterrupt):
        layers_job(attackers=["linear"], aside=tmp_path / "aside").run()
    monkeypatch.undo()
    monkeypatch.setattr("candor.privacy.job._attacker_on_layer", killed_after(1))
    assert str(layers_job(attackers=["linear"], aside=tmp_path / "aside").run()) == str(expected)


@pytest.mark.parametrize("script", ["privacy", "privacy_layers"])
def test_an_edit_of_how_recognition_is_evaluated_trains_no_attacker_anew(script):
    modules = map(str, reached(ROOT / f"workflow/scripts/{script}.py", ROOT / "src"))
    assert not [module for module in modules if "candor.performance" in module]


def killed_after(number):
    from candor.privacy.job import _attacker_on_layer

    left = [number]

    def attacker(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return _attacker_on_layer(*arguments)

    return attacker


class Planted:
    """Models whose embedding carries the speaker, and which lose nothing on what they were trained on."""

    def __init__(self, people, own_folds):
        self.people, self.folds, self.asked = people, own_folds, []

    def __call__(self, fold, seed):
        self.asked.append((fold, seed))
        sure = np.where(self.folds[fold]["part"] == "train", 9.0, 0.1)
        right = np.where(self.folds[fold]["label"] == "anger", 1, -1)
        outputs = np.stack([sure * right, -sure * right], axis=1)
        return Kept(one_hot(self.people, seed=seed), outputs, Emotion(["anger", "neutral"]))


def models_job(tmp_path, seeds=(0,), aside=None, **changed) -> ModelsJob:
    table = manifest()
    own = {fold: part.assign(label=["anger", "neutral"] * (len(table) // 2)) for fold, part in folds(table).items()}
    people = People.of(table, own)
    said = {
        fold: pd.concat([part[part["part"] == "test"].assign(seed=seed, predicted=part["label"]) for seed in seeds])
        for fold, part in own.items()
    }
    return ModelsJob(
        people,
        own,
        said,
        Planted(people, own),
        seeds,
        settings(settings_of_models, **changed),
        "cpu",
        Unfinished(aside, "the same"),
        True,
    )


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_a_speaker_in_the_embedding_and_a_model_that_learned_by_heart_are_found(tmp_path, seeds):
    job = models_job(tmp_path, seeds)
    embedding, losses = job.run()
    PrivacyEmbedding.write(embedding, tmp_path / "embedding.tsv")
    told = PrivacyEmbedding.read(tmp_path / "embedding.tsv").set_index(["attribute", "attacker"])
    assert set(told["source"]) == {"embedding"}
    assert told.loc[("speaker", "linear"), "value"] == 1.0
    assert told.loc[("verification", "linear"), "value"] == pytest.approx(0.0, abs=0.05)
    assert job.models.asked == [(fold, seed) for fold in (1, 2, 3) for seed in seeds], "each is looked into once"
    lost = pd.DataFrame(losses)
    assert lost[lost["member"] == "yes"]["loss"].max() < lost[lost["member"] == "no"]["loss"].min()
    assert set(lost["seed"]) == set(seeds)


def test_where_only_membership_is_asked_for_no_embedding_is_attacked(tmp_path):
    embedding, losses = models_job(tmp_path, attributes=["membership"]).run()
    assert embedding == []
    assert len(losses) > 0
    embedding, losses = models_job(tmp_path, attributes=["gender"]).run()
    assert len(embedding) == 2
    assert losses == []


def test_what_tuned_models_keep_is_kept_aside(tmp_path):
    whole = models_job(tmp_path, aside=tmp_path / "aside", attributes=["gender"], attackers=["linear"])
    first = whole.run()
    again = models_job(tmp_path, aside=tmp_path / "aside", attributes=["gender"], attackers=["linear"])
    assert str(again.run()) == str(first)
    assert again.models.asked == []


def test_models_that_are_not_those_of_the_predictions_are_refused(tmp_path):
    job = models_job(tmp_path)
    for said in job.predictions.values():
        said["predicted"] = "neutral"
    with pytest.raises(PrivacyError, match="fold 1 and seed 0 says something else of 24 of 48 test utterances"):
        job.run()


@pytest.mark.parametrize(("moved", "same"), [(0.019, True), (0.021, False)])
def test_a_rating_may_be_off_by_a_fiftieth_of_the_deviation(tmp_path, moved, same):
    job = models_job(tmp_path, attributes=["gender"], attackers=["linear"])
    rating = Rating("arousal", 3.0, 0.5)

    def models(fold, seed):
        return Kept(one_hot(job.people), np.zeros((len(job.people), 1)), rating)

    said = {fold: own.assign(predicted=3.0 + 0.5 * moved) for fold, own in job.predictions.items()}
    job = replace(job, models=models, predictions=said)
    if same:
        assert len(job.run()[0]) == 1
    else:
        with pytest.raises(PrivacyError, match="48 of 48 test utterances"):
            job.run()
