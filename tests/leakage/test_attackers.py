"""What attackers see: standardised updates, inner products in any amount of memory, images of the published sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.preprocessing import StandardScaler

from candor.leakage.attackers.attacker import Lesson
from candor.leakage.attackers.cnn import GradientNetwork, Shown
from candor.leakage.attackers.logistic import FREEDOMS, Logistic
from candor.leakage.attackers.products import Coordinates, products, together
from candor.leakage.attackers.told_less import norms
from candor.leakage.layers import Layer
from candor.leakage.updates import Standard, Updates, class_shares
from planted_updates import LAYERS, half_women, planted

SHADOW = planted(half_women(8, "s"), 3, 0.4, seed=1)
VICTIMS = planted(half_women(6, "v"), 2, 0.4, seed=2)
FIRST, LAST = LAYERS


def raw(updates: Updates, layer: Layer) -> np.ndarray:
    return updates.rows(layer, range(len(updates))).astype(np.float64)


def test_the_scale_is_that_of_scikit_learn_over_what_is_learned_from_alone() -> None:
    learned_from = [0, 2, 5, 7, 11]
    scale = Standard.over(SHADOW, FIRST, learned_from)
    expected = StandardScaler().fit(raw(SHADOW, FIRST)[learned_from])
    np.testing.assert_allclose(scale.mean, expected.mean_, atol=1e-6)
    np.testing.assert_allclose(scale.deviation, expected.scale_, rtol=1e-5)
    brought = scale.brought(VICTIMS.rows(FIRST, [0]))
    np.testing.assert_allclose(brought, np.clip(expected.transform(raw(VICTIMS, FIRST)[:1]), -10, 10), atol=1e-4)


def test_a_number_that_never_varied_does_not_drown_the_others() -> None:
    shadow = planted(half_women(4, "s"), 2, 0.0, seed=1)
    for own in shadow._kept.tensors.values():
        own["dense.0.weight"][3, 4] = 0.25
    scale = Standard.over(shadow, FIRST, range(len(shadow)))
    values = shadow.rows(FIRST, [0])
    values[0, 3 * FIRST.columns + 4] = 100.0
    assert np.isfinite(scale.brought(values)).all()
    assert np.abs(values).max() == 10.0


@pytest.mark.parametrize("memory", [10**9, 50_000, 1])
def test_products_are_those_of_standardised_updates_whatever_the_memory(memory: int) -> None:
    scale = Standard.over(SHADOW, LAST, range(len(SHADOW)))
    found = products(SHADOW, [VICTIMS], LAST, scale, memory)
    own, victims = ((raw(updates, LAST) - scale.mean) / scale.deviation for updates in (SHADOW, VICTIMS))
    np.testing.assert_allclose(found.shadow, own @ own.T / LAST.size, atol=1e-5)
    np.testing.assert_allclose(found.others[0], victims @ own.T / LAST.size, atol=1e-5)


def test_regression_on_coordinates_is_regression_on_all_numbers() -> None:
    scale = Standard.over(SHADOW, FIRST, range(len(SHADOW)))
    found = Coordinates.of(products(SHADOW, [VICTIMS], FIRST, scale))
    labels = np.array([own.person.endswith(("1", "3", "5", "7")) for own in SHADOW.seen], dtype=np.intp)
    train, dev = np.arange(16), np.arange(16, 24)
    taught = Logistic(found.shadow, *found.others).learn(Lesson(train, dev, labels, 2, np.arange(24) // 3 % 4), seed=0)
    groups = [np.array([place]) for place in range(len(VICTIMS))]
    root = np.sqrt(FIRST.size)
    values, victims = ((raw(own, FIRST) - scale.mean) / scale.deviation / root for own in (SHADOW, VICTIMS))
    candidates = []
    for freedom in FREEDOMS:
        direct = LogisticRegression(C=freedom, class_weight="balanced", max_iter=5000, tol=1e-6).fit(values, labels)
        candidates.append(np.abs(direct.decision_function(victims) - taught.of_means(groups)[:, 1]).max())
    assert min(candidates) < 2e-2
    assert taught.held_out.tolist() == list(range(24))
    chosen = FREEDOMS[int(np.argmin(candidates))]
    pipe = LogisticRegression(C=chosen, class_weight="balanced", max_iter=5000, tol=1e-6)
    held_out = cross_val_predict(
        pipe, values, labels, groups=np.arange(24) // 3 % 4, cv=LeaveOneGroupOut(), method="decision_function"
    )
    np.testing.assert_allclose(taught.of_held_out()[:, 1], held_out, atol=2e-2)
    both = taught.of_means([np.array([0, 3])])[0, 1]
    assert both == pytest.approx(taught.of_means(groups)[[0, 3], 1].mean(), abs=1e-6)


def test_all_layers_together_are_one_long_layer() -> None:
    parts = [
        products(SHADOW, [VICTIMS], layer, Standard.over(SHADOW, layer, range(len(SHADOW)))) for layer in (FIRST, LAST)
    ]
    expected = (parts[0].shadow * FIRST.size + parts[1].shadow * LAST.size) / (FIRST.size + LAST.size)
    both = together(*parts)
    assert both.size == FIRST.size + LAST.size
    np.testing.assert_allclose(both.shadow, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "flat"),
    [
        ((256, 988), 3840),
        ((256, 768), 3072),
        ((256, 512), 3200),
        ((256, 256), 4096),
        ((128, 256), 2048),
        ((4, 128), 1024),
    ],
)
def test_the_network_is_the_published_one_for_every_published_layer(shape: Sequence[int], flat: int) -> None:
    network = GradientNetwork(Layer("x", "x.weight", "x.bias", *shape, shape[0]), 2)
    assert network.dense[0].in_features == flat + shape[0]
    assert [own.out_features for own in network.dense if isinstance(own, torch.nn.Linear)] == [256, 128, 2]


@pytest.mark.parametrize("shape", [(1, 5), (2, 16), (8, 128), (16, 1), (256, 6373), (33, 40), (256, 3), (7, 7)])
def test_the_network_takes_a_layer_of_any_shape(shape: tuple[int, int]) -> None:
    layer = Layer("x", "x.weight", "", *shape, 0)
    network = GradientNetwork(layer, 3).eval()
    assert network(torch.randn(2, layer.size)).shape == (2, 3)


def test_updates_are_shown_alike_whether_or_not_they_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    scale = Standard.over(SHADOW, FIRST, range(len(SHADOW)))
    at_hand = Shown(SHADOW, FIRST, scale).values([3, 1])
    monkeypatch.setattr("candor.leakage.attackers.cnn.AT_HAND", 0)
    np.testing.assert_allclose(at_hand, Shown(SHADOW, FIRST, scale).values([3, 1]), atol=2e-3)


def test_a_network_meets_other_noise_whenever_it_learns_and_the_same_when_it_is_tried() -> None:
    noised = planted(half_women(8, "s"), 9, 0.4, seed=1, noise=2.0).as_sent()
    scale = Standard.over(noised, FIRST, range(len(noised)))
    shown = Shown(noised, FIRST, scale, redrawn=[0, 1, 2, 3])
    once, twice = shown.values([1, 2]), shown.values([1, 2])
    assert abs(np.corrcoef(once[0], twice[0])[0, 1]) < 0.5  # what is under the noise is the same
    np.testing.assert_array_equal(shown.values([5, 6]), shown.values([5, 6]))
    assert once.std() == pytest.approx(shown.values([5, 6]).std(), rel=0.2)


def test_controls_are_told_norms_of_weight_and_bias_and_shares_of_classes() -> None:
    values = raw(VICTIMS, LAST)
    weight = LAST.rows * LAST.columns
    expected = [np.linalg.norm(values[:, :weight], axis=1), np.linalg.norm(values[:, weight:], axis=1)]
    np.testing.assert_allclose(norms(VICTIMS, LAST), np.log(np.column_stack(expected)), rtol=1e-5)
    shares = class_shares(planted({"a": "male"}, 1, 0.0, 0, classes=(1, 3)))
    np.testing.assert_allclose(shares, [[0.25, 0.75]])
