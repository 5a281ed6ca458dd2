"""The gradient that whoever sees an update takes it for."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from candor.federated.errors import FederatedError
from candor.federated.settings import PUBLISHED, Settings

Numbers = TypeVar("Numbers", torch.Tensor, npt.NDArray[np.floating])


def gradient_of(update: Numbers, settings: Settings, examples: int, steps: int) -> Numbers:
    """Return the gradient that a client's update stands for, in the way that the run's settings say.

    Parameters
    ----------
    update
        What the client sent, or the part of it that belongs to some layer. Only trained parameters are in it.
    settings
        Of the run.
    examples, steps
        How many examples the client went through in the round, each time counted, and how many steps it took.

    Raises
    ------
    FederatedError
        When it took no step.
    """
    if settings.optimizer == "none":
        return update
    if settings.parity == PUBLISHED:
        assert settings.batch_size is not None  # only clients that take no step have all their data as one batch
        return as_published(update, settings.learning_rate, examples, settings.batch_size, settings.local_epochs)
    return pseudo_gradient(update, settings.learning_rate, steps)


def pseudo_gradient(update: Numbers, learning_rate: float, steps: int) -> Numbers:
    r"""Return :math:`(w_{round} - w_{client}) / (\eta K)`, the mean of what a client stepped along.

    With gradient descent, without momentum, that is the mean gradient of its K steps, exactly. With Adam it is not a
    gradient but the mean of its normalised steps. Weight decay, and the pull or shift of an algorithm, are in it.

    Parameters
    ----------
    update
        The client's parameters less those of the round.
    learning_rate
        Of the client's optimiser.
    steps
        How many it took.

    Raises
    ------
    FederatedError
        When it took none.
    """
    if steps < 1:
        raise FederatedError("a client that took no step has no pseudo-gradient")
    return -update / (learning_rate * steps)


def as_published(update: Numbers, learning_rate: float, examples: int, batch_size: int, local_epochs: int) -> Numbers:
    r"""Return the pseudo-gradient of fed-ser-leakage, to reproduce what was published.

    It divides by :math:`\eta\, (\lfloor n / B \rfloor + 1)\, E`, which is wrong in two things. Where n is a multiple of
    B a step is counted that was not taken; and as n counts the examples of all E local epochs already, the update is
    divided by E twice.

    Parameters
    ----------
    update
        The client's parameters less those of the round.
    learning_rate
        Of the client's optimiser.
    examples
        n: how many examples it went through in all local epochs, each time counted.
    batch_size, local_epochs
        B and E.
    """
    return -update / (learning_rate * (examples // batch_size + 1) * local_epochs)
