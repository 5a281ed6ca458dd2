"""Medians, trimmed means and Krum: what liars cannot do, and the arithmetic against numpy and SciPy."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist, squareform
from scipy.stats import trim_mean

from candor.federated.errors import FederatedError
from candor.federated.local import Returned
from candor.federated.rules import robust
from candor.federated.rules.registry import rule_of
from candor.federated.settings import Settings
from candor.federated.vectors import Layout, Piece, Weights

SIZE, CLIENTS = 500, 10
LAYOUT = Layout((Piece("w", (SIZE,), 0),), (Piece("mean", (3,), 0),), (Piece("count", (), 0),))
START = Weights(torch.zeros(SIZE), torch.zeros(3), torch.zeros(1, dtype=torch.int64))
ROBUST = [
    Settings("median"),
    Settings("trimmed_mean", trimmed=0.2),
    Settings("krum", malicious=2),
    Settings("multi_krum", malicious=2, selected=3),
]


def honest() -> torch.Tensor:
    torch.manual_seed(0)
    return 0.5 + 0.1 * torch.randn(CLIENTS, SIZE)


def sent(updates: torch.Tensor, clients: list[int], lies: list[int] | None = None) -> Returned:
    buffers, counters = torch.ones(len(clients), 3), torch.full((len(clients), 1), 7)
    for row, client in enumerate(clients):
        if client in (lies or []):
            buffers[row], counters[row] = 1e9, 10**12
    ones = [1] * len(clients)
    return Returned(clients, updates[clients], buffers, counters, [20] * len(clients), ones, [0.0] * len(clients))


def next_model(settings: Settings, *parts: Returned) -> Weights:
    rule = rule_of(settings, LAYOUT)
    gathered = rule.gather()
    for part in parts:
        gathered.add(part)
    return rule.step(START, gathered, rule.begin(CLIENTS), 1)


def poisoned(kind: str) -> torch.Tensor:
    updates = honest()
    updates[[2, 7]] = {"opposite": -10 * updates[[2, 7]], "huge": torch.full((2, SIZE), 1e6)}[kind]
    return updates


@pytest.mark.parametrize("kind", ["opposite", "huge"])
@pytest.mark.parametrize("settings", ROBUST, ids=lambda settings: settings.model_type)
def test_two_liars_among_ten_cannot_lead_a_robust_rule_out_of_what_the_others_say(settings: Settings, kind: str):
    others = [client for client in range(CLIENTS) if client not in (2, 7)]
    result = next_model(settings, sent(poisoned(kind), list(range(CLIENTS)), lies=[2, 7]))
    assert bool((result.parameters >= honest()[others].amin(dim=0)).all())
    assert bool((result.parameters <= honest()[others].amax(dim=0)).all())
    assert torch.equal(result.buffers, torch.ones(3))
    assert result.counters.tolist() == [7]


@pytest.mark.parametrize("kind", ["opposite", "huge"])
def test_a_mean_is_led_away_by_them(kind: str):
    result = next_model(Settings("fed_avg"), sent(poisoned(kind), list(range(CLIENTS)), lies=[2, 7]))
    assert float((result.parameters - honest().mean(dim=0)).abs().min()) > 0.3
    assert float(result.buffers.min()) > 1e6


@pytest.mark.parametrize("settings", ROBUST, ids=lambda settings: settings.model_type)
def test_it_does_not_matter_who_answers_first_or_with_whom(settings: Settings):
    updates = honest()
    together = next_model(settings, sent(updates, list(range(CLIENTS))))
    apart = next_model(settings, sent(updates, [9, 3]), sent(updates, [8, 0, 1, 7, 2]), sent(updates, [6, 5, 4]))
    assert torch.allclose(together.parameters, apart.parameters, atol=1e-7)


def test_of_answers_that_are_equally_close_krum_takes_that_of_the_first_client():
    updates = torch.tensor([[0.0], [1.0], [2.0], [3.0]]).repeat(1, SIZE)
    one_expected = Settings("krum", malicious=1)
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1]):
        assert torch.equal(next_model(one_expected, sent(updates, order)).parameters, updates[0])


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 40])
def test_medians_and_trimmed_means_are_those_of_numpy_and_scipy(count: int, monkeypatch):
    monkeypatch.setattr(robust, "SORTED_AT_ONCE", 700)  # several blocks, the last of them not full
    rows = np.random.default_rng(count).standard_normal((count, 333)).astype(np.float32)
    parts = list(torch.from_numpy(rows).split(7))
    assert np.array_equal(robust.by_column(parts, robust.median_of_sorted).numpy(), np.median(rows, axis=0))
    for share in (0.05, 0.2, 0.49):
        found = robust.by_column(parts, lambda ordered, cut=share: robust.trimmed_mean_of_sorted(ordered, cut))
        np.testing.assert_allclose(found.numpy(), trim_mean(rows.astype(np.float64), share), atol=3e-7)


def test_distances_are_those_of_scipy_also_of_rows_that_hardly_differ_and_beside_huge_ones(monkeypatch):
    monkeypatch.setattr(robust, "MULTIPLIED_AT_ONCE", 1000)
    rows = 3 + np.random.default_rng(1).standard_normal((9, 401)).astype(np.float32)
    rows[4] = rows[3] + 1e-5 * np.random.default_rng(2).standard_normal(401).astype(np.float32)
    rows[5] = rows[3]
    rows[8] *= 1e8
    found = robust.squared_distances(list(torch.from_numpy(rows).split(4))).numpy()
    expected = squareform(pdist(rows.astype(np.float64), "sqeuclidean"))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-11)
    assert 0 < expected[3, 4] < 1e-6


def test_with_too_few_answers_for_krums_promise_it_is_said_once(caplog):
    caplog.set_level(logging.WARNING)
    rule = rule_of(Settings("krum", malicious=4), LAYOUT)
    for _ in range(2):
        gathered = rule.gather()
        gathered.add(sent(honest(), list(range(CLIENTS))))
        rule.step(START, gathered, rule.begin(CLIENTS), 1)
    assert [record.message for record in caplog.records] == [
        "krum with malicious: 4 withstands that many only among 11 answers or more; in a round there are 10"
    ]
    caplog.clear()
    next_model(Settings("krum", malicious=3), sent(honest(), list(range(CLIENTS))))
    assert not caplog.records


def test_a_round_with_too_few_answers_for_krum_is_refused_before_it_begins():
    krum = rule_of(Settings("krum", malicious=2), LAYOUT)
    krum.check_answers(7)
    with pytest.raises(FederatedError, match="krum with malicious: 2 needs 7 answers or more, but a round has 6"):
        krum.check_answers(6)
    several = rule_of(Settings("multi_krum", malicious=1, selected=20), LAYOUT)
    with pytest.raises(FederatedError, match="malicious: 1 and selected: 20 needs 21 answers or more"):
        several.check_answers(20)


def shares_of(settings: Settings, *parts: Returned) -> dict[int, float] | None:
    gathered = rule_of(settings, LAYOUT).gather()
    for part in parts:
        gathered.add(part)
    gathered.combined()
    return gathered.shares()


def test_shares_are_those_of_the_mean_and_of_what_was_selected():
    parts = sent(poisoned("huge"), [0, 1, 2, 3, 4]), sent(poisoned("huge"), [5, 6, 7, 8, 9])
    krum = shares_of(Settings("multi_krum", malicious=2, selected=3), *parts)
    assert krum is not None
    assert krum[2] == krum[7] == 0
    assert sorted(krum.values()) == pytest.approx([0] * 7 + [1 / 3] * 3)
    uneven = replace(parts[1], examples=[20, 20, 20, 20, 220])
    assert shares_of(Settings("fed_avg"), parts[0], uneven) == pytest.approx({**dict.fromkeys(range(9), 0.05), 9: 0.55})
    assert shares_of(Settings("median"), *parts) is None


def test_a_trimmed_mean_that_trims_nothing_says_so_once(caplog):
    rule = rule_of(Settings("trimmed_mean", trimmed=0.2), LAYOUT)
    for number in (1, 2):
        gathered = rule.gather()
        gathered.add(sent(honest(), [0, 1, 2, 3]))
        rule.step(START, gathered, {}, number)
    assert caplog.text.count("cuts nothing off 4 answers") == 1
