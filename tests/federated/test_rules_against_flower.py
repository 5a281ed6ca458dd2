"""Algorithms against Flower's strategies of the same names, round after round on the same answers."""

import numpy as np
import pytest
import torch
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp.strategy import (
    FedAdagrad,
    FedAdam,
    FedAvg,
    FedAvgM,
    FedMedian,
    FedProx,
    FedTrimmedAvg,
    FedYogi,
    Krum,
    MultiKrum,
    Strategy,
)
from flwr.supercore.task_identity import TaskIdentity
from torch import nn

from candor.federated.local import Returned
from candor.federated.rules.registry import rule_of
from candor.federated.settings import Server, Settings
from candor.federated.vectors import Layout, Weights

ROUNDS = 5

OURS_AND_FLOWERS = {
    "fed_avg": (Settings("fed_avg"), lambda: FedAvg()),
    "fed_prox": (Settings("fed_prox", proximal=0.1), lambda: FedProx(proximal_mu=0.1)),
    "fed_avgm": (
        Settings("fed_avgm", server=Server(learning_rate=0.7, momentum=0.8)),
        lambda: FedAvgM(server_learning_rate=0.7, server_momentum=0.8),
    ),
    "fed_avgm at rest": (
        Settings("fed_avgm", server=Server(learning_rate=0.7, momentum=0.0)),
        lambda: FedAvgM(server_learning_rate=0.7, server_momentum=0.0),
    ),
    "fed_adam": (
        Settings("fed_adam", server=Server(learning_rate=0.1, beta_1=0.8, beta_2=0.97, tau=0.002)),
        lambda: FedAdam(eta=0.1, beta_1=0.8, beta_2=0.97, tau=0.002),
    ),
    "fed_yogi": (
        Settings("fed_yogi", server=Server(learning_rate=0.1, beta_1=0.8, beta_2=0.97, tau=0.002)),
        lambda: FedYogi(eta=0.1, beta_1=0.8, beta_2=0.97, tau=0.002),
    ),
    "fed_adagrad": (
        Settings("fed_adagrad", server=Server(learning_rate=0.1, tau=0.002)),
        lambda: FedAdagrad(eta=0.1, tau=0.002),
    ),
    "median": (Settings("median"), lambda: FedMedian()),
    "trimmed_mean": (Settings("trimmed_mean", trimmed=0.2), lambda: FedTrimmedAvg(beta=0.2)),
    "trimmed_mean, none cut": (Settings("trimmed_mean", trimmed=0.05), lambda: FedTrimmedAvg(beta=0.05)),
    "krum": (Settings("krum", malicious=2), lambda: Krum(num_malicious_nodes=2)),
    "krum, too many expected": (Settings("krum", malicious=9), lambda: Krum(num_malicious_nodes=9)),
    "multi_krum": (
        Settings("multi_krum", malicious=2, selected=4),
        lambda: MultiKrum(num_malicious_nodes=2, num_nodes_to_select=4),
    ),
    "multi_krum of all": (
        Settings("multi_krum", malicious=1, selected=99),
        lambda: MultiKrum(num_malicious_nodes=1, num_nodes_to_select=99),
    ),
}


@pytest.fixture(autouse=True)
def _a_server_of_flowers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let messages be made here as in a server's process, which Flower would start otherwise."""
    for name in ("_task_id", "_run_id", "_node_id"):
        monkeypatch.setattr(TaskIdentity, name, 1)


class Nodes:
    """As much of a grid as a strategy asks for before a round."""

    def __init__(self, count: int) -> None:
        self.count = count

    def get_node_ids(self) -> list[int]:
        return list(range(1, self.count + 1))


def round_of_flower(
    strategy: Strategy, round: int, arrays: ArrayRecord, updates: torch.Tensor, examples: list[int], layout: Layout
) -> ArrayRecord:
    """Return the arrays after a round in which every client sends the arrays it was sent, and its update on top."""
    asked = strategy.configure_train(round, arrays, ConfigRecord(), Nodes(len(updates)))
    replies = []
    for message, update, count in zip(asked, updates, examples, strict=True):
        got = message.content["arrays"]
        own = {
            piece.name: Array(got[piece.name].numpy() + update[piece.start : piece.end].view(piece.shape).numpy())
            for piece in layout.parameters
        }
        content = {"arrays": ArrayRecord(own), "metrics": MetricRecord({"num-examples": count})}
        replies.append(Message(RecordDict(content), reply_to=message))
    return strategy.aggregate_train(round, replies)[0]


def answers(updates: torch.Tensor, examples: list[int], clients: list[int]) -> Returned:
    count = len(clients)
    return Returned(
        clients, updates[clients], torch.empty(count, 0), torch.empty(count, 0, dtype=torch.int64),
        [examples[client] for client in clients], [1] * count, [0.0] * count,
    )  # fmt: skip


@pytest.mark.parametrize("clients", [7, 10])
@pytest.mark.parametrize("name", OURS_AND_FLOWERS)
def test_rounds_are_those_of_flower(name: str, clients: int):
    settings, flowers = OURS_AND_FLOWERS[name]
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(9, 6), nn.ReLU(), nn.Linear(6, 4))
    layout = Layout.of(model)
    ours = Weights.of(model, layout)
    theirs = ArrayRecord({key: Array(value.numpy().copy()) for key, value in ours.named(layout).items()})
    rule, strategy = rule_of(settings, layout), flowers()
    state, examples = rule.begin(clients), np.random.default_rng(0).integers(5, 60, clients).tolist()
    for round in range(1, ROUNDS + 1):
        updates = 0.05 * torch.randn(clients, layout.size) + 0.02 * torch.randn(layout.size)
        gathered = rule.gather()
        for some in (list(range(clients))[start : start + 3] for start in range(0, clients, 3)):
            part = answers(updates, examples, some)
            gathered.add(part)
            rule.remember(state, part)
        ours = rule.step(ours, gathered, state, round)
        theirs = round_of_flower(strategy, round, theirs, updates, examples, layout)
        for key, value in ours.named(layout).items():
            np.testing.assert_allclose(
                value.numpy(), theirs[key].numpy(), rtol=1e-5, atol=2e-6, err_msg=f"{round} {key}"
            )
