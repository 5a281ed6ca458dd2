"""What each client learns alone, beside what they learn together."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import recall_score
from torch import nn

from candor.federated.clients import Client
from candor.federated.settings import Settings
from candor.federated.standalone import best_round, train_alone
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.workload import InMemory
from candor.federated.world import World


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
    own = World(workload, clients, Weights.of(model, layout), layout, workload.targets)
    return own, train_alone(settings, own, own.start, aside, {"settings": repr(settings)})


def by_hand(own, client, rounds):
    """Yield the model after each pass of a client over its own data, in plain torch."""
    model = own.model()
    optimiser = torch.optim.SGD(model.parameters(), 0.05)
    inputs, targets = own.workload.inputs, own.workload.targets
    for _ in range(rounds):
        for first in range(0, len(client.train), 16):
            batch = list(client.train[first : first + 16])
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(inputs[batch]), targets[batch]).backward()
            optimiser.step()
        yield Weights.of(model, own.layout)


def said(own, weights, client):
    """Return truth and what a model says of a client's validation examples."""
    numbers = list(client.dev)
    return own.workload.targets[numbers].tolist(), own.model(weights)(own.workload.inputs[numbers]).argmax(1).tolist()


def test_all_clients_keep_the_round_that_is_best_over_all_of_them(world, tmp_path):
    own, found = alone(world, SETTINGS, tmp_path)
    assert list(found.models) == ["a", "b", "without"]
    passes = {client.name: list(by_hand(own, client, 5)) for client in own.clients}
    together = []
    for number in range(5):
        pairs = [said(own, passes[client.name][number], client) for client in own.clients if client.dev]
        truth, answers = ([one for pair in pairs for one in pair[side]] for side in (0, 1))
        together.append(recall_score(truth, answers, average="macro"))
    best = together.index(max(together))
    for row, client in zip(found.rows, own.clients, strict=True):
        weights = passes[client.name][best]
        assert row["round"] == best + 1
        assert torch.allclose(found.models[client.name].parameters, weights.parameters, atol=1e-6)
        if client.dev:
            labels = sorted(set(said(own, weights, client)[0]))
            for prefix, judged in (("", weights), ("federated_", own.start)):
                uar = recall_score(*said(own, judged, client), average="macro", labels=labels, zero_division=0)
                assert row[f"{prefix}uar"] == pytest.approx(uar)
        else:
            assert row["uar"] is row["federated_uar"] is None


def test_where_labels_mean_nothing_alone_is_no_better_than_chance(tmp_path):
    generator = torch.Generator().manual_seed(4)
    inputs, targets = torch.randn(600, 4, generator=generator), torch.randint(0, 2, (600,), generator=generator)
    thirties = [list(range(30 * place, 30 * (place + 1))) for place in range(20)]
    clients = [Client(f"c{own[0]}", "", tuple(own[:22]), tuple(own[22:])) for own in thirties]
    _, found = alone((Flat(["no", "yes"], targets, inputs), clients), replace(SETTINGS, num_epochs=60), tmp_path)
    assert abs(sum(row["accuracy"] for row in found.rows) / 20 - 0.5) < 0.1


def test_who_has_no_work_left_stays_as_it_is():
    # Confusions of two classes after three rounds, and after the only one.
    long = np.array([[[1, 3], [3, 1]], [[2, 2], [2, 2]], [[3, 1], [1, 3]]])
    short = np.array([[[4, 0], [0, 4]]])
    assert best_round([long, short], 9) == 3
    assert best_round([long[::-1], short], 9) == 1
    assert best_round([], 9) == 9


def test_who_is_done_is_not_trained_again_after_a_kill_but_with_other_settings_is(world, tmp_path, monkeypatch):
    _, whole = alone(world, SETTINGS, tmp_path)
    monkeypatch.setattr("candor.federated.standalone._rounds", lambda *_: pytest.fail("trained again"))
    _, again = alone(world, SETTINGS, tmp_path)
    assert again.rows == whole.rows
    assert all(torch.equal(again.models[name].parameters, whole.models[name].parameters) for name in whole.models)
    with pytest.raises(pytest.fail.Exception, match="trained again"):
        alone(world, replace(SETTINGS, seed=9), tmp_path)


def test_alone_a_client_of_fed_sgd_takes_the_step_that_the_server_would_take(world, tmp_path):
    sends_gradients = replace(SETTINGS, model_type="fed_sgd", optimizer="none", batch_size=None, num_epochs=1)
    own, found = alone(world, sends_gradients, tmp_path)
    model, numbers = own.model(), list(own.clients[2].train)
    nn.functional.cross_entropy(model(own.workload.inputs[numbers]), own.workload.targets[numbers]).backward()
    gradient = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    moved = found.models["without"].parameters - own.start.parameters
    assert torch.allclose(moved, -0.05 * gradient, atol=1e-7)
