"""What noise is worth, against dp-accounting called directly, and against the definition of differential privacy."""

import dp_accounting
import numpy as np
import pytest
from dp_accounting import pld, rdp
from scipy.integrate import quad
from scipy.stats import norm

from candor.federated.defences.accounting import (
    FINEST,
    TOLERANCE,
    epsilon_of_models,
    epsilon_of_updates,
    noise_for_models,
    noise_for_updates,
    rounds_within,
    step_for,
    times_within,
)

DELTA = 1e-5
RUNS = [(1.0, 0.1, 200), (0.6, 5 / 19, 20), (3.0, 0.5, 50), (1.5, 1.0, 10)]


def by_accountant(kind, noise, rate, rounds):
    accountant = kind(neighboring_relation=dp_accounting.NeighboringRelation.ADD_OR_REMOVE_ONE)
    event = dp_accounting.PoissonSampledDpEvent(rate, dp_accounting.GaussianDpEvent(noise))
    return accountant.compose(event, rounds).get_epsilon(DELTA)


def delta_of_gaussian(epsilon, deviation):
    """The delta of a Gaussian mechanism of sensitivity 1, by Theorem 8 of Balle and Wang (2018)."""
    shift = 1 / (2 * deviation)
    return norm.cdf(shift - epsilon * deviation) - np.exp(epsilon) * norm.cdf(-shift - epsilon * deviation)


def delta_of_sampled_gaussian(epsilon, noise, rate):
    """The delta of one round by definition, for who comes and for who goes: the integral of what is beyond exp(eps)."""

    def without(x):
        return norm.pdf(x, 0, noise)

    def with_client(x):
        return (1 - rate) * norm.pdf(x, 0, noise) + rate * norm.pdf(x, 1, noise)

    def beyond(one, other):
        return quad(lambda x: max(one(x) - np.exp(epsilon) * other(x), 0), -15 * noise, 15 * noise + 1, limit=2000)[0]

    return max(beyond(with_client, without), beyond(without, with_client))


@pytest.mark.parametrize(("noise", "rate", "rounds"), RUNS)
def test_epsilon_of_models_is_dp_accountings_own_and_no_more_than_by_renyi_divergence(noise, rate, rounds):
    ours = epsilon_of_models(noise, rate, rounds, DELTA)
    assert ours == by_accountant(pld.PLDAccountant, noise, rate, rounds)
    assert ours <= by_accountant(rdp.RdpAccountant, noise, rate, rounds)


@pytest.mark.parametrize(("noise", "rate"), [(0.5, 0.1), (1.0, 0.3), (2.0, 0.8)])
def test_epsilon_of_one_round_is_that_of_the_definition(noise, rate):
    epsilon = epsilon_of_models(noise, rate, 1, DELTA)
    assert delta_of_sampled_gaussian(epsilon, noise, rate) == pytest.approx(DELTA, rel=0.01)


def test_without_sampling_rounds_are_one_round_with_less_noise():
    epsilon = epsilon_of_models(4.0, 1.0, 16, DELTA)
    assert delta_of_gaussian(epsilon, 1.0) == pytest.approx(DELTA, rel=0.01)


@pytest.mark.parametrize("budget", [0.5, 8, 200])
def test_the_least_noise_is_found_that_fits_a_budget(budget):
    noise = noise_for_models(budget, 0.25, 30, DELTA)
    assert epsilon_of_models(noise, 0.25, 30, DELTA, step_for(budget)) <= budget
    assert epsilon_of_models(noise - 2 * TOLERANCE, 0.25, 30, DELTA, step_for(budget)) > budget


@pytest.mark.parametrize(("budget", "noise"), [(3, 1.0), (8, 0.8), (40, 0.5)])
def test_rounds_end_before_the_budget_is_exceeded(budget, noise):
    fitting = rounds_within(budget, noise, 0.25, 200, DELTA)
    assert 1 <= fitting < 200
    assert by_accountant(pld.PLDAccountant, noise, 0.25, fitting) <= budget
    assert by_accountant(pld.PLDAccountant, noise, 0.25, fitting + 1) > budget
    assert rounds_within(budget, noise, 0.25, fitting - 1, DELTA) == fitting - 1


def test_where_one_round_is_too_much_there_is_none():
    assert rounds_within(1, 0.2, 0.25, 200, DELTA) == 0


@pytest.mark.parametrize(("noise", "rounds"), [(0.5, 50), (4.5, 1000)])
def test_coarser_steps_yield_an_epsilon_that_is_hardly_larger(noise, rounds):
    exact = by_accountant(pld.PLDAccountant, noise, 0.25, rounds)
    coarse = epsilon_of_models(noise, 0.25, rounds, DELTA, step_for(exact))
    assert step_for(exact) > FINEST
    assert coarse == pytest.approx(exact, rel=1e-4)
    assert coarse > exact * (1 - 1e-6)


@pytest.mark.parametrize(("noise", "times"), [(1.0, 1), (5.0, 20), (0.4, 3)])
def test_epsilon_of_updates_is_that_of_a_gaussian_of_twice_the_sensitivity(noise, times):
    epsilon = epsilon_of_updates(noise, times, DELTA)
    assert delta_of_gaussian(epsilon, noise / 2 / np.sqrt(times)) == pytest.approx(DELTA, rel=1e-6)


def test_of_what_was_never_sent_nothing_is_known():
    assert epsilon_of_updates(1.0, 0, DELTA) == 0


@pytest.mark.parametrize(("budget", "times"), [(1, 1), (10, 20), (500, 7)])
def test_noise_on_updates_just_fits_the_budget(budget, times):
    noise = noise_for_updates(budget, times, DELTA)
    assert budget * (1 - 1e-6) < epsilon_of_updates(noise, times, DELTA) <= budget
    assert times_within(budget, noise, DELTA) == times
    assert times_within(budget, 0.999 * noise, DELTA) == times - 1
