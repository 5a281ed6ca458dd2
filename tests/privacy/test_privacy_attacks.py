"""A planted leak is found, noise gives chance, and a shuffled control always does."""

import numpy as np
import pytest
from sklearn.metrics import recall_score, roc_curve

from candor.models.networks import FrameNetwork
from candor.privacy.attackers import CnnAttacker, Effort, LinearAttacker
from candor.privacy.attacks import attack_closed_set, attack_gender, attack_verification
from candor.privacy.contests import Contest, Contests
from candor.privacy.outcomes import What, contest_row
from candor.privacy.people import People, closed_set, deal, gender_training, lineup
from candor.privacy.ranking import Curve
from candor.privacy.states import vectors
from privacy.crowds import crowd, gender, manifest, nothing, one_hot

EFFORT = Effort(30, 0.01, 32)
ATTACKERS = {"linear": LinearAttacker, "cnn": lambda states: CnnAttacker(vectors(states), EFFORT)}


def attack(attribute, people, states, attacker="linear", seeds=(0,)):
    made = ATTACKERS[attacker](states)
    dealt, what = deal(people), What(attribute, "layer 0", attacker, {"verification": "eer"}.get(attribute, "uar"), "")
    if attribute == "gender":
        return attack_gender(people, lambda *_: made, seeds, what)
    if attribute == "speaker":
        return attack_closed_set(people, dealt, lambda *_: made, seeds, what, [None])
    return attack_verification(people, dealt, lambda *_: made, seeds, what)


@pytest.mark.parametrize("attacker", ["linear", "cnn"])
@pytest.mark.parametrize(("attribute", "found"), [("gender", 1.0), ("speaker", 1.0), ("verification", 0.0)])
def test_a_planted_leak_is_found(attribute, found, attacker):
    people = crowd(manifest(speakers=24))
    states = gender(people) if attribute == "gender" else one_hot(people)
    row = attack(attribute, people, states, attacker)
    assert row["value"] == pytest.approx(found, abs=0.1 if (attacker, attribute) == ("cnn", "verification") else 0.02)
    assert row["verdict"] == "beyond control"
    assert row["control_low"] <= row["chance"] <= row["control_high"]
    assert row["speakers"] == 24


@pytest.mark.parametrize("attacker", ["linear", "cnn"])
@pytest.mark.parametrize("attribute", ["gender", "speaker", "verification"])
def test_noise_tells_nothing(attribute, attacker):
    people = crowd(manifest(speakers=24))
    row = attack(attribute, people, nothing(people), attacker)
    assert row["low"] <= row["chance"] <= row["high"]
    assert row["verdict"] == "not beyond control"
    assert abs(row["value"] - row["chance"]) < 0.12


def test_of_100_attacks_on_noise_hardly_any_is_called_a_leak():
    """Speakers differ from each other, but not by gender; a verdict of chance would come at 2.5 of 100."""
    people, found, missed = crowd(), 0, 0
    codes = np.unique(people.speakers, return_inverse=True)[1]
    for run in range(100):
        random = np.random.default_rng(run)
        states = random.normal(size=(12, 8))[codes] + random.normal(size=(len(people), 8))
        row = attack("gender", people, states)
        found += row["verdict"] == "beyond control"
        missed += not row["low"] <= 0.5 <= row["high"]
    assert found <= 5
    assert missed <= 13


def test_an_attribute_that_is_shuffled_over_speakers_is_at_chance_however_well_speakers_are_told_apart():
    table = manifest(speakers=24)
    random = np.random.default_rng(4)
    dealt = dict(zip(sorted(set(table["speaker"])), random.permutation(["male", "female"] * 12), strict=True))
    people = crowd(table.assign(gender=table["speaker"].map(dealt)))
    row = attack("gender", people, one_hot(crowd(table)))
    assert row["verdict"] == "not beyond control"
    assert attack("speaker", people, one_hot(crowd(table)))["value"] == 1.0


def test_figures_are_those_of_scikit_learn():
    people = crowd(manifest(speakers=24))
    states = one_hot(people, noise=2.0)
    made, said = LinearAttacker(states), np.zeros(len(people), dtype=int)
    rates, weights = [], []
    for fold in people.parts:
        training, test = gender_training(people, fold)
        said[test] = made.fit(training, 0).guess(test)
        own = lineup(people, deal(people), fold)
        fitted = made.fit(own.training, 0)
        scores, truth = [], []
        for name, numbers in own.enrolled.items():
            known = fitted.project(numbers).mean(axis=0)
            for probe in own.probes:
                seen = fitted.project(np.array([probe]))[0]
                scores.append(known @ seen / np.linalg.norm(known) / np.linalg.norm(seen))
                truth.append(people.speakers[probe] == name)
        alarms, hits, _ = roc_curve(truth, scores)
        rates.append(alarms[np.argmin(np.abs(alarms - 1 + hits))])
        weights.append(sum(truth))
    told = attack("gender", people, states)
    assert told["value"] == pytest.approx(recall_score(people.genders == "female", said, average="macro"))
    assert told["utterances"] == len(people)
    assert told["folds"] == 3
    verified = attack("verification", people, states)
    assert verified["value"] == pytest.approx(np.average(rates, weights=weights), abs=0.01)
    assert verified["utterances"] == sum(weights)


def test_every_speaker_weighs_the_same_in_the_closed_set():
    table = manifest(speakers=6)
    fewer = table["speaker"].isin(["s00", "s03"]) & ~table["utterance"].str.endswith("0")
    people = crowd(table[~fewer].reset_index(drop=True))
    states = one_hot(people, noise=2.0)
    training, probes, _ = closed_set(people, deal(people))
    said = LinearAttacker(states).fit(training, 0).guess(probes)
    row = attack("speaker", people, states)
    assert row["value"] == pytest.approx(recall_score(training.labels[probes], said, average="macro"))
    assert row["value"] != pytest.approx((training.labels[probes] == said).mean())
    assert row["chance"] == pytest.approx(1 / 6)
    assert row["utterances"] == len(probes)


def test_several_seeds_are_averaged_and_counted_once():
    people = crowd(manifest(speakers=24))
    one, two = (attack("gender", people, one_hot(people, 1.0), "cnn", seeds) for seeds in ((0,), (0, 1)))
    assert one["utterances"] == two["utterances"] == len(people)
    other = attack("gender", people, one_hot(people, 1.0), "cnn", (1,))
    assert two["value"] == pytest.approx((one["value"] + other["value"]) / 2)


def test_the_same_attack_gives_the_same_row():
    people = crowd()
    rows = [attack("speaker", people, one_hot(people, 1.0), "cnn") for _ in range(2)]
    assert rows[0] == rows[1] or str(rows[0]) == str(rows[1])


@pytest.mark.parametrize(
    ("table", "attribute", "reason"),
    [
        (manifest(gender="male"), "gender", "not both genders"),
        (manifest(gender=""), "gender", "the corpus tells nobody's gender"),
        (manifest(sentences=1), "speaker", "fewer than two speakers"),
        (manifest(sentences=1), "verification", "fewer than three speakers"),
        (manifest(speakers=6), "verification", "fewer than three speakers"),
    ],
)
def test_without_the_people_there_is_a_reason_instead_of_a_figure(table, attribute, reason):
    people = crowd(table)
    row = attack(attribute, people, nothing(people))
    assert row["value"] is None
    assert row["verdict"].startswith(f"not attacked: {reason}")


@pytest.mark.parametrize("changed", [Effort(1, 0.01, 32), Effort(30, 0.0001, 32), Effort(30, 0.01, 1)])
def test_how_hard_the_network_tries_matters(changed):
    people = crowd()
    states = one_hot(people, 1.0)
    dealt, what = deal(people), What("speaker", "", "cnn", "accuracy", "")
    values = []
    for effort in (EFFORT, changed):
        made = CnnAttacker(vectors(states), effort)
        values.append(attack_closed_set(people, dealt, lambda *_, m=made: m, (0,), what, [None])["value"])
    assert values[1] < values[0]


def test_two_who_are_tested_and_give_no_interval_are_not_called_one():
    """Without either speaker no trial remains of the two: who is he to be taken for?"""
    codes, truth = np.array([0, 0, 1, 1]), np.array([True, False, True, False])
    contests = Contests([Contest.of(np.arange(4.0), truth, [truth], codes, codes[::-1], truth, 1)])
    what = What("verification", "embedding", "linear", "eer", "")
    row = contest_row(what, contests, Curve.equal_error, 0.5, np.ones(2), 0)
    assert (row["speakers"], row["verdict"]) == (2, "too few speakers")


def test_the_cnn_embeds_each_utterance_once_however_many_are_enrolled(monkeypatch):
    """All that were learned from, all that are enrolled and all probes; the scores are those of one at a time."""
    people = crowd(manifest(speakers=24))
    own = lineup(people, deal(people), 1)
    fitted = ATTACKERS["cnn"](one_hot(people, 1.0)).fit(own.training, 0)
    numbers = np.concatenate([*own.enrolled.values(), own.probes])
    alone = np.concatenate([fitted.project(np.array([number])) for number in numbers])
    assert fitted.project(numbers) == pytest.approx(alone, abs=1e-5)
    embedded = []
    embed = FrameNetwork.embed

    def counting(network, batch):
        embedded.append(len(batch.lengths))
        return embed(network, batch)

    class Watched:
        def fit(self, training, seed):
            fitted = ATTACKERS["cnn"](one_hot(people, 1.0)).fit(training, seed)
            monkeypatch.setattr(FrameNetwork, "embed", counting)
            embedded.clear()
            return fitted

    people = People(**{**vars(people), "parts": {1: people.parts[1]}})
    attack_verification(people, deal(people), lambda *_: Watched(), (0,), What("verification", "", "cnn", "eer", ""))
    assert sum(embedded) == len(own.training.train) + len(numbers)
