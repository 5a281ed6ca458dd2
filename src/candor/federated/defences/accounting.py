"""What noise is worth: epsilon by dp-accounting, and the noise that a budget asks for.

`noise` is a standard deviation over the clip, as in the config. There are two views:

- of the **sum** of a round's updates, by who sees the models. A client is in it or not, which moves the sum by the clip
  at most; it takes part with a probability that nobody else knows the outcome of. That is the Poisson-sampled Gaussian
  mechanism, whose privacy loss distribution dp-accounting composes over rounds, and whose epsilon it bounds from above;
- of **single** updates, by who sees these. A client could have sent any other update instead, which is twice the clip
  away at most, and nothing is hidden by sampling, as it is seen who sends. That is the Gaussian mechanism with the
  noise halved. Sent several times it is one with less noise, and its epsilon is exact.

References
----------
Koskela, Jälkö and Honkela (2020), Computing tight differential privacy guarantees using FFT, AISTATS.
Balle and Wang (2018), Improving the Gaussian mechanism for differential privacy, ICML.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

# dp_accounting takes most of a second to import; a run without a defence goes without.
if TYPE_CHECKING:
    from dp_accounting import DpEvent  # type: ignore[import-untyped]
    from dp_accounting.pld import PLDAccountant  # type: ignore[import-untyped]

FINEST = 1e-4
"""Steps in which privacy losses are told apart, dp-accounting's own."""

STEPS = 1e-4
"""Coarsest step over the budget, so that a large budget takes no more time and memory than one of 1. In a thousand
rounds epsilon is larger for it by less than a ten-thousandth of itself."""

TOLERANCE = 1e-4
"""How far calibrated noise may be above the least that fits the budget."""

HAIR = 1 + 1e-9
"""What exact noise is raised by, so that rounding does not end above the budget."""

TWO_UPDATES = 2.0
"""How far apart two updates may be, in clips."""


def epsilon_of_models(noise: float, rate: float, rounds: int, delta: float, step: float = FINEST) -> float:
    """Return the epsilon of all models of a run together.

    Parameters
    ----------
    noise
        On the sum of a round's updates.
    rate
        The probability with which a client takes part in a round.
    rounds
        How many there are.
    delta
        The probability with which epsilon need not hold.
    step
        In which privacy losses are told apart; a larger one yields a slightly larger epsilon.
    """
    return float(_accountant(step).compose(_rounds(rate, rounds, noise)).get_epsilon(delta))


def noise_for_models(epsilon: float, rate: float, rounds: int, delta: float) -> float:
    """Return the least noise on the sum with which so many rounds fit a budget, by `calibrate_dp_mechanism`."""
    from dp_accounting import LowerEndpointAndGuess, calibrate_dp_mechanism

    fresh, event = partial(_accountant, step_for(epsilon)), partial(_rounds, rate, rounds)
    # The noise is 0 at the lower end, and doubled from 1 on until it suffices.
    search = LowerEndpointAndGuess(0.0, 1.0)
    return float(calibrate_dp_mechanism(fresh, event, epsilon, delta, search, tol=TOLERANCE))


def rounds_within(epsilon: float, noise: float, rate: float, most: int, delta: float) -> int:
    """Return how many rounds fit a budget, `most` at most.

    Parameters
    ----------
    epsilon, delta
        The budget.
    noise, rate
        As for `epsilon_of_models`.
    most
        How many there are to be.
    """

    def fits(rounds: int) -> bool:
        return epsilon_of_models(noise, rate, rounds, delta, step_for(epsilon)) <= epsilon

    fitting, beyond = 0, 1
    while beyond <= most and fits(beyond):  # not from above: what is far beyond the budget takes much memory
        fitting, beyond = beyond, 2 * beyond
    beyond = min(beyond, most + 1)
    while beyond - fitting > 1:
        middle = (fitting + beyond) // 2
        fitting, beyond = (middle, beyond) if fits(middle) else (fitting, middle)
    return fitting


def step_for(epsilon: float) -> float:
    """Return the step in which privacy losses are told apart for a budget."""
    return max(FINEST, STEPS * epsilon)


def epsilon_of_updates(noise: float, times: float, delta: float) -> float:
    """Return the epsilon of what a client has sent, for who sees it.

    Parameters
    ----------
    noise
        On each update.
    times
        How often it was sent. Where the noise differed, the sum of `noise` squared over that of each time squared.
    delta
        The probability with which epsilon need not hold.
    """
    from dp_accounting import get_epsilon_gaussian

    return float(get_epsilon_gaussian(noise / (TWO_UPDATES * math.sqrt(times)), delta)) if times else 0.0


def noise_for_updates(epsilon: float, times: int, delta: float) -> float:
    """Return the least noise on each update with which sending it so often fits a budget."""
    from dp_accounting import get_sigma_gaussian

    return HAIR * TWO_UPDATES * math.sqrt(times) * float(get_sigma_gaussian(epsilon, delta))


def times_within(epsilon: float, noise: float, delta: float) -> int:
    """Return how often a client may send an update within a budget."""
    once = noise_for_updates(epsilon, 1, delta)
    return math.floor((noise / once) ** 2)


def _accountant(step: float) -> PLDAccountant:
    from dp_accounting import NeighboringRelation
    from dp_accounting.pld import PLDAccountant

    return PLDAccountant(NeighboringRelation.ADD_OR_REMOVE_ONE, step)


def _rounds(rate: float, rounds: int, noise: float) -> DpEvent:
    from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent

    return SelfComposedDpEvent(PoissonSampledDpEvent(rate, GaussianDpEvent(noise)), rounds)
