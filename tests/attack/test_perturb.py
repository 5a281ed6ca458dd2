"""Budgets, patterns, noise and clipping against their definitions."""

import numpy as np
import pytest
import torch

from candor.attack.perturb import (
    add,
    budget,
    clipped_share,
    pattern,
    pgd,
    random_signs,
    random_start,
    realised_snr,
    rms,
)

LENGTHS = torch.tensor([400, 250])


@pytest.fixture
def speech() -> torch.Tensor:
    waveforms = 0.1 * torch.randn(2, 400, generator=torch.Generator().manual_seed(0))
    waveforms[1, 250:] = 7.0  # what lies behind an utterance must not matter
    return waveforms


def test_the_budget_is_the_rms_over_ten_to_the_twentieth_of_the_ratio(speech):
    own = speech[1, :250].double()
    expected = float(own.square().mean().sqrt()) * 10 ** (-45 / 20)
    assert float(budget(speech, LENGTHS, 45.0)[1]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("snr", [60.0, 45.0, 15.0])
def test_a_pattern_of_signs_reaches_the_ratio_even_if_some_samples_have_no_gradient(speech, snr):
    gradient = torch.randn(2, 400, generator=torch.Generator().manual_seed(1))
    gradient[:, ::5] = 0
    shape = pattern(gradient, LENGTHS)
    perturbed = add(speech, shape, budget(speech, LENGTHS, snr), clip=False)
    assert realised_snr(speech, perturbed, LENGTHS).tolist() == pytest.approx([snr, snr], abs=0.01)
    assert torch.equal(shape == 0, (gradient == 0) | (torch.arange(400) >= LENGTHS[:, None]))
    assert torch.equal(perturbed[1, 250:], speech[1, 250:])


def test_an_utterance_without_gradient_stays_as_it_is(speech):
    perturbed = add(speech, pattern(torch.zeros(2, 400), LENGTHS), budget(speech, LENGTHS, 15.0), clip=True)
    assert torch.equal(perturbed[0], speech[0])
    assert realised_snr(speech, perturbed, LENGTHS).tolist()[0] == float("inf")


def test_what_a_recording_cannot_hold_is_cut_off_and_counted():
    loud = torch.full((1, 100), 0.999)
    perturbed = add(loud, torch.ones(1, 100), torch.tensor([0.01]), clip=True)
    assert perturbed.max() == 1.0
    assert float(clipped_share(perturbed, torch.tensor([100]))) == 1.0
    assert float(realised_snr(loud, perturbed, torch.tensor([100]))) == pytest.approx(
        20 * np.log10(0.999 / 0.001), abs=0.01
    )
    assert add(loud, torch.ones(1, 100), torch.tensor([0.01]), clip=False).max() > 1.0


def test_random_numbers_are_an_utterances_own():
    together = random_signs(["a", "b"], torch.tensor([300, 200]), 0, 300)
    alone = random_signs(["b"], torch.tensor([200]), 0, 200)
    assert torch.equal(together[1, :200], alone[0])
    assert set(together[0].tolist()) == {-1.0, 1.0}
    assert abs(float(together[0].mean())) < 0.2
    assert not together[1, 200:].any()
    assert not torch.equal(random_signs(["b"], torch.tensor([200]), 1, 200), alone)
    start = random_start(["a"], torch.tensor([300]), 0, 300)
    assert -1 <= start.min() < -0.9 < 0.9 < start.max() <= 1


def test_pgd_stays_within_its_ball_and_within_the_range(speech):
    speech = speech.clone()
    speech[0, 0] = 0.9999
    radius = budget(speech, LENGTHS, 20.0)
    gradient = torch.randn(2, 400, generator=torch.Generator().manual_seed(1))
    options = {"steps": 10, "step_size": 0.25}
    moved, found = pgd(speech, LENGTHS, radius, lambda _: gradient, **options)
    own = torch.arange(400) < LENGTHS[:, None]
    assert ((moved - speech).abs() <= radius[:, None] * (1 + 1e-5) + 1e-7)[own].all()
    assert moved[own].max() <= 1
    assert torch.equal(moved[~own], speech[~own])
    assert found.all()
    # With a gradient that never changes, ten steps of a quarter end at the edge, where one step of FGSM does.
    inner = own & (speech.abs() < 0.9)
    edge = speech + radius[:, None].float() * gradient.sign()
    assert torch.allclose(moved[inner], edge[inner], atol=1e-6)
    *_, nothing = pgd(speech, LENGTHS, radius, torch.zeros_like, **options)
    assert not nothing.any()


def test_silence_has_no_budget():
    assert float(rms(torch.zeros(1, 50), torch.tensor([50]))) == 0
    assert float(budget(torch.zeros(1, 50), torch.tensor([50]), 10.0)) == 0
