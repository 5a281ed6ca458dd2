"""The dense layers of fed-ser-leakage against torch's own modules."""

import torch
from torch import nn

from candor.federated.workloads.mlp import Mlp


def test_it_is_dense_layers_with_relu_between_them():
    model = Mlp(6, [5, 4], 3, 0.2).eval()
    first, second, last = model.dense
    values = torch.randn(7, 6)
    oracle = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)
    assert torch.allclose(model(values), oracle(values))
    assert [name for name, _ in model.named_parameters()] == [
        f"dense.{number}.{kind}" for number in range(3) for kind in ("weight", "bias")
    ]


def test_dropout_is_behind_the_first_layer_alone_and_only_in_training():
    torch.manual_seed(0)
    model = Mlp(6, [50, 40], 3, 0.3)
    seen = {}
    for number in (1, 2):
        model.dense[number].register_forward_hook(
            lambda _, given, __, number=number: seen.setdefault(number, []).append(given[0].detach().clone())
        )
    values = torch.randn(200, 6)
    model.train()
    model(values)
    model.eval()
    model(values)
    positive = seen[1][1] > 0
    lost = (seen[1][0][positive] == 0).float().mean()
    assert abs(float(lost) - 0.3) < 0.02
    kept = seen[1][0][positive] > 0
    assert torch.allclose(seen[1][0][positive][kept], seen[1][1][positive][kept] / 0.7, rtol=1e-4)
    expected = torch.relu(model.dense[1](seen[1][0]))
    assert torch.allclose(seen[2][0], expected)
    assert torch.equal(model(values), model(values))
