"""How fast federated training is simulated: ratios to Flower's engine and to loops over clients, in one run.

    python benchmarks/federated.py [--quick] [--rounds 12] [--threads 2] [--without-flower] [--out FILE]

`round`: 72 clients, all of whom take part with three batches of 20, an MLP 512-256-128-4 with dropout, Adam, and the
mean of their models. `ours` is the engine that `auto` takes. `other` is, one by one: our plain loop over clients, whose
optimiser is fused and whose model is made once; the loop as people write it, with a deep copy of the model and torch's
default Adam for each client; and Flower's simulation engine with FedAvg and a core for each of its workers. All begin
with the same model and have the same batches and seeds. Ours and the loops take a round in turn, half of them before
Flower's rounds and half after these: while its processes live, they take time of ours. First rounds, in which workers
start, do not count. What the models of ours and Flower differ by after as many rounds is told. Rates are of the median
round.

`bounds`: what a round would take if memory or arithmetic were all there is, at the rates measured in this run.

`aggregate`: the weighted sum of 200 updates of a million numbers and of 20 of ten million: bytes of updates per second,
as a share of what copying a tensor moves per second, read and write counted, measured in turn.
"""

from __future__ import annotations

import argparse
import copy
import gc
import itertools
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import torch
from flwr.app import Array, ArrayRecord, MetricRecord, RecordDict
from flwr.serverapp.strategy.strategy_utils import aggregate_arrayrecords
from torch import nn

from candor.federated.engines.choose import choose
from candor.federated.engines.engine import Engine
from candor.federated.engines.loop import LoopEngine
from candor.federated.local import Local, Work
from candor.federated.sums import add_weighted
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.mlp import Mlp
from candor.federated.workloads.workload import InMemory
from candor.memory import keep_freed_memory
from candor.runtime import use_threads
from flower_twin import WEIGHT, batches_of, learn, save_examples, simulate
from machine import Row, about_the_run, threads
from table import emit

LEARNING_RATE = 0.0005
DROPOUT = 0.2


@dataclass(frozen=True)
class Task:
    """What is trained by whom."""

    clients: int = 72
    steps: int = 3
    batch: int = 20
    widths: tuple[int, ...] = (512, 256, 128, 4)

    @property
    def examples(self) -> int:
        """Return how many examples all clients have together."""
        return self.clients * self.steps * self.batch

    def __str__(self) -> str:
        return (
            f"{self.clients} clients, {self.steps} steps of {self.batch}, MLP {'-'.join(map(str, self.widths))}, Adam"
        )


class Points(InMemory):
    """Random points, and dense layers."""

    def __init__(self, task: Task) -> None:
        generator = torch.Generator().manual_seed(0)
        targets = torch.randint(0, task.widths[-1], (task.examples,), generator=generator)
        inputs = torch.randn(task.examples, task.widths[0], generator=generator)
        super().__init__([f"class{number}" for number in range(task.widths[-1])], targets, inputs)
        self.widths = task.widths

    def make(self) -> nn.Module:
        """Return an untrained model."""
        return Mlp(self.widths[0], self.widths[1:-1], self.widths[-1], DROPOUT)


@dataclass
class Contest:
    """Rounds of ours and of the others, each from the model that it has come to itself."""

    task: Task
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.workload = Points(self.task)
        torch.manual_seed(0)
        self.model = self.workload.make()
        self.layout = Layout.of(self.model)
        self.start = Weights.of(self.model, self.layout)
        self.work = []
        for client in range(self.task.clients):
            batches = batches_of(client, self.task.steps, self.task.batch)
            targets = [self.workload.targets[torch.tensor(batch)] for batch in batches]
            self.work.append(Work(client, batches, client, targets))
        local = Local("adam", LEARNING_RATE, weight_decay=1e-4)
        chosen, self.reason = choose(self.workload, self.model, local, "auto")
        self.engines = {
            "ours": chosen(self.workload, self.layout, local),
            "plain loop": LoopEngine(self.workload, self.layout, local),
        }
        self.weights = dict.fromkeys(self.engines, self.start)

    def round(self, count: bool = True) -> None:
        """Take a round of all but Flower."""
        for name, engine in self.engines.items():
            self._timed(name, lambda name=name, engine=engine: self._engine_round(name, engine), count)
        self._timed("as people write it", self._deepcopy_round, count)

    def flower(self, rounds: int) -> float:
        """Let Flower take rounds, and a first one besides; return how far its model then is from ours."""
        began = 0.0
        last: dict[str, torch.Tensor] = {}

        def between(number: int, tensors: dict[str, torch.Tensor]) -> None:
            nonlocal began, last
            if number > 1:
                self.seconds.setdefault("Flower", []).append(time.perf_counter() - began)
            last = tensors
            began = time.perf_counter()

        with tempfile.TemporaryDirectory() as folder:
            save_examples(Path(folder), self.workload.inputs, self.workload.targets)
            config = {
                "folder": folder,
                "widths": list(self.task.widths),
                "dropout": DROPOUT,
                "steps": self.task.steps,
                "batch": self.task.batch,
                "learning-rate": LEARNING_RATE,
            }
            simulate(self.model, config, self.task.clients, rounds + 1, between)
        ours = self.weights["ours"].named(self.layout)
        return max(float((tensor - ours[name]).abs().max()) for name, tensor in last.items())

    def rows(self) -> Iterator[Row]:
        """Return what was measured."""
        rates = {name: 1 / median(own) for name, own in self.seconds.items()}
        for name in rates:
            if name != "ours":
                yield {
                    "what": f"round, {name}",
                    "ours": f"{rates['ours']:.2f} rounds/s",
                    "other": f"{rates[name]:.2f} rounds/s",
                    "ratio": f"{rates['ours'] / rates[name]:.1f}",
                    "how measured": f"{self.task}; median of {len(self.seconds[name])} rounds in turn, {threads()}",
                }

    def _timed(self, name: str, run: Callable[[], None], count: bool) -> None:
        start = time.perf_counter()
        run()
        if count:
            self.seconds.setdefault(name, []).append(time.perf_counter() - start)

    def _engine_round(self, name: str, engine: Engine) -> None:
        start = self.weights[name]
        total = torch.zeros(self.layout.size)
        for returned in engine.run(start, self.work):
            add_weighted(total, returned.updates, torch.tensor(returned.examples) / self.task.examples)
        self.weights[name] = Weights(start.parameters + total, start.buffers, start.counters)

    def _deepcopy_round(self) -> None:
        total: dict[str, torch.Tensor] = {}
        for own in self.work:
            model = copy.deepcopy(self.model).train()
            learn(model, self.workload.inputs, self.workload.targets, own.batches, LEARNING_RATE)
            for name, tensor in model.state_dict().items():
                total[name] = total.get(name, 0) + tensor * (own.examples / self.task.examples)


def bounds(contest: Contest, copied: float) -> list[Row]:
    """Return what a round would take were there nothing but memory, or nothing but arithmetic.

    Parameters
    ----------
    contest
        The rounds.
    copied
        Bytes per second of a copy, read and write counted.
    """
    task, ours = contest.task, 1 / median(contest.seconds["ours"])
    vector, steps = 4 * contest.layout.size, task.clients * task.steps
    # Forward reads the parameters, backward writes the gradients, Adam reads both and two moments and writes three.
    # Before the steps parameters and moments are written, after them parameters are read and updates written and read.
    all_of_it = steps * 9 * vector + task.clients * 6 * vector
    least = task.examples * 4 * task.widths[0] + task.clients * 2 * vector
    side = 1024
    square = torch.randn(side, side)
    product = torch.empty(side, side)
    rate = 2 * side**3 / median(seconds_of(lambda: torch.mm(square, square, out=product), 20))
    arithmetic = operations(task)
    return [
        {
            "what": f"bounds, {what}",
            "ours": f"{ours:.2f} rounds/s",
            "other": f"{bound:.2f} rounds/s",
            "ratio": f"{ours / bound:.2f}",
            "how measured": how,
        }
        for what, bound, how in (
            (
                "memory, were nothing kept in caches",
                copied / all_of_it,
                f"{all_of_it / 1e9:.2f} GB per round at {copied / 1e9:.1f} GB/s of a copy",
            ),
            (
                "memory, examples and updates alone",
                copied / least,
                f"{least / 1e9:.3f} GB per round at {copied / 1e9:.1f} GB/s of a copy",
            ),
            (
                "arithmetic of the matrix products",
                rate / arithmetic,
                f"{arithmetic / 1e9:.2f} GFLOP per round at {rate / 1e9:.0f} GFLOP/s of a product of {side} x {side}",
            ),
        )
    ]


def operations(task: Task) -> int:
    """Return how many additions and multiplications the matrix products of a round take; examples need no gradient."""
    products = [a * b for a, b in itertools.pairwise(task.widths)]
    return 2 * task.examples * (3 * sum(products) - products[0])


def aggregation(clients: int, numbers: int, repetitions: int) -> tuple[list[Row], float]:
    """Return how fast updates are aggregated, and the bytes per second of a copy.

    Parameters
    ----------
    clients, numbers
        How many updates there are, of how many numbers.
    repetitions
        How often each is measured.
    """
    generator = torch.Generator().manual_seed(0)
    rows, weights = torch.randn(clients, numbers, generator=generator), torch.rand(clients, generator=generator)
    weights /= weights.sum()
    total, target = torch.zeros(numbers), torch.empty_like(rows)
    records = [
        RecordDict(
            {"arrays": ArrayRecord({"model": Array(row.numpy())}), "metrics": MetricRecord({WEIGHT: float(weight)})}
        )
        for row, weight in zip(rows, weights, strict=True)
    ]
    ways: dict[str, Callable[[], object]] = {
        "copy": lambda: target.copy_(rows),
        "ours": lambda: add_weighted(total.zero_(), rows, weights),
        "NumPy loop": lambda: numpy_loop(rows.numpy(), weights.numpy()),
        "Flower": lambda: aggregate_arrayrecords(records, WEIGHT),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for repetition in range(repetitions + 1):
        for name, way in ways.items():
            [seconds] = seconds_of(way, 1)
            if repetition:  # the first one touches memory for the first time
                taken[name].append(seconds)
    size = rows.numel() * rows.element_size()
    rates = {name: size / median(own) for name, own in taken.items()}
    copied = 2 * rates.pop("copy")
    made = [
        {
            "what": f"aggregate {clients} x {numbers / 1e6:g} M, {name}",
            "ours": f"{rates['ours'] / copied:.2f} of a copy",
            "other": f"{rates[name] / copied:.2f} of a copy",
            "ratio": f"{rates['ours'] / rates[name]:.1f}",
            "how measured": f"{rates['ours'] / 1e9:.1f} and {rates[name] / 1e9:.1f} GB/s read, a copy moves "
            f"{copied / 1e9:.1f}; medians of {repetitions} in turn, {threads()}",
        }
        for name in ("NumPy loop", "Flower")
    ]
    return made, copied


def numpy_loop(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted sum as people write it."""
    total = np.zeros_like(rows[0])
    for row, weight in zip(rows, weights, strict=True):
        total += weight * row
    return total


def seconds_of(run: Callable[[], object], repetitions: int) -> list[float]:
    """Return how long something took each time."""
    taken = []
    for _ in range(repetitions):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return taken


def rows(task: Task, rounds: int, sizes: Sequence[tuple[int, int]], repetitions: int, flower: bool) -> Iterator[Row]:
    contest = Contest(task)
    logging.info("engine: %s, %s", contest.engines["ours"].name, contest.reason)
    first, second = rounds - rounds // 2, rounds // 2
    for number in range(first + 1):
        contest.round(number > 0)
    apart = contest.flower(first) if flower else None
    for _ in range(second):
        contest.round()
    yield from contest.rows()
    if apart is not None:
        yield {
            "what": "models of ours and Flower",
            "ours": "",
            "other": "",
            "ratio": f"{apart:.1e}",
            "how measured": f"largest difference of a parameter after {first + 1} rounds",
        }
    copied = 0.0
    for clients, numbers in sizes:
        gc.collect()
        made, copied = aggregation(clients, numbers, repetitions)
        yield from made
    yield from bounds(contest, copied)
    yield from about_the_run()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few clients, rounds and numbers: seconds, and rougher")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without-flower", action="store_true", help="leave out its engine, which takes longest")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    use_threads(options.threads)
    keep_freed_memory()  # as the job does
    if options.quick:
        made = rows(Task(8, 2), 2, [(20, 100_000), (4, 1_000_000)], 2, not options.without_flower)
    else:
        made = rows(Task(), options.rounds, [(200, 1_000_000), (20, 10_000_000)], 7, not options.without_flower)
    emit(list(made), options.out)


if __name__ == "__main__":
    main()
