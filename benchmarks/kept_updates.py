"""What it takes to keep updates, in every precision: bytes, seconds, and what is lost.

    python benchmarks/kept_updates.py [--quick] [--threads 2] [--out FILE]

80 clients, all of whom take part in ten rounds of an MLP 512-256-128-4, on random points of theirs: 800 updates of
165,000 numbers, a tenth of what fed-ser-leakage's 200 rounds with 8 clients and five shadow models leave. Those of
FedAvg are of three steps of Adam, and so nearly uniform; those of FedSGD are gradients, of which few numbers are large.

`lost` is the norm of what is lost over that of the update, its mean over clients, for the layer that loses most.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from candor.federated.engines.choose import choose
from candor.federated.local import Local, Work
from candor.federated.vectors import Layout, Weights
from candor.runtime import use_threads
from candor.tables.packing import Block, PackReader, PackWriter
from candor.tables.precisions import PRECISIONS
from federated import LEARNING_RATE, Points, Task
from flower_twin import batches_of
from machine import about_the_run
from table import emit

Row = dict[str, str]

ALGORITHMS = {
    "FedAvg": Local("adam", LEARNING_RATE, weight_decay=1e-4),
    "FedSGD": Local("none", 0.1),
}


def updates(task: Task, local: Local, rounds: int) -> tuple[Layout, np.ndarray]:
    """Return what clients send in all rounds, [updates, parameters], and where a model's tensors lie in it."""
    workload = Points(task)
    torch.manual_seed(0)
    model = workload.make()
    layout = Layout.of(model)
    weights = Weights.of(model, layout)
    engine = choose(workload, model, local, "auto")[0](workload, layout, local)
    # Clients of FedSGD send the gradient of all that they have, along which the server steps.
    gradients = local.optimizer == "none"
    step, batches = (
        (-local.learning_rate, (1, task.steps * task.batch)) if gradients else (1.0, (task.steps, task.batch))
    )
    sent = []
    for number in range(rounds):
        work = []
        for client in range(task.clients):
            own = batches_of(client, *batches)
            targets = [workload.targets[torch.tensor(batch)] for batch in own]
            work.append(Work(client, own, number * task.clients + client, targets))
        answers = torch.cat([returned.updates.clone() for returned in engine.run(weights, work)])
        weights = Weights(weights.parameters + step * answers.mean(0), weights.buffers, weights.counters)
        sent.append(answers.numpy())
    return layout, np.concatenate(sent)


def kept(layout: Layout, sent: np.ndarray, precision: str, folder: Path) -> tuple[int, float, float, float]:
    """Return the bytes of a pack of updates, the seconds of writing and of reading it, and what is lost."""
    path = folder / f"{precision}.pack"
    began = time.perf_counter()
    with PackWriter(path, precision) as pack:
        blocks = [[pack.append(values) for values in tensors(layout, update)] for update in sent]
    written = time.perf_counter() - began
    reader = PackReader(path)
    began = time.perf_counter()
    for update in blocks:
        for block in update:
            reader.read(block)
    read = time.perf_counter() - began
    return pack.size, written, read, lost(layout, sent, blocks, reader)


def lost(layout: Layout, sent: np.ndarray, blocks: list[list[Block]], reader: PackReader) -> float:
    """Return which part of an update's norm is lost, on average, in the layer where that is most."""
    shares = [
        [
            float(np.linalg.norm(reader.read(block) - values) / np.linalg.norm(values))
            for block, values in zip(own, tensors(layout, update), strict=True)
        ]
        for own, update in zip(blocks, sent, strict=True)
    ]
    return float(np.mean(shares, axis=0).max())


def tensors(layout: Layout, update: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the tensors of an update."""
    for piece in layout.parameters:
        yield update[piece.start : piece.end].reshape(piece.shape)


def rows(task: Task, rounds: int) -> Iterator[Row]:
    """Yield what each precision takes, of each algorithm."""
    for name, local in ALGORITHMS.items():
        layout, sent = updates(task, local, rounds)
        for precision in PRECISIONS:
            with tempfile.TemporaryDirectory() as folder:
                size, written, read, share = kept(layout, sent, precision, Path(folder))
            yield {
                "what": f"{len(sent)} updates of {name}, {precision}",
                "ours": f"{size / 1e6:.0f} MB",
                "other": f"{sent.nbytes / 1e6:.0f} MB",
                "ratio": f"{size / sent.nbytes:.3f}",
                "how measured": f"written in {written:.2f} s, read in {read:.2f} s, {100 * share:.2g} % lost; other: "
                "the numbers in memory",
            }
    yield from about_the_run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few clients and rounds: seconds, and rougher")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    use_threads(options.threads)
    emit(list(rows(Task(8, 2), 2) if options.quick else rows(Task(80), 10)), options.out)


if __name__ == "__main__":
    main()
