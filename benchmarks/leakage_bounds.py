"""What fed-ser-leakage's shadow federations take here: bytes on the disk, and memory, until an attack is done.

    python benchmarks/leakage_bounds.py [--quick] [--threads 2] [--out FILE]

Five shadow federations of 200 rounds with 8 clients each, of an MLP 512-256-128-4, every update kept in four bits:
8000 updates of 165,000 numbers, for FedAvg and for FedSGD. Then logistic regression on every layer, and on all of
them, learns from as many as the rule learns from (4000, drawn at random) and attacks 1600 updates of others, and
fed-ser-leakage's network is trained on the first layer for a while. Clips are random points, as what is measured does
not depend on what they say.

`other` is what the published code holds in memory and on the disk for the same: the numbers as they are, in float32.
Memory is the most that a process of its own has had in memory, imports and all.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from candor.runtime import use_threads
from machine import about_the_run
from table import emit

Row = dict[str, str]

ALGORITHMS = {
    "FedAvg": {"model_type": "fed_avg", "optimizer": "adam", "batch_size": 20, "learning_rate": 0.0005},
    "FedSGD": {"model_type": "fed_sgd", "optimizer": "none", "batch_size": None, "learning_rate": 0.1},
}
CLASSES = ["anger", "happiness", "neutral", "sadness"]


@dataclass(frozen=True)
class Task:
    """How large it is."""

    people: int = 80
    clips: int = 60
    dimensions: int = 512
    hidden: tuple[int, ...] = (256, 128)
    rounds: int = 200
    shadows: int = 5
    per_round: int = 8
    epochs: int = 1

    @property
    def parameters(self) -> int:
        """Return how many numbers an update has."""
        widths = (self.dimensions, *self.hidden, len(CLASSES))
        return sum(before * after + after for before, after in pairwise(widths))


def run_shadows(task: Task, options: Mapping[str, Any], folder: Path, shadows: int, seed: int) -> Path:
    """Run shadow federations of made-up people, and return where their updates are."""
    from candor.federated.settings import Kept, Settings
    from candor.federated.workloads.prepared import Sources
    from candor.leakage.shadows import ShadowJob
    from candor.store.objects import Store

    random = np.random.default_rng(seed)
    speakers = [f"s{number % task.people}" for number in range(task.people * task.clips)]
    rows = pd.DataFrame(
        {
            "utterance": [f"u{number}" for number in range(len(speakers))],
            "speaker": speakers,
            "gender": ["female" if int(name[1:]) % 2 else "male" for name in speakers],
            "session": "",
            "label": [CLASSES[int(place)] for place in random.integers(0, 4, len(speakers))],
            "part": "train",
        }
    )
    buffer, store = io.BytesIO(), Store(folder / "store")
    np.save(buffer, random.standard_normal((len(rows), 1, 2, task.dimensions)).astype(np.float32), allow_pickle=False)
    member = store.put(buffer.getvalue(), ".npy")
    pooled = pd.DataFrame({"utterance": rows["utterance"], "member": member, "row": range(len(rows)), "frames": 1})
    settings = Settings(
        hidden_size=task.hidden, partition="speaker", clients_per_round=task.per_round, num_epochs=task.rounds,
        keep=Kept(updates_every=1, precision="int4"), seed=seed, **options,
    )  # fmt: skip
    sources = Sources(fold=0, table=rows, pooled=pooled, store=store, classes=CLASSES)
    names = {"dataset": "made up", "shadow": "run", "people": f"seed {seed}"}
    files = {"updates": "updates.pack", "index": "updates.tsv", "clients": "clients.tsv", "facts": "shadows.json"}
    output = SimpleNamespace(**{role: str(folder / "kept" / name) for role, name in files.items()})
    ShadowJob(names, settings, sources, [], shadows, {}, folder / "aside").run_and_write(output)
    return folder / "kept"


def attack(task: Task, shadow: Path, victims: Path) -> str:
    """Attack updates by regressions and by the network, and return how far that came."""
    from candor.leakage.attack import Attack
    from candor.leakage.attackers.cnn import Cnn, Shown
    from candor.leakage.kept import Shadows
    from candor.leakage.layers import layers_of
    from candor.leakage.people import Pupils, pupils
    from candor.leakage.settings import MOST_SHADOW, Settings
    from candor.leakage.updates import Standard

    known = {f"s{number}": "female" if number % 2 else "male" for number in range(task.people)}
    taught = pupils(known, list(known), known, 0)
    assert isinstance(taught, Pupils)
    learned, attacked = Shadows(shadow), Shadows(victims)
    layers = layers_of(learned.facts["layers"])
    updates = learned.updates(known, MOST_SHADOW), attacked.updates(known)
    said = Attack(*updates, layers, taught, Settings(updates_seen=(1,)), 0).run("regressions")
    scale = Standard.over(updates[0], layers[0], taught.lesson(updates[0]).train)
    shown = Shown(updates[0], layers[0], scale), Shown(updates[1], layers[0], scale)
    few = taught.lesson(updates[0])
    few = type(few)(few.train[:200], few.dev[:100], few.labels, few.classes, few.parts)
    Cnn(*shown, layers[0], task.epochs, 1e-4).learn(few, 0)
    return (
        f"{len(updates[0])} updates learned from, {len(updates[1])} attacked, by {len(said)} regressions and a network"
    )


def rows(task: Task, threads: int) -> Iterator[Row]:
    """Yield what is taken, of each algorithm."""
    updates = task.shadows * task.rounds * task.per_round
    as_they_are = 4 * updates * task.parameters
    for name, options in ALGORITHMS.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            seconds, memory, shadow = alone(threads, run_shadows, task, options, folder / "s", task.shadows, 1)
            _, _, victims = alone(threads, run_shadows, task, options, folder / "v", 1, 2)
            size = sum(file.stat().st_size for file in shadow.iterdir())
            yield told(f"{name}: shadows on the disk", size, as_they_are, f"{updates} updates in {seconds:.0f} s")
            yield told(f"{name}: memory of running them", memory, as_they_are, "its most")
            seconds, memory, how = alone(threads, attack, task, shadow, victims)
            yield told(f"{name}: memory of attacking", memory, as_they_are, f"its most; {how}; {seconds:.0f} s")
    yield from about_the_run()


def told(what: str, ours: int, other: int, how: str) -> Row:
    """Return a row of the table."""
    row = {"what": what, "ours": f"{ours / 1e9:.2f} GB", "other": f"{other / 1e9:.2f} GB"}
    return {**row, "ratio": f"{ours / other:.3f}", "how measured": how}


def alone(threads: int, run: Callable[..., Any], *arguments: Any) -> tuple[float, int, Any]:
    """Run something in a process of its own; return its seconds, the most memory it had, and what it returned."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measured, args=(theirs, threads, run, arguments))
    process.start()
    theirs.close()
    try:
        found: tuple[float, int, Any] = ours.recv()
    except EOFError:
        raise SystemExit("a process that was measured has failed") from None
    process.join()
    return found


def _measured(pipe: Any, threads: int, run: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    use_threads(threads)
    began = time.perf_counter()
    returned = run(*arguments)
    # Linux counts in KiB.
    pipe.send((time.perf_counter() - began, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, returned))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few people and rounds: seconds, and rougher")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    small = Task(people=12, clips=24, dimensions=40, hidden=(32, 16), rounds=10, shadows=2, per_round=4)
    emit(list(rows(small if options.quick else Task(), options.threads)), options.out)


if __name__ == "__main__":
    main()
