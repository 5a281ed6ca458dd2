"""Local privacy: what leaves a client, and how often it may send."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from candor.federated.defences.registry import treatment_of
from candor.federated.errors import FederatedError
from candor.federated.local import Returned
from candor.federated.settings import Defence, Settings
from candor.federated.vectors import Layout

SIZE, CLIP, NOISE = 3000, 0.25, 4.0
SETTINGS = Settings(
    num_epochs=50,
    clients_per_round=3,
    defence=Defence("local_dp", epsilon=8.0, delta=1e-5, clip=CLIP, noise=NOISE),
)
LAYOUT = Layout.of(nn.Linear(SIZE - 1, 1))


def answers(updates):
    count = len(updates)
    empty = torch.empty(count, 0)
    return Returned(list(range(count)), updates, empty, empty.long(), [10] * count, [1] * count, [1.0] * count)


def test_any_two_updates_are_at_most_twice_the_clip_apart_without_the_noise(monkeypatch):
    monkeypatch.setattr("candor.federated.defences.treatment.gaussian", lambda size, *_: torch.zeros(size))
    generator = torch.Generator().manual_seed(0)
    wild = 10.0 ** torch.arange(-4, 26, 5)[:, None] * torch.randn(6, SIZE, generator=generator)
    wild[3, 7] = float("nan")
    sent = treatment_of(SETTINGS, LAYOUT, 12).treat(answers(torch.cat([wild, -wild])), 1).updates
    assert sent.isfinite().all()
    apart = torch.cdist(sent.double(), sent.double())
    assert CLIP < float(apart.max()) <= 2 * CLIP


def test_each_update_is_noised_by_itself():
    treatment = treatment_of(SETTINGS, LAYOUT, 10)
    sent = treatment.treat(answers(torch.zeros(8, SIZE)), 1).updates
    assert sent.var(dim=1).numpy() == pytest.approx((NOISE * CLIP) ** 2, rel=0.15)
    assert float(sent.var()) == pytest.approx((NOISE * CLIP) ** 2, rel=0.03)
    assert np.abs(np.corrcoef(sent.numpy())[np.triu_indices(8, 1)]).max() < 0.1


def test_a_client_sends_until_its_budget_is_spent():
    treatment = treatment_of(SETTINGS, LAYOUT, 3)
    times = 0
    while treatment.admits(0):
        treatment.treat(answers(torch.zeros(1, SIZE)), times)
        times += 1
    assert times == treatment.most_times >= 2
    assert treatment.admits(1)
    assert treatment.facts("a client")["epsilon"] <= 8 < once_more(treatment)
    assert treatment.ending() == "1 of 3 clients have spent their budget of epsilon 8 at delta 1e-05"


def once_more(treatment):
    treatment.treat(answers(torch.zeros(1, SIZE)), 99)
    return treatment.facts("a client")["epsilon_updates"]


def test_noise_that_is_left_out_is_for_as_often_as_a_client_is_expected_to_be_chosen():
    asked = replace(SETTINGS, defence=replace(SETTINGS.defence, noise=None))
    treatment = treatment_of(asked, LAYOUT, 10)
    assert treatment.most_times == 15  # 50 rounds in which 3 of 10 take part
    assert treatment_of(replace(asked, num_epochs=51), LAYOUT, 10).most_times == 16
    assert treatment_of(replace(asked, num_epochs=1), LAYOUT, 10).most_times == 1
    assert "a client sends 15 at most, which spend 8 of epsilon 8 at delta 1e-05" in treatment.announcement()


def test_noise_with_which_no_update_fits_is_refused_in_a_line():
    asked = replace(SETTINGS, defence=replace(SETTINGS.defence, noise=0.5))
    with pytest.raises(FederatedError, match=r"^with defence\.noise 0\.5 a single update spends more than epsilon 8"):
        treatment_of(asked, LAYOUT, 10)
