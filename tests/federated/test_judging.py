"""What a model is worth to each client and to all, against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss, recall_score
from torch import nn

from candor.federated.clients import Client
from candor.federated.errors import FederatedError
from candor.federated.judging import Judge
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.workload import InMemory
from candor.federated.world import World
from candor.models.outputs import outputs_of

CLASSES = ["anger", "happiness", "sadness"]


class Linear(InMemory):
    """A dense layer on ten numbers."""

    def make(self):
        return nn.Linear(10, 3)


@pytest.fixture(scope="module")
def world():
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(60, 10, generator=generator)
    # The last client has one class only.
    targets = torch.cat([torch.randint(0, 3, (50,), generator=generator), torch.ones(10, dtype=torch.long)])
    clients = [
        Client("a", "", (0,), tuple(range(1, 20))),
        Client("b", "", (20, 21), ()),
        Client("c", "", (22,), tuple(range(23, 50))),
        Client("d", "", (), tuple(range(50, 60))),
    ]
    torch.manual_seed(1)
    workload = Linear(CLASSES, targets, inputs)
    model = workload.make()
    layout = Layout.of(model)
    return World(workload, clients, Weights.of(model, layout), layout, targets), model


def test_figures_are_those_of_scikit_learn(world):
    own, model = world
    workload, clients = own.workload, own.clients
    judgement = Judge(own, at_once=7)(model)
    chances = torch.softmax(model(workload.inputs), dim=1).detach().double().numpy()
    chances /= chances.sum(axis=1, keepdims=True)
    said, truth = chances.argmax(axis=1), workload.targets.numpy()

    def figures(numbers):
        own = list(numbers)
        uar = recall_score(truth[own], said[own], average="macro", labels=np.unique(truth[own]), zero_division=0)
        return {
            "examples": len(own),
            "loss": pytest.approx(log_loss(truth[own], chances[own], labels=[0, 1, 2]), abs=1e-6),
            "accuracy": pytest.approx(accuracy_score(truth[own], said[own])),
            "uar": pytest.approx(uar),
        }

    judged = [client for client in clients if client.dev]
    assert judgement.per_client == [{"client": client.name, **figures(client.dev)} for client in judged]
    together = figures(number for client in judged for number in client.dev)
    assert judgement.loss == together["loss"]
    assert judgement.accuracy == together["accuracy"]
    assert judgement.uar == together["uar"]
    uars, sizes = zip(*((row["uar"], row["examples"]) for row in judgement.per_client), strict=True)
    assert judgement.clients_uar == pytest.approx(np.average(uars, weights=sizes))


def test_a_model_is_judged_in_evaluation_mode(world):
    own, model = world
    dropping = nn.Sequential(nn.Dropout(0.9), model)
    judge = Judge(own, at_once=100)
    assert judge(dropping.train()) == judge(model)


def test_outputs_do_not_depend_on_the_size_of_batches(world):
    workload, model = world[0].workload, world[1]
    numbers = list(range(60))
    assert torch.allclose(
        outputs_of(model, workload, numbers, at_once=1000), outputs_of(model, workload, numbers, at_once=7), atol=1e-6
    )


def test_without_validation_data_nothing_can_be_judged(world):
    own, _ = world
    with pytest.raises(FederatedError, match="no client has validation data"):
        Judge(own, at_once=10, clients=[own.clients[1]])
