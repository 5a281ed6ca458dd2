"""A planted leak is found where it is planted; attributes dealt out anew say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import recall_score, roc_auc_score

from candor.leakage.attack import Attack
from candor.leakage.groups import single, some_of_each
from candor.leakage.job import _answers
from candor.leakage.names import ALL, CNN, LABELS, LOGISTIC, NONE, NORMS
from candor.leakage.outcomes import Outcomes
from candor.leakage.people import Pupils, pupils
from candor.leakage.said import fused
from candor.leakage.settings import TRIALS, Settings
from planted_updates import LAYERS, half_women, planted

SHADOW, VICTIMS, MANY = half_women(16, "s"), half_women(12, "v"), half_women(40, "v")


def attack(
    strength: float, *, attackers: Sequence[str] = (LOGISTIC,), seen: Sequence[int] = (1,), **plant: str
) -> Attack:
    taught = pupils(SHADOW, list(SHADOW), VICTIMS, 0)
    assert isinstance(taught, Pupils)
    settings = Settings(attackers=attackers, num_epochs=8, learning_rate=2e-3, updates_seen=seen)
    shadow = planted(SHADOW, 4, strength, seed=1, federations=2, **plant)
    return Attack(shadow, planted(VICTIMS, 6, strength, seed=2, **plant), LAYERS, taught, settings, seed=0)


def noised_attack(noise: float, strength: float, *, before_noise: bool) -> Attack:
    """Return an attack on noised updates by who has shadow updates before their noise, or just as they were sent."""
    shadow = half_women(24, "s")
    taught = pupils(shadow, list(shadow), MANY, 0)
    assert isinstance(taught, Pupils)
    own = planted(shadow, 4, strength, seed=1, noise=noise)
    attacked = planted(MANY, 5, strength, seed=2, noise=noise).as_sent()
    return Attack(own if before_noise else own.as_sent(), attacked, LAYERS, taught, Settings(), seed=0)


def outcomes(own: Attack, people: Mapping[str, str] = VICTIMS) -> Outcomes:
    said = [one for part in own.parts() for one in own.run(part)]
    return Outcomes("gender", "undefended", own.pupils.values, [_answers(own, said, people)])


def by_layer(
    own: Attack, attacker: str, metric: str = "uar", updates: int = 1, people: Mapping[str, str] = VICTIMS
) -> dict[str, dict[str, object]]:
    rows = outcomes(own, people).rows()
    return {
        row["layer"]: row
        for row in rows
        if (row["attacker"], row["metric"], row["updates"]) == (attacker, metric, updates)
    }


@pytest.mark.parametrize("layer", ["dense.0", "dense.1"])
def test_a_planted_leak_is_found_in_its_layer_and_nowhere_else(layer: str) -> None:
    found = by_layer(attack(1.0, layer=layer), LOGISTIC)
    other = "dense.1" if layer == "dense.0" else "dense.0"
    assert found[layer]["value"] == pytest.approx(1.0, abs=0.01)
    assert found[layer]["verdict"] == "beyond control"
    assert found[other]["value"] == pytest.approx(0.5, abs=0.12)
    assert found[other]["verdict"] == "not beyond control"


def test_the_network_finds_it_too() -> None:
    found = by_layer(attack(1.5, attackers=(CNN,)), CNN)
    assert found["dense.0"]["value"] == pytest.approx(1.0, abs=0.03)
    assert found["dense.0"]["control"] == pytest.approx(0.5, abs=0.25)
    assert found[ALL]["value"] == pytest.approx(1.0, abs=0.05)


def test_attributes_dealt_out_anew_say_nothing_even_where_the_leak_is_plain() -> None:
    for layer, row in by_layer(attack(1.0), LOGISTIC).items():
        assert row["control"] == pytest.approx(0.5, abs=0.08), layer


def test_where_nothing_is_planted_nothing_is_found() -> None:
    for row in outcomes(attack(0.0)).rows():
        assert row["value"] == pytest.approx(0.5, abs=0.12)
        assert row["verdict"] == "not beyond control"


def test_who_is_told_norms_or_classes_alone_does_not_find_a_pattern_that_makes_nothing_longer() -> None:
    found = by_layer(attack(0.05), NORMS)
    assert found["dense.0"]["value"] == pytest.approx(0.5, abs=0.12)
    labels = by_layer(attack(1.0), LABELS)
    assert labels[NONE]["value"] == 0.5


def test_more_updates_tell_more() -> None:
    own = attack(0.07, seen=(1, 6))
    one, six = (by_layer(own, LOGISTIC, updates=number)["dense.0"] for number in (1, 6))
    assert one["value"] < six["value"]
    assert six["seen"] == 6
    assert (one["tested"], six["tested"]) == (12 * 6, 12 * TRIALS)


def test_the_figures_are_scikit_learns() -> None:
    own = attack(0.1)
    found = outcomes(own)
    scores = [row for row in found.scores() if (row["attacker"], row["layer"]) == (LOGISTIC, "dense.0")]
    truth = [row["truth"] for row in scores]
    rows = {row["metric"]: row for row in found.rows() if (row["attacker"], row["layer"]) == (LOGISTIC, "dense.0")}
    said = [row["said"] for row in scores]
    assert rows["uar"]["value"] == pytest.approx(recall_score(truth, said, average="macro"))
    of_men = [row["p"] if row["truth"] == "male" else 1 - row["p"] for row in scores]
    assert rows["auc"]["value"] == pytest.approx(roc_auc_score([value == "male" for value in truth], of_men))
    of_rounds = [row for row in found.by_round() if (row["attacker"], row["layer"]) == (LOGISTIC, "dense.0")]
    for row in of_rounds:
        own_scores = [one for one in scores if one["round"] == row["round"]]
        expected = recall_score([o["truth"] for o in own_scores], [o["said"] for o in own_scores], average="macro")
        assert row["value"] == pytest.approx(expected)
    assert len(of_rounds) == 6


def test_who_knows_of_noise_learns_what_is_under_it_and_comes_near_to_what_can_be_known_at_all() -> None:
    """Of a known pattern under Gaussian noise the best that can be done has a closed form."""
    noise, strength = 8.0, 0.4
    pattern = strength * np.sqrt(LAYERS[0].size - LAYERS[0].biases)
    best = norm.cdf(pattern / np.sqrt(2 * (1 + noise**2)))
    aucs = []
    for before_noise in (True, False):
        own = noised_attack(noise, strength, before_noise=before_noise)
        aucs.append(by_layer(own, LOGISTIC, "auc", people=MANY)["dense.0"]["value"])
    found, from_noise = aucs
    assert found == pytest.approx(best, abs=0.06)
    assert from_noise < found - 0.1


def test_noise_is_the_same_whenever_an_update_is_read_and_as_strong_as_it_was() -> None:
    updates = planted(SHADOW, 1, 0.0, seed=1, noise=3.0)
    sent = updates.as_sent()
    assert (updates.lack_noise, sent.lack_noise, planted(SHADOW, 1, 0.0, seed=1).lack_noise) == (True, False, False)
    before, after, again = (own.rows(LAYERS[0], range(16)) for own in (updates, sent, sent))
    np.testing.assert_array_equal(after, again)
    assert (after - before).std() == pytest.approx(3.0, rel=0.02)
    assert abs(np.corrcoef(after - before)[0, 1:]).max() < 0.15


def test_figures_on_people_held_out_are_scikit_learns() -> None:
    own = attack(0.1)
    lesson = own.pupils.lesson(own.shadow)
    (said,) = [one for one in own.run("regressions") if (one.attacker, one.layer) == (LOGISTIC, "dense.0")]
    found = own.on_held_out(said)
    truth, odds, parts = lesson.labels[said.held_out], said.dev[:, 1] - said.dev[:, 0], lesson.parts[said.held_out]
    assert found["uar"] == pytest.approx(recall_score(truth, odds > 0, average="macro"))
    areas = [roc_auc_score(truth[parts == part], odds[parts == part]) for part in set(parts)]
    assert len(areas) == 5
    assert found["auc"] == pytest.approx(np.mean(areas))


def test_an_interval_is_as_wide_as_people_differ_not_as_updates_do() -> None:
    found = by_layer(attack(0.1), LOGISTIC)["dense.0"]
    assert found["people"] == len(VICTIMS)
    assert found["low"] < found["value"] < found["high"]


def test_groups_hold_updates_of_one_client_each_and_no_more_than_it_has() -> None:
    victims = planted(VICTIMS, 5, 0.0, seed=0, federations=2)
    alone = single(victims)
    assert [own.tolist() for own in alone.members] == [[place] for place in range(len(victims))]
    for number, expected in ((3, 3), (100, 5)):
        groups = some_of_each(victims, number, seed=1)
        assert groups.seen == expected
        assert len(groups.members) == TRIALS * 2 * len(VICTIMS)
        for own in groups.members:
            clients = {(victims.seen[place].federation, victims.seen[place].client) for place in own}
            assert len(clients) == 1
            assert len(set(own.tolist())) == len(own)


def test_what_layers_say_together_is_the_mean_of_chances_by_how_large_they_are() -> None:
    own = attack(1.0, attackers=(CNN,))
    said = [one for part in own.parts() if part != "regressions" for one in own.run(part)]
    sizes = {layer.name: layer.size for layer in LAYERS}
    both = fused(said, sizes.__getitem__)
    chances = [np.exp(one.odds[1]) / np.exp(one.odds[1]).sum(axis=1, keepdims=True) for one in said]
    expected = sum(sizes[one.layer] * chance for one, chance in zip(said, chances, strict=True)) / sum(sizes.values())
    np.testing.assert_allclose(np.exp(both.odds[1]), expected, rtol=1e-6)
