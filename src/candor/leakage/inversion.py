"""Gradient inversion: a client's pooled embeddings, reconstructed from the gradient that it sent.

Whoever sees an update of FedSGD knows the model that the client was given, and of how many examples the gradient is the
mean. Of one example the first layer's gradient is the embedding itself, scaled. Of several, `taking_apart` finds
embeddings exactly, as long as ReLU leaves enough zeros. What it leaves is matched: embeddings are sought whose gradient
comes near to what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from candor.leakage.dense_gradients import DenseNetwork, Gradient, one_hot
from candor.leakage.matching import distance, matched
from candor.leakage.taking_apart import Taken, take_apart

Tensors = Mapping[str, torch.Tensor | np.ndarray]


@dataclass(frozen=True)
class Inversion:
    """How much is tried.

    Parameters
    ----------
    iterations
        Of matching, at most.
    starts
        Attempts at matching, of which the best counts.
    seed
        Of all that is random.
    """

    iterations: int = 150
    starts: int = 2
    seed: int = 8


@dataclass(frozen=True)
class Inverted:
    """What was reconstructed.

    Parameters
    ----------
    embeddings
        [examples, dimensions], in no particular order.
    labels
        The class of each, [examples].
    exact
        Whether it was solved for, [examples]; the others are the best that was found, and their labels fit the last
        layer's bias as a whole.
    loss
        How far the gradient of all of it is from the one that was sent: 0 it is that, 1 as far as none at all, more
        where guesses contradict it.
    """

    embeddings: torch.Tensor
    labels: torch.Tensor
    exact: torch.Tensor
    loss: float


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread: matrices are so small that a second one costs more than it does, and sums do not depend on it."""
    granted = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(granted)


@_one_thread()
def invert(
    network: DenseNetwork, gradients: Tensors, examples: int, shadow: torch.Tensor, settings: Inversion
) -> Inverted:
    """Return what a client's examples are found to be.

    Parameters
    ----------
    network
        What the client was given.
    gradients
        What it sent: the gradient by each parameter, mean over its examples.
    examples
        How many there are, which is told with the update.
    shadow
        Embeddings of other people, [embeddings, dimensions].
    settings
        How much is tried.

    Raises
    ------
    ValueError
        When gradients of a layer are missing or not finite, or there is no example.
    """
    if examples < 1:
        raise ValueError(f"there is nothing to find of {examples} examples")
    gradient = network.summed(gradients, examples)
    if not all(bool(torch.isfinite(part).all()) for part in gradient):
        raise ValueError("gradients with numbers that are not finite cannot be inverted")
    shadow = shadow.double()
    if examples == 1 and gradient[1].any():
        return _only_one(network, gradient)
    taken = take_apart(network, gradient, examples, settings.seed)
    explained = _explained(network, taken, gradient)
    left = examples - len(taken)
    rest = [sent - own for sent, own in zip(gradient, explained, strict=True)]
    labels = restored_labels(network, rest[-1], left, shadow)
    guessed = rest[0].new_empty(0, shadow.shape[1])
    if left:
        tried = (settings.iterations, settings.starts, settings.seed)
        guessed = matched(network, rest, labels, shadow, *tried)
        first = torch.relu(network.before_first(guessed))
        guess = network.without_dropout().gradient(guessed, first, one_hot(labels, network.classes))
        explained = [exactly + about for exactly, about in zip(explained, guess, strict=True)]
    return Inverted(
        torch.cat([*(own.inputs[None] for own in taken), guessed]).float(),
        torch.cat([torch.tensor([own.label for own in taken], dtype=torch.int64), labels]),
        torch.arange(examples) < len(taken),
        _loss(explained, gradient),
    )


def mean_embedding(weights: torch.Tensor, biases: torch.Tensor) -> torch.Tensor:
    r"""Return the embedding that the first layer's gradient points at, as a mean over its units, [dimensions].

    Every unit's gradient is :math:`\sum_i \delta_i x_i` by its weights and :math:`\sum_i \delta_i` by its bias. Of one
    example their ratio is the embedding, exactly (Phong et al., 2018), with or without dropout.

    Parameters
    ----------
    weights, biases
        Gradients of the first layer, [units, dimensions] and [units].
    """
    return biases @ weights / (biases @ biases)


def restored_labels(network: DenseNetwork, biases: torch.Tensor, examples: int, shadow: torch.Tensor) -> torch.Tensor:
    """Return how many examples there must be of each class, as labels in their order, [examples].

    The gradient by the last layer's biases is the sum of what the network says less that of the labels. What it says of
    the client's examples is not known; what it says of other people's stands in for it.

    Parameters
    ----------
    network
        What the client was given.
    biases
        Gradient by the last layer's biases, summed over examples.
    examples
        How many there are.
    shadow
        Embeddings of other people.
    """
    said = torch.softmax(network.behind_first(torch.relu(network.before_first(shadow)))[-1], dim=1).mean(0)
    expected = (examples * said - biases).clamp_min(0)
    expected = expected * examples / expected.sum() if expected.any() else said * examples
    counts = expected.floor()
    short = examples - int(counts.sum())
    counts[torch.argsort(expected - counts, descending=True)[:short]] += 1
    return torch.repeat_interleave(torch.arange(network.classes), counts.long())


def _only_one(network: DenseNetwork, gradient: Gradient) -> Inverted:
    """Return the only example; its label is the class whose bias is raised (iDLG, Zhao et al., 2020)."""
    embedding, label = mean_embedding(*gradient[:2]), gradient[-1].argmin()
    # Which units were open stands in the biases' gradient, where errors are not zero.
    first = torch.where(gradient[1] != 0, torch.relu(network.before_first(embedding)) / network.kept, 0.0)
    found = network.gradient(embedding[None], first[None], one_hot(label[None], network.classes))
    return Inverted(embedding[None].float(), label[None], torch.tensor([True]), _loss(found, gradient))


def _loss(found: Gradient, sent: Gradient) -> float:
    """Return how far one is from the other, without digits that depend on where in memory numbers lie."""
    return float(distance(found, sent).float())


def _explained(network: DenseNetwork, taken: list[Taken], gradient: Gradient) -> Gradient:
    """Return the gradient of the examples that were taken out."""
    if not taken:
        return [torch.zeros_like(part) for part in gradient]
    inputs, first = (torch.stack([getattr(own, name) for own in taken]) for name in ("inputs", "first"))
    return network.gradient(inputs, first, one_hot(torch.tensor([own.label for own in taken]), network.classes))
