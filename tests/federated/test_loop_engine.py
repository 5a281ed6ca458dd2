"""The plain loop over clients against torch's optimisers in double precision, and what a client must not disturb."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from candor.federated.engines.loop import LoopEngine
from candor.federated.local import BETAS, EPSILON, Local, Work
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.mlp import Mlp
from candor.federated.workloads.workload import InMemory

CLASSES = ["neutral", "anger", "sadness"]


class Normed(nn.Module):
    """Batch normalisation, so that there are buffers and a counter, and a layer that is not trained."""

    def __init__(self) -> None:
        super().__init__()
        self.fixed = nn.Linear(6, 5)
        self.fixed.requires_grad_(False)
        self.norm = nn.BatchNorm1d(5)
        self.last = nn.Linear(5, len(CLASSES))

    def forward(self, values):
        return self.last(self.norm(self.fixed(values)))


class Made(InMemory):
    """Clouds of points, and a model of choice."""

    def __init__(self, make, count: int = 60, dimensions: int = 6) -> None:
        generator = torch.Generator().manual_seed(0)
        targets = torch.randint(0, len(CLASSES), (count,), generator=generator)
        centres = torch.randn(len(CLASSES), dimensions, generator=generator)
        super().__init__(CLASSES, targets, centres[targets] + torch.randn(count, dimensions, generator=generator))
        self._make = make

    def make(self) -> nn.Module:
        return self._make()


def work_on(workload, batches, client: int = 0, seed: int = 0, shift=None) -> Work:
    return Work(client, batches, seed, [workload.targets[torch.tensor(batch)] for batch in batches], shift)


def begun(workload):
    torch.manual_seed(7)
    model = workload.make()
    layout = Layout.of(model)
    return model, layout, Weights.of(model, layout)


def rows_of(returned):
    """Return what every client sent, by its number."""
    return {
        client: (part.updates[row], part.buffers[row], part.counters[row], part.losses[row])
        for part in returned
        for row, client in enumerate(part.clients)
    }


BATCHES = [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9, 10, 11], [0, 20, 21]]


@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize("proximal", [0.0, 0.3])
@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_client_learns_as_with_torchs_own_optimiser(optimizer, shifted, proximal, clip):
    workload = Made(lambda: Mlp(6, [8, 5], 3, 0.0))
    model, layout, start = begun(workload)
    shift = 0.1 * torch.randn(layout.size, generator=torch.Generator().manual_seed(1)) if shifted else None
    rate = 0.1 if optimizer == "sgd" else 0.01
    momentum = 0.5 if optimizer == "sgd" else 0
    local = Local(optimizer, rate, weight_decay=0.02, momentum=momentum, proximal=proximal, clip=clip)
    [(update, _, _, loss)] = rows_of(
        LoopEngine(workload, layout, local).run(start, [work_on(workload, BATCHES, shift=shift)])
    ).values()

    network = copy.deepcopy(model).double()
    origin = [parameter.detach().clone() for parameter in network.parameters()]
    adaptive = {"betas": BETAS, "eps": EPSILON, "foreach": False, "fused": False}
    kind, options = {
        "adam": (torch.optim.Adam, adaptive),
        "adamw": (torch.optim.AdamW, adaptive),
        "sgd": (torch.optim.SGD, {"momentum": 0.5}),
    }[optimizer]
    optimiser = kind(network.parameters(), lr=rate, weight_decay=0.02, **options)
    losses, norms = [], []
    for batch in BATCHES:
        each = functional.cross_entropy(
            network(workload.inputs[batch].double()), workload.targets[batch], reduction="none"
        )
        losses += each.tolist()
        optimiser.zero_grad()
        each.mean().backward()
        if clip is not None:
            norms.append(float(torch.cat([parameter.grad.flatten() for parameter in network.parameters()]).norm()))
            for parameter in network.parameters():
                parameter.grad *= min(1, clip / norms[-1])
        pull = sum(((a - b) ** 2).sum() for a, b in zip(network.parameters(), origin, strict=True))
        beside = proximal / 2 * pull
        if shift is not None:
            flat = torch.cat([parameter.flatten() for parameter in network.parameters()])
            beside = beside + (shift.double() * flat).sum()
        beside.backward()
        optimiser.step()
    expected = torch.cat([(a - b).detach().flatten() for a, b in zip(network.parameters(), origin, strict=True)])
    assert float(expected.abs().max()) > 0.01
    assert clip is None or min(norms) < clip < max(norms), "of some batches the gradient is cut, of others not"
    assert torch.allclose(update.double(), expected, atol=1e-6)
    assert loss == pytest.approx(np.mean(losses), abs=1e-6)


def test_without_an_optimiser_it_sends_the_gradient_over_all_its_examples():
    workload = Made(lambda: Mlp(6, [8], 3, 0.0))
    model, layout, start = begun(workload)
    shift = torch.full((layout.size,), 0.25)
    engine = LoopEngine(workload, layout, Local("none", 0.1, weight_decay=0.5))
    returned = list(engine.run(start, [work_on(workload, BATCHES), work_on(workload, BATCHES, 1, shift=shift)]))
    sent = rows_of(returned)
    numbers = [number for batch in BATCHES for number in batch]
    loss = functional.cross_entropy(model(workload.inputs[numbers]), workload.targets[numbers])
    expected = torch.cat([own.flatten() for own in torch.autograd.grad(loss, list(model.parameters()))])
    assert torch.allclose(sent[0][0], expected, atol=1e-7)
    assert torch.allclose(sent[1][0], expected + 0.25, atol=1e-7)
    assert sent[0][3] == pytest.approx(loss.item(), abs=1e-6)
    assert (returned[0].examples, returned[0].steps) == ([15, 15], [4, 4])


def test_targets_are_those_of_the_work_not_of_the_workload():
    workload = Made(lambda: Mlp(6, [8], 3, 0.0))
    model, layout, start = begun(workload)
    wrong = (workload.targets[:5] + 1) % 3
    work = Work(0, [list(range(5))], 0, [wrong])
    [(gradient, *_)] = rows_of(LoopEngine(workload, layout, Local("none", 0.1)).run(start, [work])).values()
    loss = functional.cross_entropy(model(workload.inputs[:5]), wrong)
    expected = torch.cat([own.flatten() for own in torch.autograd.grad(loss, list(model.parameters()))])
    assert torch.allclose(gradient, expected, atol=1e-7)


@pytest.mark.parametrize("optimizer", ["adam", "none"])
def test_buffers_and_counters_come_back_and_frozen_layers_stay(optimizer):
    workload = Made(Normed)
    model, layout, start = begun(workload)
    [(update, buffers, counters, _)] = rows_of(
        LoopEngine(workload, layout, Local(optimizer, 0.01)).run(start, [work_on(workload, BATCHES[:2])])
    ).values()
    model.train()
    with torch.no_grad():
        for batch in BATCHES[:2]:  # what the normalisation sees does not depend on what is trained behind it
            model.norm(model.fixed(workload.inputs[batch]))
    assert torch.allclose(buffers, Weights.of(model, layout).buffers, atol=1e-6)
    assert counters.tolist() == [2]
    assert len(update) == layout.size == 5 + 5 + 5 * 3 + 3
    # The next client finds the model as it was at the start, not as this one left it.
    again = LoopEngine(workload, layout, Local(optimizer, 0.01))
    sent = rows_of(again.run(start, [work_on(workload, BATCHES[:2], 0), work_on(workload, BATCHES[:2], 1)]))
    assert all(torch.equal(a, b) for a, b in zip(sent[0][:3], sent[1][:3], strict=True))


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "none"])
def test_a_client_without_batches_sends_nothing(optimizer):
    workload = Made(Normed)
    _, layout, start = begun(workload)
    [returned] = LoopEngine(workload, layout, Local(optimizer, 0.01)).run(
        start, [work_on(workload, [], shift=torch.ones(layout.size))]
    )
    assert torch.equal(returned.updates, torch.zeros(1, layout.size))
    assert torch.equal(returned.buffers[0], start.buffers)
    assert (returned.examples, returned.steps, returned.losses) == ([0], [0], [0.0])


def test_what_is_dropped_depends_on_the_seed_alone_and_draws_from_nobody_elses_numbers():
    workload = Made(lambda: Mlp(6, [8], 3, 0.5))
    _, layout, start = begun(workload)
    engine = LoopEngine(workload, layout, Local("sgd", 0.1))
    work = [work_on(workload, BATCHES, client, seed=client) for client in range(6)]
    torch.manual_seed(3)
    forth = rows_of(engine.run(start, work))
    drawn = torch.rand(1)
    back = rows_of(engine.run(start, work[::-1]))
    assert all(torch.equal(forth[client][0], back[client][0]) for client in forth)
    assert not torch.equal(forth[0][0], forth[1][0])
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1))


def test_a_parameter_that_the_loss_does_not_depend_on_is_left_alone():
    class Spare(Mlp):
        def __init__(self) -> None:
            super().__init__(6, [4], 3, 0.0)
            self.spare = nn.Parameter(torch.ones(2))

    workload = Made(Spare)
    _, layout, start = begun(workload)
    [spare] = [piece for piece in layout.parameters if piece.name == "spare"]
    for local in (Local("adam", 0.1, weight_decay=0.1, proximal=0.1), Local("none", 0.1)):
        shift = torch.ones(layout.size)
        [(update, *_)] = rows_of(
            LoopEngine(workload, layout, local).run(start, [work_on(workload, BATCHES, shift=shift)])
        ).values()
        assert update[spare.start : spare.end].tolist() == [0, 0]
