"""Algorithms on small real networks, against torch without any federation; and what becomes of buffers."""

import copy
import io
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from candor.federated.errors import FederatedError
from candor.federated.local import Local, Returned
from candor.federated.rules.gathered import Mean
from candor.federated.rules.registry import RULES, rule_of
from candor.federated.settings import Server, Settings
from candor.federated.vectors import Layout, Weights

SIZES = (20, 7, 33, 12)
EVERY_RULE = [
    Settings(name, proximal=0.1, trimmed=0.2, malicious=1, selected=2, server=Server(0.1, 0.9, 0.9, 0.99, 0.001))
    for name in RULES
]


def net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 4))


def with_batch_norm() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 4))


def data() -> list[tuple[torch.Tensor, torch.Tensor]]:
    torch.manual_seed(1)
    return [(torch.randn(size, 12), torch.randint(4, (size,))) for size in SIZES]


def learn(
    local: Local, model: nn.Module, start: Weights, client: int, inputs: torch.Tensor, targets: torch.Tensor
) -> Returned:
    """What a client does, in as few words as possible: one step per five examples, or none."""
    model, layout = start.to_model(copy.deepcopy(model), Layout.of(model)).train(), Layout.of(model)
    if local.optimizer == "none":
        cross_entropy(model(inputs), targets).backward()
        update, steps = torch.cat([own.grad.flatten() for own in model.parameters()]), 1
    else:
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[local.optimizer]
        optimiser, steps = kind(model.parameters(), local.learning_rate, weight_decay=local.weight_decay), 0
        for batch, wanted in zip(inputs.split(5), targets.split(5), strict=True):
            optimiser.zero_grad()
            cross_entropy(model(batch), wanted).backward()
            optimiser.step()
            steps += 1
        update = Weights.of(model, layout).parameters - start.parameters
    after = Weights.of(model, layout)
    return Returned([client], update[None], after.buffers[None], after.counters[None], [len(inputs)], [steps], [0.0])


def one_round(settings: Settings, model: nn.Module, clients: list[tuple[torch.Tensor, torch.Tensor]]) -> nn.Module:
    layout = Layout.of(model)
    rule, start = rule_of(settings, layout), Weights.of(model, layout)
    state, gathered = rule.begin(len(clients)), rule.gather()
    for client, (inputs, targets) in enumerate(clients):
        returned = learn(rule.local, model, start, client, inputs, targets)
        gathered.add(returned)
        rule.remember(state, returned)
    return rule.step(start, gathered, state, 1).to_model(copy.deepcopy(model), layout)


def largest_difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((mine - theirs).detach().abs().max()) for mine, theirs in pairs)


def test_a_round_of_fed_sgd_over_all_clients_is_the_step_of_a_model_that_is_trained_at_one_place():
    federated = one_round(Settings("fed_sgd", optimizer="none", learning_rate=0.1), net(), data())
    central = net()
    optimiser = torch.optim.SGD(central.parameters(), 0.1)
    inputs, targets = (torch.cat(parts) for parts in zip(*data(), strict=True))
    cross_entropy(central(inputs), targets).backward()
    optimiser.step()
    assert largest_difference(federated, net()) > 1e-3
    assert largest_difference(federated, central) < 1e-6


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_fed_avg_with_one_client_is_local_training(optimizer: str):
    settings = Settings("fed_avg", optimizer=optimizer, learning_rate=0.01, weight_decay=0.001)
    federated = one_round(settings, net(), data()[2:3])
    alone = net()
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimizer]
    optimiser = kind(alone.parameters(), 0.01, weight_decay=0.001)
    for batch, wanted in zip(*(part.split(5) for part in data()[2]), strict=True):
        optimiser.zero_grad()
        cross_entropy(alone(batch), wanted).backward()
        optimiser.step()
    assert largest_difference(federated, net()) > 1e-3
    assert largest_difference(federated, alone) < 1e-7


def test_clients_learn_as_the_run_says():
    settings = Settings(optimizer="sgd", learning_rate=0.2, weight_decay=0.01, momentum=0.5, proximal=0.3)
    layout = Layout.of(net())
    as_told = Local("sgd", 0.2, 0.01, 0.5)
    for name in set(RULES) - {"fed_sgd", "fed_prox"}:
        told = replace(settings, model_type=name, trimmed=0.2, malicious=1, selected=3)
        assert rule_of(told, layout).local == as_told
    assert rule_of(replace(settings, model_type="fed_prox"), layout).local == replace(as_told, proximal=0.3)
    assert rule_of(replace(settings, model_type="fed_sgd"), layout).local == Local("none", 0.2)


def returned_states(
    layout: Layout, buffers: list[list[float]], counters: list[int], examples: list[int], updates: torch.Tensor
) -> Returned:
    count = len(examples)
    return Returned(
        list(range(count)), updates, torch.tensor(buffers), torch.tensor(counters)[:, None], examples, [1] * count,
        [0.0] * count,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "buffer", "counter"),
    [
        ("fed_sgd", (10 * 1 + 30 * 2 + 60 * 9) / 100, 8),
        ("fed_avg", (10 * 1 + 30 * 2 + 60 * 9) / 100, 8),
        ("fed_adam", (10 * 1 + 30 * 2 + 60 * 9) / 100, 8),
        ("fed_avgm", (10 * 1 + 30 * 2 + 60 * 9) / 100, 8),
        ("scaffold", (1 + 2 + 9) / 3, 8),
        ("median", 2, 5),
        ("trimmed_mean", 2, 5),
        ("krum", 1, 8),
        ("multi_krum", (10 * 1 + 30 * 2) / 40, 8),
    ],
)
def test_running_statistics_are_combined_as_parameters_are_and_counters_are_not_averaged(
    name: str, buffer: float, counter: int
):
    """With two steps of momentum in between: no optimiser of the server goes on with statistics."""
    model = with_batch_norm()
    layout = Layout.of(model)
    settings = Settings(name, trimmed=0.34, malicious=0, selected=2, server=Server(0.1, 0.9, 0.9, 0.99, 0.001))
    rule, weights = rule_of(settings, layout), Weights.of(model, layout)
    state = rule.begin(3)
    updates = torch.tensor([[0.0], [0.1], [0.5]]).repeat(1, layout.size)
    statistics = [[own] * 32 for own in (1.0, 2.0, 9.0)]
    for round in (1, 2, 3):
        gathered = rule.gather()
        gathered.add(returned_states(layout, statistics, [8, 3, 5], [10, 30, 60], updates))
        weights = rule.step(weights, gathered, state, round)
    after = weights.to_model(model, layout)
    assert torch.allclose(after[1].running_mean, torch.full((16,), float(buffer)))
    assert torch.allclose(after[1].running_var, torch.full((16,), float(buffer)))
    assert int(after[1].num_batches_tracked) == counter


def test_a_model_with_batch_norm_goes_through_every_rule():
    for settings in EVERY_RULE:
        after = one_round(replace(settings, optimizer="sgd", learning_rate=0.01), with_batch_norm(), data())
        assert all(bool(torch.isfinite(own).all()) for own in after.state_dict().values()), settings.model_type
        assert int(after[1].num_batches_tracked) >= 1
        assert largest_difference(after, with_batch_norm()) > 1e-4


@pytest.mark.parametrize("settings", EVERY_RULE, ids=lambda settings: settings.model_type)
def test_who_went_through_no_example_is_left_out(settings: Settings):
    layout = Layout.of(with_batch_norm())
    start = Weights.of(with_batch_norm(), layout)
    torch.manual_seed(5)
    updates, statistics = torch.randn(4, layout.size), torch.rand(4, 32)
    heard = Returned([0, 1, 3], updates[:3], statistics[:3], torch.full((3, 1), 2), [4, 5, 6], [1, 1, 1], [0.0] * 3)
    empty = Returned([2], updates[3:], statistics[3:], torch.full((1, 1), 99), [0], [0], [0.0])
    models = []
    for parts in ([heard], [heard, empty]):
        rule = rule_of(settings, layout)
        state, gathered = rule.begin(4), rule.gather()
        for part in parts:
            gathered.add(part)
            rule.remember(state, part)
        assert (gathered.answered, gathered.examples) == (3, 15)
        models.append(rule.step(start, gathered, state, 1))
    assert all(torch.equal(vars(models[0])[kind], vars(models[1])[kind]) for kind in vars(models[0]))
    rule = rule_of(settings, layout)
    (nothing := rule.gather()).add(empty)
    with pytest.raises(FederatedError, match="nothing to aggregate"):
        rule.step(start, nothing, rule.begin(4), 1)


@pytest.mark.parametrize("settings", EVERY_RULE, ids=lambda settings: settings.model_type)
def test_what_is_remembered_is_all_that_the_next_round_depends_on(settings: Settings):
    """Saved and loaded after two rounds, with another object that goes on: the same bits after four."""
    layout = Layout.of(net())
    torch.manual_seed(2)
    sent = torch.randn(4, 5, layout.size) * 0.1

    def rounds(numbers, weights, state, rule):
        for number in numbers:
            gathered = rule.gather()
            part = Returned(
                [0, 2, 3, 4, 6], sent[number - 1], torch.empty(5, 0), torch.empty(5, 0, dtype=torch.int64),
                [9, 8, 7, 6, 5], [2, 1, 2, 1, 2], [0.0] * 5,
            )  # fmt: skip
            gathered.add(part)
            rule.remember(state, part)
            weights = rule.step(weights, gathered, state, number)
        return weights

    start = Weights.of(net(), layout)
    through = rule_of(settings, layout)
    straight = rounds((1, 2, 3, 4), start, through.begin(7), through)
    first = rule_of(settings, layout)
    state = first.begin(7)
    half = rounds((1, 2), start, state, first)
    torch.save(state, file := io.BytesIO())
    file.seek(0)
    resumed = rounds((3, 4), half, torch.load(file, weights_only=True), rule_of(settings, layout))
    assert torch.equal(straight.parameters, resumed.parameters)


def test_an_engine_may_use_its_memory_again():
    layout = Layout.of(net())
    for settings in EVERY_RULE:
        results = []
        for used_again in (False, True):
            rule = rule_of(settings, layout)
            gathered, memory = rule.gather(), torch.empty(2, layout.size)
            for first in (0, 2, 4):
                torch.manual_seed(first)
                memory = memory.normal_() if used_again else torch.empty(2, layout.size).normal_()
                nothing = torch.empty(2, 0)
                gathered.add(Returned([first, first + 1], memory, nothing, nothing.long(), [3, 4], [1, 1], [0.0] * 2))
            results.append(rule.step(Weights.of(net(), layout), gathered, rule.begin(6), 1).parameters)
        assert torch.equal(*results), settings.model_type


def test_a_mean_can_be_asked_for_on_the_way():
    updates, nothing = torch.randn(4, 9), torch.empty(2, 0)
    mean = Mean()
    for rows, examples in ((slice(0, 2), [3, 5]), (slice(2, 4), [7, 1])):
        mean.add(Returned([0, 1], updates[rows], nothing, nothing.long(), examples, [1, 1], [0.0] * 2))
        mean.combined()
    expected = torch.tensor([3.0, 5, 7, 1]) @ updates / 16
    assert torch.allclose(mean.combined().parameters, expected, atol=1e-6)
    assert torch.equal(mean.combined().parameters, mean.combined().parameters)


def test_an_algorithm_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(FederatedError, match=r"'fed_nova', but fed_sgd, fed_avg, .*, multi_krum"):
        rule_of(Settings("fed_nova"), Layout.of(net()))
