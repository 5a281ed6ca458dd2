"""Many clients at once come to the same as one after the other, in whatever company."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from candor.federated.engines import chunks as chunking
from candor.federated.engines.choose import choose
from candor.federated.engines.chunks import cache_of_a_core, chunks, clients_at_once, steps_of
from candor.federated.engines.loop import LoopEngine
from candor.federated.engines.stacked import StackedMlpEngine
from candor.federated.engines.vmapped import VmappedEngine
from candor.federated.local import Local, Work
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.digits import Digits
from candor.federated.workloads.mlp import Mlp
from candor.federated.workloads.workload import InMemory

CLASSES = ["neutral", "anger", "sadness", "happiness"]


class Points(InMemory):
    """Random points, and a model of dense layers."""

    def __init__(self, hidden, dropout: float = 0.0, dimensions: int = 12, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        targets = torch.randint(0, len(CLASSES), (500,), generator=generator)
        super().__init__(CLASSES, targets, torch.randn(500, dimensions, generator=generator))
        self.hidden, self.dropout = hidden, dropout

    def make(self) -> nn.Module:
        return Mlp(self.inputs.shape[1], self.hidden, len(CLASSES), self.dropout)


class SmallConvNet(nn.Module):
    """A convolution, pooling, a dense layer."""

    runs_vmapped = True

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3)
        self.dense = nn.Linear(4 * 3 * 3, len(CLASSES))

    def forward(self, images):
        return self.dense(functional.max_pool2d(torch.relu(self.convolution(images)), 2).flatten(1))


class Images(Points):
    def __init__(self) -> None:
        super().__init__([], dimensions=64)
        self.inputs = self.inputs.view(-1, 1, 8, 8)

    def make(self) -> nn.Module:
        return SmallConvNet()


def begun(workload, seed: int = 0):
    torch.manual_seed(seed)
    model = workload.make()
    layout = Layout.of(model)
    return model, layout, Weights.of(model, layout)


def some_work(generator, workload, layout, clients: int, *, most_steps=4, most_rows=9, shifted=False, noisy=False):
    """Return the work of clients who differ in steps, batch sizes and shifts; the second one does nothing."""
    work = []
    for client in range(clients):
        steps = 0 if client == 1 else generator.integers(1, most_steps + 1)
        batches = [generator.integers(0, 500, generator.integers(1, most_rows + 1)).tolist() for _ in range(steps)]
        targets = [workload.targets[torch.tensor(batch)] for batch in batches]
        if noisy:
            targets = [(own + 1) % len(CLASSES) for own in targets]
        shift = torch.from_numpy(0.05 * generator.standard_normal(layout.size, dtype=np.float32))
        work.append(
            Work(client, batches, int(generator.integers(2**60)), targets, shift if shifted and client % 3 else None)
        )
    return work


def sent_by(engine, start, work):
    """Return update, loss, examples and steps of every client."""
    sent = {}
    for part in engine.run(start, work):
        assert part.updates.shape == (len(part.clients), len(start.parameters))
        assert part.buffers.shape == part.counters.shape == (len(part.clients), 0)
        for row, client in enumerate(part.clients):
            assert client not in sent
            # Copied, as the engine may write over it.
            sent[client] = part.updates[row].clone(), part.losses[row], part.examples[row], part.steps[row]
    return sent


def assert_same(sent, expected, tolerance: float = 1e-5) -> None:
    assert sent.keys() == expected.keys()
    for client, (update, loss, examples, steps) in expected.items():
        assert torch.allclose(sent[client][0], update, rtol=0, atol=tolerance), client
        assert sent[client][1] == pytest.approx(loss, abs=tolerance)
        assert sent[client][2:] == (examples, steps)


LOCALS = [
    Local("adam", 0.0005, weight_decay=0.0001),
    Local("adam", 0.001, weight_decay=0.01, proximal=0.1),
    Local("adamw", 0.001, weight_decay=0.1),
    Local("sgd", 0.05),
    Local("sgd", 0.05, weight_decay=0.01, momentum=0.9, proximal=0.5),
    Local("adam", 0.0005, weight_decay=0.0001, clip=0.25),
    Local("sgd", 0.05, weight_decay=0.01, momentum=0.9, proximal=0.5, clip=0.5),
    Local("none", 0.1, weight_decay=0.1),
]


@pytest.mark.parametrize("dropout", [0.0, 0.2, 0.7])
@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("local", LOCALS, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_stacked_clients_send_what_the_loop_sends(local, shifted, dropout, seed):
    generator = np.random.default_rng([seed, int(10 * dropout), shifted])
    hidden = generator.choice([3, 7, 16], generator.integers(1, 4)).tolist()
    workload = Points(hidden, dropout, int(generator.integers(2, 30)), seed)
    _, layout, start = begun(workload, seed)
    work = some_work(generator, workload, layout, 11, shifted=shifted, noisy=seed == 0)
    engines = [kind(workload, layout, local) for kind in (StackedMlpEngine, LoopEngine)]
    assert_same(*(sent_by(engine, start, work) for engine in engines))


@pytest.mark.parametrize("local", LOCALS, ids=str)
def test_it_is_the_same_in_chunks_of_any_size_and_from_round_to_round(local, monkeypatch):
    """The memory of one chunk is used again for the next one, and must leave nothing behind."""
    workload = Points([9, 5], 0.3)
    _, layout, start = begun(workload)
    work = some_work(np.random.default_rng(5), workload, layout, 13, shifted=True)
    expected = sent_by(LoopEngine(workload, layout, local), start, work)
    for room in (1, 2, 5, 100):
        engine = StackedMlpEngine(workload, layout, local)
        monkeypatch.setattr(engine, "_room", lambda rows, room=room: room)
        assert_same(sent_by(engine, start, work), expected)
        assert_same(sent_by(engine, start, work[::-1]), expected)


@pytest.mark.parametrize("clip", [None, 0.25])
def test_many_rounds_of_a_large_net_stay_together(clip):
    """Differences in the last digits must not grow: Adam makes steps of one size out of gradients of any size."""
    workload = Points([256, 128], 0.2, 64)
    _, layout, start = begun(workload)
    local = Local("adam", 0.0005, 0.0001, clip=clip)
    engines = [kind(workload, layout, local) for kind in (StackedMlpEngine, LoopEngine)]
    weights = [start, start]
    for round_ in range(10):
        work = some_work(np.random.default_rng(round_), workload, layout, 8, most_rows=20)
        for number, engine in enumerate(engines):
            sent = sent_by(engine, weights[number], work)
            mean = torch.stack([sent[client][0] for client in sorted(sent)]).mean(dim=0)
            weights[number] = replace(weights[number], parameters=weights[number].parameters + mean)
    moved = float((weights[0].parameters - start.parameters).abs().mean())
    apart = (weights[0].parameters - weights[1].parameters).abs()
    assert moved > 1e-3
    assert float(apart.max()) < 1e-5


def test_what_a_client_sends_does_not_depend_on_the_company():
    workload = Points([16], 0.4)
    _, layout, start = begun(workload)
    work = some_work(np.random.default_rng(1), workload, layout, 9, shifted=True)
    engine = StackedMlpEngine(workload, layout, Local("adam", 0.001))
    together = sent_by(engine, start, work)
    for own in work:
        assert_same(sent_by(engine, start, [own]), {own.client: together[own.client]}, 1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "none"])
def test_a_client_that_diverges_spoils_nobody_elses_answer(optimizer):
    workload = Points([16], 0.4)
    workload.inputs[0] = float("inf")
    _, layout, start = begun(workload)
    generator = np.random.default_rng(2)
    batches = [[generator.integers(1, 500, 5 + client % 3).tolist() for _ in range(3)] for client in range(6)]
    batches[2][0][1] = 0
    work = [
        Work(client, own, client, [workload.targets[torch.tensor(batch)] for batch in own])
        for client, own in enumerate(batches)
    ]
    engines = [kind(workload, layout, Local(optimizer, 0.001)) for kind in (StackedMlpEngine, LoopEngine)]
    sent, expected = (sent_by(engine, start, work) for engine in engines)
    assert not expected.pop(2)[0].isfinite().all()
    assert not sent.pop(2)[0].isfinite().all()
    assert_same(sent, expected)


def test_the_global_generator_is_not_drawn_from():
    workload = Points([16], 0.4)
    _, layout, start = begun(workload)
    torch.manual_seed(4)
    engine = StackedMlpEngine(workload, layout, Local("adam", 0.001))
    sent_by(engine, start, some_work(np.random.default_rng(1), workload, layout, 3))
    drawn = torch.rand(1)
    torch.manual_seed(4)
    assert torch.equal(drawn, torch.rand(1))


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("local", [own for own in LOCALS if own.optimizer in ("sgd", "none")], ids=str)
def test_a_convolution_net_under_torch_func_sends_what_the_loop_sends(local, shifted):
    workload = Images()
    _, layout, start = begun(workload)
    work = some_work(np.random.default_rng(3), workload, layout, 7, shifted=shifted)
    engines = [kind(workload, layout, local) for kind in (VmappedEngine, LoopEngine)]
    assert_same(*(sent_by(engine, start, work) for engine in engines))


def test_a_chunk_is_no_larger_than_its_room_and_nobody_is_left_out():
    generator = np.random.default_rng(0)
    work = [
        Work(client, [[0] * int(rows) for rows in generator.integers(1, 60, generator.integers(0, 5))], 0, [])
        for client in range(200)
    ]
    made = list(chunks(work, lambda rows: 300 // rows if rows else 300))
    assert sorted(own.client for chunk in made for own in chunk) == list(range(200))
    for chunk in made:
        widest = [max(map(len, own.batches), default=0) for own in chunk]
        assert len(chunk) * max(widest) <= 300
        assert 2 * min(widest) >= max(widest)
        steps = [len(own.batches) for own in chunk]
        assert steps == sorted(steps, reverse=True)


def test_steps_hold_each_clients_examples_and_rows_without_weight():
    targets = [torch.tensor([3, 1, 2]), torch.tensor([1])], [torch.tensor([2, 0])]
    chunk = [Work(0, [[10, 11, 12], [13]], 0, targets[0]), Work(1, [[20, 21]], 0, targets[1])]
    first, second = steps_of(chunk, False, "cpu")
    assert first.numbers.tolist() == [[10, 11, 12], [20, 21, 20]]
    assert first.targets.tolist() == [[3, 1, 2], [2, 0, 2]]
    assert first.weights.tolist() == [[pytest.approx(1 / 3)] * 3, [0.5, 0.5, 0]]
    assert (first.clients, first.rows, second.clients, second.numbers.tolist()) == (2, [3, 2], 1, [[13]])
    over_all = [step.weights.tolist() for step in steps_of(chunk, True, "cpu")]
    assert over_all == [[[0.25] * 3, [0.5, 0.5, 0]], [[0.25]]]
    assert not list(steps_of([Work(0, [], 0, [])], False, "cpu"))


def test_the_cache_is_what_the_system_tells(tmp_path):
    core = min(os.sched_getaffinity(0))
    for number, (level, size, shared) in enumerate([(1, "48K", "0"), (2, "1024K", "0"), (3, "32768K", "0-3,8-11")]):
        folder = tmp_path / f"cpu{core}" / "cache" / f"index{number}"
        folder.mkdir(parents=True)
        for key, value in (("level", level), ("size", size), ("shared_cpu_list", shared)):
            (folder / key).write_text(f"{value}\n")
    assert cache_of_a_core(str(tmp_path)) == 2**20 + 2**25 // 8
    assert cache_of_a_core(str(tmp_path / "nothing")) == chunking.UNKNOWN_CACHE


def test_as_many_clients_as_half_the_cache_holds_but_some(monkeypatch):
    monkeypatch.setattr(chunking, "cache_of_a_core", lambda: 2**24)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert clients_at_once(2**20, "cpu") == 16
    assert clients_at_once(2**23, "cpu") == 4
    assert clients_at_once(2**27, "cpu") == 2
    assert clients_at_once(2**30, "cpu") == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda workload, model: model.dense[0].requires_grad_(False), "not trained"),
        (lambda workload, model: model.register_buffer("mean", torch.zeros(1)), "buffers"),
        (lambda workload, model: setattr(workload, "inputs", workload.inputs.double()), "float32"),
    ],
)
def test_what_cannot_be_run_at_once_goes_to_the_loop_with_the_reason(change, said):
    workload = Points([8])
    model = workload.make()
    assert choose(workload, model, LOCALS[0], "auto")[0] is StackedMlpEngine
    assert choose(workload, model, LOCALS[0], "auto", "cuda:1")[0] is StackedMlpEngine
    assert choose(workload, model, LOCALS[0], "loop")[0] is LoopEngine
    change(workload, model)
    engine, reason = choose(workload, model, LOCALS[0], "auto")
    assert engine is LoopEngine
    assert said in reason


def test_another_loss_or_batch_or_model_goes_to_the_loop():
    class Weighted(Points):
        def loss(self, outputs, targets):
            return 2 * super().loss(outputs, targets)

    class Frames(Points):
        def batch(self, numbers, device):
            return super().batch(numbers, device)[:, None]

    class Other(Mlp):
        """May do anything in its forward."""

    workload = Points([8])
    model = workload.make()
    assert "cross-entropy" in StackedMlpEngine.lacks(Weighted([8]), model, LOCALS[0])
    assert "rows of one tensor" in StackedMlpEngine.lacks(Frames([8]), model, LOCALS[0])
    assert "no Mlp" in StackedMlpEngine.lacks(workload, Other(12, [8], 4, 0.0), LOCALS[0])
    assert "is not known to run under torch.func" in VmappedEngine.lacks(workload, model, LOCALS[0])


def test_models_that_draw_numbers_are_not_run_under_torch_func():
    class Dropping(SmallConvNet):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = nn.Dropout2d(0.1)

    descent = Local("sgd", 0.1)
    assert not VmappedEngine.lacks(Images(), SmallConvNet(), descent)
    assert "dropout" in VmappedEngine.lacks(Images(), Dropping(), descent)
    assert "Adam" in VmappedEngine.lacks(Images(), SmallConvNet(), Local("adam", 0.1))


def test_the_net_of_digits_may_run_under_torch_func():
    digits = Digits([str(digit) for digit in range(10)], torch.arange(40) % 10, torch.randn(40, 1, 28, 28))
    model, layout, start = begun(digits)
    local = Local("sgd", 0.05)
    assert not VmappedEngine.lacks(digits, model, local)
    batches = [[0, 1, 2], [3, 4]], [[5, 6, 7, 8]]
    work = [
        Work(client, own, 0, [digits.targets[torch.tensor(batch)] for batch in own])
        for client, own in enumerate(batches)
    ]
    engines = [kind(digits, layout, local) for kind in (VmappedEngine, LoopEngine)]
    assert_same(*(sent_by(engine, start, work) for engine in engines))


def test_torch_func_is_taken_where_it_is_faster():
    workload, local = Images(), Local("sgd", 0.1)
    assert choose(workload, workload.make(), local, "auto", "cuda:0")[0] is VmappedEngine
    engine, reason = choose(workload, workload.make(), local, "auto", "cpu")
    assert engine is LoopEngine
    assert "slower than the loop on cpu" in reason
