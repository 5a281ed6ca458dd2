"""Inputs whose gradient comes near to one that was sent."""

from __future__ import annotations

import torch

from candor.leakage.dense_gradients import DenseNetwork, Gradient, one_hot


def matched(
    network: DenseNetwork,
    gradient: Gradient,
    labels: torch.Tensor,
    shadow: torch.Tensor,
    iterations: int,
    starts: int,
    seed: int,
) -> torch.Tensor:
    """Return the best of several attempts, [examples, dimensions], which begin at inputs of other people.

    Where nothing of the gradient comes out as it was sent, these are as good a guess as any, and are returned.

    Only inputs are tried that the rows of the first layer's gradient span. What dropout has closed is not known, so
    that gradients are matched without it.

    Parameters
    ----------
    network
        What the client was given.
    gradient
        Summed over examples.
    labels
        Of the examples.
    shadow
        Inputs of other people, [inputs, dimensions].
    iterations
        Of L-BFGS, at most.
    starts
        How many attempts there are.
    seed
        Of where they begin.
    """
    network = network.without_dropout()
    targets = one_hot(labels, network.classes)
    rows = torch.linalg.svd(gradient[0], full_matrices=False)[2][: len(labels)]
    generator = torch.Generator().manual_seed(seed)

    def attempt() -> tuple[float, torch.Tensor]:
        begin = shadow[torch.randint(len(shadow), (len(labels),), generator=generator)].double()
        coordinates = (begin @ rows.T).requires_grad_()
        optimiser = torch.optim.LBFGS([coordinates], max_iter=iterations, line_search_fn="strong_wolfe")

        def loss() -> torch.Tensor:
            inputs = coordinates @ rows
            first = torch.relu(network.before_first(inputs))
            return distance(network.gradient(inputs, first, targets), gradient)

        def step() -> torch.Tensor:
            optimiser.zero_grad()
            reached = loss()
            reached.backward()  # type: ignore[no-untyped-call]
            return reached

        optimiser.step(step)  # type: ignore[no-untyped-call]
        reached = float(loss().detach())
        # What explains less than nothing is no better a guess than where it began.
        return reached, coordinates.detach() @ rows if reached < 1 else begin

    return min((attempt() for _ in range(starts)), key=lambda own: own[0])[1]


def distance(found: Gradient, sent: Gradient) -> torch.Tensor:
    """Return the squared error of each layer's gradient, relative to its own size, on average: 0 the same, 1 none."""
    least = torch.finfo(torch.float64).tiny  # where nothing was sent
    errors = [
        (own - other).square().sum() / other.square().sum().clamp_min(least)
        for own, other in zip(found, sent, strict=True)
    ]
    return torch.stack(errors).mean()
