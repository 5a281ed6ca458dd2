"""Client-level privacy: how far one client can move a round, how strong the noise is, who takes part, when it ends."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from candor.federated.defences import client_dp
from candor.federated.defences.registry import treatment_of
from candor.federated.errors import FederatedError
from candor.federated.local import Returned
from candor.federated.rules.averaging import FedAvg
from candor.federated.sampling import each_by_chance
from candor.federated.settings import Defence, Settings
from candor.federated.vectors import Layout

CLIENTS, SIZE, CLIP, NOISE, EXPECTED = 12, 2000, 0.5, 1.5, 6
SETTINGS = Settings(
    num_epochs=40,
    clients_per_round=EXPECTED,
    defence=Defence("client_dp", epsilon=50.0, delta=1e-5, clip=CLIP, noise=NOISE),
)
LAYOUT = Layout.of(nn.Linear(SIZE - 1, 1))


def answers(updates, clients=None, examples=None):
    count = len(updates)
    return Returned(
        list(range(count)) if clients is None else clients,
        updates,
        torch.empty(count, 0),
        torch.empty(count, 0, dtype=torch.int64),
        examples or [10] * count,
        [1] * count,
        [1.0] * count,
    )


@pytest.fixture
def begun(monkeypatch):
    """Return a function that begins a round in which so many clients take part."""

    def begin(taking_part, round_=1, treatment=None):
        monkeypatch.setattr(client_dp, "each_by_chance", lambda *_: list(range(taking_part)))
        treatment = treatment or treatment_of(SETTINGS, LAYOUT, CLIENTS)
        assert treatment.begin(range(CLIENTS), round_) == list(range(taking_part))
        return treatment, treatment.gather(FedAvg(SETTINGS, LAYOUT), round_)

    return begin


def step_along(treatment, gathered, updates, round_=1, **more):
    """Return what the model steps along when these updates have come."""
    if len(updates):
        gathered.add(treatment.treat(answers(updates, **more), round_))
    return gathered.combined().parameters


@pytest.fixture
def noiseless(monkeypatch):
    for module in ("client_dp", "treatment"):
        monkeypatch.setattr(f"candor.federated.defences.{module}.gaussian", lambda size, *_: torch.zeros(size))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6, 1e25])
def test_one_client_more_or_less_moves_the_sum_by_the_clip_at_most(begun, noiseless, scale):
    generator = torch.Generator().manual_seed(0)
    for count in range(1, 8):
        updates = scale * torch.randn(count, SIZE, generator=generator)
        updates[-1, 0] = (float("nan"), float("inf"), -float("inf"), 0, 1, 2, 3)[count - 1]
        fewer, more = (EXPECTED * step_along(*begun(count), own) for own in (updates[:-1], updates))
        assert float((more.double() - fewer.double()).norm()) <= CLIP * (1 + 1e-5)


def test_short_updates_are_left_as_they_are_and_long_ones_keep_their_direction(begun, noiseless):
    short, long = torch.full((SIZE,), 1e-3), torch.randn(SIZE, generator=torch.Generator().manual_seed(1))
    treatment, _ = begun(2)
    before = torch.stack([short, long])
    given = answers(before.clone())
    sent = treatment.treat(given, 1).updates
    assert torch.equal(sent[0], short)
    assert float(sent[1].norm()) == pytest.approx(CLIP, rel=1e-5)
    assert float(sent[1].norm()) <= CLIP
    assert torch.cosine_similarity(sent[1], long, dim=0) == pytest.approx(1)
    assert torch.equal(given.updates, before), "what a client has learned is left alone"


def test_the_sum_is_divided_by_the_number_expected_whoever_comes_and_whatever_they_hold(begun, noiseless):
    for count in (1, 4, 9):
        updates = torch.full((count, SIZE), 1e-3)
        treatment, gathered = begun(count)
        mean = step_along(treatment, gathered, updates, examples=list(range(1, count + 1)))
        assert torch.allclose(mean, updates.sum(dim=0) / EXPECTED)
        assert gathered.shares() == dict.fromkeys(range(count), 1 / EXPECTED)


@pytest.mark.parametrize(("taking_part", "answered"), [(6, 6), (6, 2), (11, 11), (11, 3), (4, 0), (1, 1), (0, 0)])
def test_the_noise_on_the_sum_is_as_strong_whoever_answers(begun, taking_part, answered):
    """Nor is it stronger than it must be: among so many parameters it could be read off how many there were."""
    treatment, _ = begun(taking_part)
    noise = torch.stack(
        [
            EXPECTED * step_along(*begun(taking_part, number, treatment), torch.zeros(answered, SIZE), number)
            for number in range(30)
        ]
    )
    # Of 60 000 numbers the variance is known to 0.6 %, the mean to 0.4 % of a deviation.
    assert float(noise.var()) == pytest.approx((NOISE * CLIP) ** 2, rel=0.025)
    assert abs(float(noise.mean())) < 0.02 * NOISE * CLIP
    apart = np.corrcoef(noise.numpy())[np.triu_indices(30, 1)]
    assert np.abs(apart).max() < 0.12, "no two rounds have the same noise"


def test_single_updates_hold_a_share_of_the_noise_each_of_its_own(begun):
    treatment, _ = begun(9)
    sent = treatment.treat(answers(torch.zeros(9, SIZE)), 1).updates
    assert sent.var(dim=1).numpy() == pytest.approx((NOISE * CLIP) ** 2 / 9, rel=0.2)
    assert np.abs(np.corrcoef(sent.numpy())[np.triu_indices(9, 1)]).max() < 0.12
    later = treatment.treat(answers(torch.zeros(9, SIZE)), 2).updates
    assert abs(float(torch.corrcoef(torch.stack([sent[0], later[0]]))[0, 1])) < 0.1
    again, _ = begun(9)
    assert torch.equal(again.treat(answers(torch.zeros(9, SIZE)), 1).updates, sent)


def test_each_client_takes_part_by_its_own_coin():
    rounds, rate = 5000, 0.3
    there = np.zeros((rounds, CLIENTS))
    for number in range(rounds):
        there[number, each_by_chance(CLIENTS, rate, 8, number)] = 1
    error = np.sqrt(rate * (1 - rate) / rounds)
    assert np.abs(there.mean(axis=0) - rate).max() < 4 * error
    # Drawn without replacement, clients would avoid each other, and their number would never vary.
    assert np.abs(np.corrcoef(there.T)[np.triu_indices(CLIENTS, 1)]).max() < 0.06
    assert there.sum(axis=1).var() == pytest.approx(CLIENTS * rate * (1 - rate), rel=0.08)
    assert np.abs(np.corrcoef(there[1:].ravel(), there[:-1].ravel())[0, 1]) < 0.02
    assert each_by_chance(CLIENTS, 1.0, 8, 1) == list(range(CLIENTS))


def test_the_rate_is_that_of_the_clients_asked_for():
    treatment = treatment_of(SETTINGS, LAYOUT, CLIENTS)
    assert treatment.rate == EXPECTED / CLIENTS
    counts = [len(treatment.begin(range(CLIENTS), number)) for number in range(1, 400)]
    assert np.mean(counts) == pytest.approx(EXPECTED, abs=0.4)
    assert len(set(counts)) > 5


def test_epsilon_of_updates_is_of_the_client_that_gave_away_most(begun):
    treatment, _ = begun(4)
    treatment.treat(answers(torch.zeros(3, SIZE), clients=[0, 1, 3]), 1)
    treatment.begin(range(CLIENTS), 2)
    treatment.treat(answers(torch.zeros(2, SIZE), clients=[1, 2]), 2)
    # Client 1 sent two updates with noise of z C / sqrt(4) each; two updates are up to 2 C apart.
    signal = np.sqrt(2 * (2 / (NOISE / np.sqrt(4))) ** 2)
    epsilon = treatment.facts("a client")["epsilon_updates"]
    delta = norm.cdf(signal / 2 - epsilon / signal) - np.exp(epsilon) * norm.cdf(-signal / 2 - epsilon / signal)
    assert delta == pytest.approx(1e-5, rel=1e-6)


def test_facts_are_of_the_rounds_that_there_were(begun):
    treatment, _ = begun(4)
    early = treatment.facts("a client")
    for number in range(2, 21):
        treatment.begin(range(CLIENTS), number)
    late = treatment.facts("a client")
    assert (early["rounds"], late["rounds"]) == (1, 20)
    assert early["epsilon"] < late["epsilon"] < 50
    expected = {"kind": "client_dp", "delta": 1e-5, "clip": CLIP, "noise": NOISE, "sampling_rate": 0.5}
    assert {key: late[key] for key in expected} == expected
    assert late["claimed_epsilon"] is None
    assert late["unit"] == "a client"


def test_noise_that_is_left_out_lets_all_rounds_fit_the_budget():
    asked = replace(SETTINGS, defence=replace(SETTINGS.defence, epsilon=5.0, noise=None))
    treatment = treatment_of(asked, LAYOUT, CLIENTS)
    for number in itertools.count(1):
        if treatment.over:
            break
        treatment.begin(range(CLIENTS), number)
    facts = treatment.facts("a client")
    assert facts["rounds"] == 40
    assert 4.99 < facts["epsilon"] <= 5
    assert f"noise on their sum is {facts['noise']:.4g} times that" in treatment.announcement()
    assert "40 rounds spend" in treatment.announcement()


def test_noise_with_which_no_round_fits_is_refused_in_a_line():
    asked = replace(SETTINGS, defence=replace(SETTINGS.defence, epsilon=1.0, noise=0.5))
    with pytest.raises(FederatedError, match=r"^with defence\.noise 0\.5 the first round spends more than epsilon 1"):
        treatment_of(asked, LAYOUT, CLIENTS)


@pytest.mark.parametrize("kind", ["client_dp", "local_dp"])
def test_a_model_that_sends_more_than_what_is_noised_is_refused(kind):
    normed = Layout.of(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)))
    asked = replace(SETTINGS, defence=replace(SETTINGS.defence, kind=kind))
    with pytest.raises(FederatedError, match=r"'.*_dp' does not reach 1\.running_mean, 1\.running_var, 1\.num_batches"):
        treatment_of(asked, normed, CLIENTS)
