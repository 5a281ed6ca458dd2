"""Gradients that are written out, against those that torch derives."""

import pytest
import torch
from torch.nn import functional

from candor.federated.workloads.mlp import Mlp
from candor.leakage.dense_gradients import DenseNetwork, one_hot


@pytest.mark.parametrize("hidden", [(7,), (9, 6), (9, 6, 5)])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_they_are_those_that_torch_derives(hidden, dropout):
    torch.manual_seed(2)
    model = Mlp(5, hidden, 3, dropout).double()
    inputs, labels = torch.randn(4, 5, dtype=torch.float64), torch.tensor([0, 2, 1, 2])
    let_through = []
    model.after_first.register_forward_hook(lambda _module, _inputs, output: let_through.append(output.detach()))
    functional.cross_entropy(model.train()(inputs), labels, reduction="sum").backward()
    network = DenseNetwork.of(model.state_dict(), dropout)
    found = network.gradient(inputs, let_through[0], one_hot(labels, 3))
    for own, parameter in zip(found, model.parameters(), strict=True):
        assert torch.allclose(own, parameter.grad, rtol=1e-6, atol=1e-12)
