"""What is done to updates without a guarantee: fed-ser-leakage's noise as published, signs, the largest numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from candor.federated.defences.registry import treatment_of
from candor.federated.defences.telling import tell_of, unit_of
from candor.federated.local import Returned
from candor.federated.rules.registry import rule_of
from candor.federated.settings import PUBLISHED, Defence, Settings
from candor.federated.vectors import Layout

LAYOUT = Layout.of(nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 4)))
USER_DP = Settings(
    parity=PUBLISHED, clients_per_round=0.1, defence=Defence("user_dp", epsilon=10.0, delta=0.5, clip=0.25)
)


def answers(updates, examples=23):
    count = len(updates)
    empty = torch.empty(count, 0)
    return Returned(list(range(count)), updates, empty, empty.long(), [examples] * count, [2] * count, [1.0] * count)


def treated(defence, updates):
    return treatment_of(Settings(defence=defence), LAYOUT, 10).treat(answers(updates), 1).updates


@pytest.fixture
def updates():
    return torch.randn(3, LAYOUT.size, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("epsilon", "published"), [(5, 0.0229), (10, 0.0114), (25, 0.0046), (50, 0.0023)])
def test_the_noise_of_fed_ser_leakage_is_as_published(epsilon, published):
    asked = replace(USER_DP, defence=replace(USER_DP.defence, epsilon=epsilon))
    treatment = treatment_of(asked, LAYOUT, 70)
    assert treatment.deviation(23) == pytest.approx(published, abs=5e-5)
    assert treatment.deviation(46) == pytest.approx(treatment.deviation(23) / 2)


def test_the_noise_of_fed_ser_leakage_is_on_what_a_client_sends(updates):
    treatment = treatment_of(USER_DP, Layout.of(nn.Linear(19999, 1)), 70)
    sent = treatment.treat(answers(torch.ones(4, 20000)), 1).updates
    assert (sent - 1).std(dim=1).numpy() == pytest.approx(treatment.deviation(23), rel=0.03)


def test_fed_ser_leakages_clients_clip_gradients_and_no_others_do():
    assert rule_of(USER_DP, LAYOUT).local.clip == 0.25
    for defence in (Defence(), Defence("client_dp", 1.0, 1e-5, 0.5), Defence("sign")):
        assert rule_of(replace(USER_DP, defence=defence), LAYOUT).local.clip is None


def test_fed_ser_leakages_epsilon_is_claimed_and_said_not_to_hold():
    facts = treatment_of(USER_DP, LAYOUT, 70).facts("a client")
    assert (facts["claimed_epsilon"], facts["epsilon"], facts["epsilon_updates"]) == (10, None, None)
    assert facts["unit"] is None
    for why in ("Adam makes of it a step of any size", "publish all that 50 % of the clients hold", "noise shrinks"):
        assert why in facts["note"]


def test_what_does_not_hold_is_a_warning_in_the_log(caplog):
    caplog.set_level("INFO")
    tell_of(treatment_of(USER_DP, LAYOUT, 70), "a client")
    done, caution = caplog.records
    assert (done.levelname, caution.levelname) == ("INFO", "WARNING")
    assert done.message.endswith("as in fed-ser-leakage, which claims epsilon 10 at delta 0.5")
    assert "the epsilon that is claimed does not hold" in caution.message


@pytest.mark.parametrize(("delta", "cautions"), [(0.1, True), (0.0999, False)])
def test_a_delta_that_lets_one_client_be_published_is_a_warning_in_the_log(delta, cautions, caplog):
    asked = Settings(defence=Defence("local_dp", epsilon=8.0, delta=delta, clip=1.0, noise=30.0))
    treatment = treatment_of(asked, LAYOUT, 10)
    tell_of(treatment, "a client")
    warned = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warned) == cautions
    assert ("delta is not below one over the number" in treatment.facts("a client")["note"]) == cautions


@pytest.mark.parametrize(
    ("partition", "settings", "words"),
    [
        ("speaker", Settings(), "a client, which is a speaker"),
        (
            "speaker_shards",
            Settings(shards=4),
            "a client, which is one of 4 parts of a speaker's clips: the guarantee ",
        ),
        ("session", Settings(), "a client, which is a session: of whoever speaks in several, the guarantee is not per"),
        ("dirichlet", Settings(clients=7), "a client, which is one of 7 parts of everybody's clips: the guarantee is"),
        ("iid", Settings(workload="digits"), "a client, which is one of 10 parts of all images: the guarantee is not"),
    ],
)
def test_it_is_said_what_a_guarantee_to_a_client_is_to_a_person(partition, settings, words):
    assert unit_of(partition, settings).startswith(words)


def test_signs_are_sent_with_one_magnitude_per_tensor(updates):
    updates[0, :5] = 0
    sent = treated(Defence("sign"), updates)
    for piece in LAYOUT.parameters:
        own, came = updates[:, piece.start : piece.end], sent[:, piece.start : piece.end]
        expected = torch.sign(own) * own.abs().mean(dim=1, keepdim=True)
        assert torch.allclose(came[own != 0], expected[own != 0])
        # One bit has no third value.
        assert torch.allclose(came[0][own[0] == 0], own[0].abs().mean())
        assert len(came[1].abs().unique()) == 1


@pytest.mark.parametrize(("share", "kept"), [(0.05, 35), (0.5, 352), (1e-6, 1)])
def test_the_largest_numbers_of_the_whole_update_are_sent(updates, share, kept):
    sent = treated(Defence("top_k", share=share), updates)
    for came, own in zip(sent, updates, strict=True):
        order = np.argsort(-np.abs(own.numpy()))
        expected = np.zeros(LAYOUT.size, np.float32)
        expected[order[:kept]] = own.numpy()[order[:kept]]
        assert np.array_equal(came.numpy(), expected)


def test_what_a_client_has_learned_is_left_alone(updates):
    before = updates.clone()
    for defence in (Defence("sign"), Defence("top_k", share=0.1), USER_DP.defence):
        treated(defence, updates)
        assert torch.equal(updates, before)


def test_bytes_are_what_really_travels():
    weights = 30 * 20 + 20 + 20 * 4 + 4
    travels = {
        "none": 4 * weights,
        "user_dp": 4 * weights,
        "sign": np.ceil(weights / 8) + 4 * 4,  # four tensors
        "top_k": 8 * round(0.05 * weights),
    }
    for kind, count in travels.items():
        own = replace(USER_DP.defence, kind=kind, share=0.05)
        assert treatment_of(replace(USER_DP, defence=own), LAYOUT, 10).bytes_up == count, kind


def test_buffers_travel_as_they_are():
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
    layout = Layout.of(model)
    beside = 4 * 16 + 8  # running mean and variance, and a counter
    parameters = 8 * 8 + 8 + 8 + 8
    treatment = treatment_of(Settings(defence=Defence("sign")), layout, 10)
    assert treatment.bytes_up == beside + parameters // 8 + 4 * 4


def test_no_guarantee_is_told_of_what_has_none():
    for kind in ("sign", "top_k"):
        treatment = treatment_of(Settings(defence=Defence(kind, share=0.05)), LAYOUT, 10)
        facts = treatment.facts("a client")
        assert facts["note"] == "no guarantee"
        assert "no guarantee" in treatment.announcement()
        assert facts["epsilon"] is facts["epsilon_updates"] is facts["unit"] is None
    assert treatment_of(Settings(), LAYOUT, 10).facts("a client") == {**dict.fromkeys(facts), "kind": "none"}
