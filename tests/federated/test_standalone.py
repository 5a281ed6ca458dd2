"""What each client learns alone, beside what they learn together."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from candor.federated.clients import Client
from candor.federated.judging import Judge
from candor.federated.local import Local
from candor.federated.optimisers import make_optimiser
from candor.federated.settings import Settings
from candor.federated.standalone import train_alone
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.workload import InMemory


class Flat(InMemory):
    """A dense layer on four numbers."""

    def make(self):
        return nn.Linear(4, 2)


@pytest.fixture
def world():
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(60, 4, generator=generator)
    targets = (inputs[:, 0] > 0).long()
    clients = [
        Client("a", "a", tuple(range(16)), tuple(range(16, 20))),
        Client("b", "b", tuple(range(20, 36)), tuple(range(36, 40))),
        Client("without", "c", tuple(range(40, 60)), ()),
    ]
    return Flat(["no", "yes"], targets, inputs), clients


SETTINGS = Settings(num_epochs=5, batch_size=16, learning_rate=0.05, weight_decay=0.0, optimizer="sgd", shuffle=False)


def alone(world, settings, aside):
    workload, clients = world
    torch.manual_seed(0)
    model = workload.make()
    layout = Layout.of(model)
    start = Weights.of(model, layout)
    return (
        start,
        layout,
        train_alone(
            settings, workload, clients, start, layout, start, workload.targets, aside, {"settings": repr(settings)}
        ),
    )


def by_hand(world, client, start, layout, rounds):
    """Yield the model after each pass of a client over its own data, in plain torch."""
    workload, _ = world
    model = start.to_model(workload.make(), layout)
    optimiser = make_optimiser(list(model.parameters()), Local("sgd", 0.05))
    for _ in range(rounds):
        for first in range(0, len(client.train), 16):
            batch = list(client.train[first : first + 16])
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(workload.inputs[batch]), workload.targets[batch]).backward()
            optimiser.step()
        yield Weights.of(model, layout), Judge(workload, [client], 100)(model) if client.dev else None


def test_a_client_keeps_the_best_of_its_own_passes_and_the_last_without_validation_data(world, tmp_path):
    start, layout, found = alone(world, SETTINGS, tmp_path)
    assert list(found.models) == ["a", "b", "without"]
    for row, client in zip(found.rows, world[1], strict=True):
        passes = list(by_hand(world, client, start, layout, 5))
        if client.dev:
            best = max(range(5), key=lambda place: (passes[place][1].uar, -passes[place][1].loss))
            assert row["uar"] == passes[best][1].uar
            federated = Judge(world[0], [client], 100)(start.to_model(world[0].make(), layout))
            assert (row["federated_uar"], row["federated_accuracy"]) == (federated.uar, federated.accuracy)
        else:
            best = 4
            assert row["uar"] is row["federated_uar"] is None
        assert row["round"] == best + 1
        assert torch.allclose(found.models[client.name].parameters, passes[best][0].parameters, atol=1e-6)


def test_who_is_done_is_not_trained_again_after_a_kill_but_with_other_settings_is(world, tmp_path, monkeypatch):
    _, _, whole = alone(world, SETTINGS, tmp_path)
    monkeypatch.setattr("candor.federated.standalone._best", lambda *_: pytest.fail("trained again"))
    _, _, again = alone(world, SETTINGS, tmp_path)
    assert again.rows == whole.rows
    assert all(torch.equal(again.models[name].parameters, whole.models[name].parameters) for name in whole.models)
    with pytest.raises(pytest.fail.Exception, match="trained again"):
        alone(world, replace(SETTINGS, seed=9), tmp_path)


def test_alone_a_client_of_fed_sgd_takes_the_step_that_the_server_would_take(world, tmp_path):
    sends_gradients = replace(SETTINGS, model_type="fed_sgd", optimizer="none", batch_size=None, num_epochs=1)
    start, layout, found = alone(world, sends_gradients, tmp_path)
    workload, clients = world
    model = start.to_model(workload.make(), layout)
    own = list(clients[2].train)
    nn.functional.cross_entropy(model(workload.inputs[own]), workload.targets[own]).backward()
    gradient = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    moved = found.models["without"].parameters - start.parameters
    assert torch.allclose(moved, -0.05 * gradient, atol=1e-7)
