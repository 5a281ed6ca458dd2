"""What one layer of many holds is the headline at its own figure, and is chosen on dev speakers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import recall_score

from candor.privacy.job import LayersJob
from candor.privacy.outcomes import What
from candor.privacy.overview import of_one_system
from candor.privacy.people import People, gender_training
from candor.privacy.settings import Settings
from candor.privacy.states import LayerStates
from candor.unfinished import Unfinished
from privacy.crowds import folds, manifest

LAYERS, DIMENSIONS, LEAKING = 12, 20, 6
LINEAR = {
    "attributes": ["gender"], "attackers": ["linear"],
    "num_epochs": 1, "learning_rate": 0.1, "hidden_size": 1, "max_frames": 1,
}  # fmt: skip


class InMemory(LayerStates):
    """States that are there already, [utterances, layers, dimensions]."""

    def __init__(self, states):
        self.states, self.layers, self._sampled = states, states.shape[1], None

    def _read(self, layer):
        return self.states[:, layer]


def leaking(people: People, cancelled: bool) -> np.ndarray:
    """Return states that tell gender in one dimension of one layer, and perhaps the opposite in the next."""
    states = np.random.default_rng(1).normal(size=(len(people), LAYERS, DIMENSIONS))
    leak = np.where(people.genders == "female", 1.6, -1.6)
    states[:, LEAKING, 0] += leak
    if cancelled:
        states[:, LEAKING + 1] = -states[:, LEAKING]
    return states


def headlines(rows):
    nothing = pd.DataFrame(rows).iloc[:0]
    table = of_one_system(pd.DataFrame(rows), "", nothing, [], ["gender"], ["linear"], "yes")
    return table[table["headline"] == "yes"].to_dict("records")


def by_scikit_learn(people, states, part):
    """Return the UAR that another discriminant has on dev speakers or those who are tested, in all folds together."""
    truth, said = [], []
    for fold in people.parts:
        training, test = gender_training(people, fold)
        learned = training.train if part == "dev" else np.concatenate([training.train, training.dev])
        told = training.dev if part == "dev" else test
        other = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=LedoitWolf(), priors=[0.5, 0.5])
        scale = states[learned].std(axis=0)
        other.fit(states[learned] / scale, training.labels[learned])
        truth += training.labels[told].tolist()
        said += other.predict(states[told] / scale).tolist()
    return recall_score(truth, said, average="macro")


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_leak_in_one_layer_of_many_is_the_headline_at_its_own_figure(cancelled):
    table = manifest(speakers=24)
    people = People.of(table, folds(table))
    states = leaking(people, cancelled)
    job = LayersJob(people, lambda: InMemory(states), Settings.of(LINEAR), "cpu", Unfinished(None, ""))
    rows = job.run()
    (shown,) = headlines(rows)
    assert shown["source"] == f"layer {LEAKING}", "the earlier one of two that tell as much"
    assert shown["value"] == pytest.approx(by_scikit_learn(people, states[:, LEAKING], "test"), abs=0.02)
    assert shown["value"] > 0.9
    dev = {row["source"]: row["dev"] for row in rows}
    for layer in (0, LEAKING):
        assert dev[f"layer {layer}"] == pytest.approx(by_scikit_learn(people, states[:, layer], "dev"), abs=0.03)
    together = next(row for row in rows if row["source"] == "all layers")
    assert together["value"] < 0.65


def test_the_headline_is_the_best_on_dev_and_not_on_those_who_are_tested():
    rows = [
        What("gender", source, attacker, "uar", "frames").row(value=value, dev=dev)
        for source, attacker, value, dev in (
            ("layer 0", "linear", 0.99, 0.6), ("layer 1", "cnn", 0.7, 0.8), ("layer 1", "linear", 0.6, 0.8),
            ("layer 2", "linear", 0.9, 0.8), ("layer 10", "cnn", 0.9, None), ("all layers", "linear", 1.0, 0.7),
        )
    ]  # fmt: skip
    (shown,) = headlines(rows)
    assert (shown["source"], shown["attacker"], shown["value"]) == ("layer 1", "linear", 0.6)
