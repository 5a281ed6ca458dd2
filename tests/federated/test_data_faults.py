"""Wrong labels and poor microphones: as many as asked for, at every client."""

from collections import Counter

import numpy as np
import pytest
import torch

from candor.federated.clients import Client
from candor.federated.data_faults import microphones, noisy_labels

CLASSES = 5
CLIENTS = [
    Client("a", "", tuple(range(0, 200)), tuple(range(200, 250))),
    Client("b", "", tuple(range(250, 257)), (257, 258)),
    Client("c", "", (259,), ()),
    Client("d", "", tuple(range(260, 2260)), ()),
]
TARGETS = torch.from_numpy(np.random.default_rng(0).integers(0, CLASSES, 2300))


@pytest.mark.parametrize(("rate", "wrong"), [(0, [0, 0, 0, 0]), (0.25, [50, 2, 0, 500]), (1, [200, 7, 1, 2000])])
def test_each_client_has_its_share_of_wrong_labels(rate, wrong):
    believed = noisy_labels(TARGETS, CLIENTS, rate, CLASSES, 8)
    apart = believed != TARGETS
    assert [int(apart[list(client.train)].sum()) for client in CLIENTS] == wrong
    assert int(apart.sum()) == sum(wrong), "what models are judged on stays right"
    assert 0 <= believed.min() <= believed.max() < CLASSES


def test_a_wrong_label_is_any_of_the_others():
    believed = noisy_labels(TARGETS, CLIENTS, 1, CLASSES, 8)
    own = list(CLIENTS[3].train)
    pairs = Counter(zip(TARGETS[own].tolist(), believed[own].tolist(), strict=True))
    assert len(pairs) == CLASSES * (CLASSES - 1)
    # 100 of each on average; five deviations are 50.
    assert all(50 < count < 150 for count in pairs.values())


def test_a_clients_mistakes_are_its_own():
    believed = noisy_labels(TARGETS, CLIENTS, 0.5, CLASSES, 8)
    alone = noisy_labels(TARGETS, CLIENTS[3:], 0.5, CLASSES, 8)
    assert torch.equal(believed[260:2260], alone[260:2260])
    assert not torch.equal(believed, noisy_labels(TARGETS, CLIENTS, 0.5, CLASSES, 9))


def test_microphones_are_dealt_out_evenly():
    clients = [Client(f"c{n}", "", (n,), ()) for n in range(20)]
    dealt = microphones(clients, [40, 20, 10], 8)
    assert list(dealt) == [client.name for client in clients]
    assert sorted(Counter(dealt.values()).values()) == [6, 7, 7]
    assert dealt == microphones(clients, [40, 20, 10], 8) != microphones(clients, [40, 20, 10], 9)
    assert list(dealt.values()) != sorted(dealt.values()), "not in the order of their names"
