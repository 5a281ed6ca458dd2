"""Pseudo-gradients against autograd, and against the lines that were published."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from candor.federated.errors import FederatedError
from candor.federated.pseudo_gradient import as_published, gradient_of, pseudo_gradient
from candor.federated.settings import Settings
from candor.federated.vectors import Layout, Weights


def trained(rate: float, steps: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return the update of a client that takes some steps of gradient descent, and the gradients on the way."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)).train()
    layout, optimiser = Layout.of(model), torch.optim.SGD(model.parameters(), rate)
    start, gradients = Weights.of(model, layout), []
    for _ in range(steps):
        optimiser.zero_grad()
        cross_entropy(model(torch.randn(20, 8)), torch.randint(3, (20,))).backward()
        gradients.append(torch.cat([own.grad.flatten().clone() for own in model.parameters()]))
        optimiser.step()
    after = Weights.of(model, layout)
    assert not torch.equal(after.buffers, start.buffers)
    return after.parameters - start.parameters, gradients


@pytest.mark.parametrize("steps", [1, 4])
def test_of_gradient_descent_it_is_the_mean_gradient_and_nothing_of_buffers_is_in_it(steps: int):
    update, gradients = trained(0.5, steps)
    found = pseudo_gradient(update, 0.5, steps)
    assert found.shape == gradients[0].shape
    assert torch.allclose(found, torch.stack(gradients).mean(dim=0), atol=1e-6)


def lines_that_were_published(
    original: np.ndarray, updated: np.ndarray, train_sample_size: int, learning_rate: float, local_epochs: int
) -> np.ndarray:
    local_update_per_epoch = int(train_sample_size / 20) + 1
    return (original - updated) / (float(learning_rate) * local_update_per_epoch * int(local_epochs))


@pytest.mark.parametrize(("held", "epochs"), [(53, 1), (40, 1), (53, 5), (7, 3)])
def test_as_published_it_is_as_published(held: int, epochs: int):
    original, updated = np.random.default_rng(0).standard_normal((2, 4, 5))
    found = as_published(updated - original, 0.0005, held * epochs, 20, epochs)
    np.testing.assert_allclose(found, lines_that_were_published(original, updated, held * epochs, 0.0005, epochs))


@pytest.mark.parametrize(("held", "steps", "too_small_by"), [(53, 3, 1), (40, 2, 3 / 2)])
def test_what_was_published_is_too_small_where_batches_come_out_even(held: int, steps: int, too_small_by: float):
    update = torch.randn(9)
    right, published = pseudo_gradient(update, 0.1, steps), as_published(update, 0.1, held, 20, 1)
    assert torch.allclose(right, published * too_small_by)


def test_the_run_says_which_it_is():
    update = torch.randn(9)
    sgd = Settings("fed_sgd", optimizer="none", learning_rate=0.1)
    as_seed = Settings(batch_size=20, local_epochs=2, parity="fed-ser-leakage")
    assert gradient_of(update, sgd, 40, 2) is update
    assert torch.equal(gradient_of(update, Settings(), 40, 2), pseudo_gradient(update, 0.0005, 2))
    assert torch.equal(gradient_of(update, as_seed, 80, 4), as_published(update, 0.0005, 80, 20, 2))


def test_arrays_of_numpy_stay_what_they_are():
    update = np.ones((2, 3), dtype=np.float32)
    found = pseudo_gradient(update, 0.5, 4)
    assert found.dtype == np.float32
    assert found.tolist() == [[-0.5] * 3] * 2


def test_who_took_no_step_has_none():
    with pytest.raises(FederatedError, match="took no step"):
        pseudo_gradient(torch.zeros(3), 0.1, 0)
