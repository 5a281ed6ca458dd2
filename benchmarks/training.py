"""How fast heads are trained from the store: ratios to re-running the backbone every epoch, in one run.

    python benchmarks/training.py [--quick] [--clips 160] [--threads 2] [--out benchmarks/training.tsv]

`thirty epochs`: the default `cnn` head (width 128) on one fold, 60 % train, 20 % dev, 20 % test, clips of 2 to 6 s,
from frames in the store, dev scored in every epoch and test once: `ours`. `other` is an epoch as trust-ser has it,
times thirty: the frozen backbone in training mode, without gradient, over padded batches of 64, its head (width 256)
forward and backward, then dev and test one by one, every epoch. It is given its waveforms in memory. Its epoch is
measured once, in thirty pieces, one after each of our epochs, so that both meet the machine in the same state.

`linear head`: 30,000 steps of 32 on pooled features of 4,446 utterances, 13 layers of 768, one thread.

`memory`: one epoch over a store of frames of `--store-gb`, in a process of its own that is looked at a hundred times a
second. RssAnon is what it needs; RssFile are the libraries and pages of the store that the system may take back.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import math
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from candor.audio.conversion import decode
from candor.features.clips import Clip
from candor.features.extraction import Extraction, Way, identity, worthwhile_seconds
from candor.features.packs import FramePacker, FramePlace
from candor.features.reading import Frames
from candor.memory import keep_freed_memory
from candor.models.inputs import FrameInputs, PooledInputs
from candor.models.linear import PooledNetwork
from candor.models.networks import FrameNetwork
from candor.models.outputs import outputs_of
from candor.models.recipe import Recipe
from candor.models.tasks import Emotion
from candor.models.training import Part, train
from candor.runtime import use_threads
from candor.store.objects import Store
from machine import Row, about_the_run, threads
from random_backbones import Twins, apc, wav2vec2
from spoken_clips import put_clips
from table import emit

CLASSES = [f"class{number}" for number in range(8)]
EPOCHS = 30
BATCH = 64
CNN = Recipe("cnn", 0.0005, EPOCHS, BATCH, conv_layers=2, num_layers=2, hidden_size=128, dropout=0.2)


@dataclass(frozen=True)
class Fold:
    """Clips, their made-up classes, and which of them are in train, dev and test: 60, 20 and 20 %."""

    clips: list[Clip]
    labels: torch.Tensor

    @classmethod
    def of(cls, clips: list[Clip]) -> Fold:
        """Return the fold of clips."""
        return cls(clips, torch.arange(len(clips)) % len(CLASSES))

    def part(self, name: str) -> Part:
        """Return train, dev or test."""
        count = len(self.clips)
        first, last = {"train": (0, 0.6), "dev": (0.6, 0.8), "test": (0.8, 1)}[name]
        numbers = list(range(round(first * count), round(last * count)))
        return Part(numbers, self.labels[numbers])


class TheirHead(nn.Module):
    """The head of trust-ser by its description, on padded hidden states."""

    def __init__(self, layers: int, dimensions: int, hidden: int = 256) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(layers))
        self.convolutions = nn.Sequential(
            nn.Conv1d(dimensions, hidden, 1), nn.ReLU(), nn.Dropout(0.2), nn.Conv1d(hidden, hidden, 1)
        )
        self.dense = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, len(CLASSES)))

    def forward(self, states: Sequence[torch.Tensor], shares: torch.Tensor) -> torch.Tensor:
        """Return the outputs; `shares` [clips, frames] says how much each frame counts for the mean."""
        # LayerDrop leaves layers out in training; the state then stays what it was.
        stacked = torch.stack([*states, *[states[-1]] * (len(self.weights) - len(states))])
        mixed = (functional.softmax(self.weights, dim=0)[:, None, None, None] * stacked).sum(dim=0)
        seen = self.convolutions(mixed.transpose(1, 2))
        return self.dense((seen * shares[:, None]).sum(dim=2))


@dataclass
class TheirEpoch:
    """One epoch in trust-ser's way, in pieces: a step of training, or the scoring of one clip."""

    twins: Twins
    fold: Fold
    waveforms: list[torch.Tensor]
    batch: int
    spent: float = 0.0
    done: int = 0
    pieces: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.head = TheirHead(self.twins.backbone.layers, self.twins.backbone.dimensions)
        self.optimiser = torch.optim.Adam(self.head.parameters(), lr=0.0005, weight_decay=1e-4, betas=(0.9, 0.98))
        train_part = self.fold.part("train").numbers
        for start in range(0, len(train_part), self.batch):
            self.pieces.append(lambda numbers=train_part[start : start + self.batch]: self._step(numbers))
        for number in [*self.fold.part("dev").numbers, *self.fold.part("test").numbers]:
            self.pieces.append(lambda number=number: self._score(number))

    def go_on(self, share: float) -> None:
        """Do pieces until this share of the epoch is done."""
        start = time.perf_counter()
        while self.done < min(len(self.pieces), round(share * len(self.pieces))):
            self.pieces[self.done]()
            self.done += 1
        self.spent += time.perf_counter() - start

    def _step(self, numbers: list[int]) -> None:
        self.twins.model.train()
        self.head.train()
        waveforms = [self.waveforms[number] for number in numbers]
        with torch.no_grad():
            states = self.twins.run(self.twins.model, waveforms)
        loss = functional.cross_entropy(self.head(states, _shares(waveforms, states)), self.fold.labels[numbers])
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()

    def _score(self, number: int) -> None:
        self.twins.model.eval()
        self.head.eval()
        waveforms = [self.waveforms[number]]
        with torch.no_grad():
            states = self.twins.run(self.twins.model, waveforms)
            self.head(states, _shares(waveforms, states))


def _shares(waveforms: Sequence[torch.Tensor], states: Sequence[torch.Tensor]) -> torch.Tensor:
    longest, frames = max(len(waveform) for waveform in waveforms), states[0].shape[1]
    counts = torch.tensor([max(1, len(waveform) * frames // longest) for waveform in waveforms])
    return (torch.arange(frames) < counts[:, None]) / counts[:, None]


class InTurns(Emotion):
    """Emotions; whenever an epoch has been scored, some of another way's epoch is done, off the clock."""

    def __init__(self, theirs: TheirEpoch, epochs: int) -> None:
        super().__init__(CLASSES)
        self.theirs, self.epochs, self.epoch = theirs, epochs, 0

    def score(self, outputs: torch.Tensor, targets: torch.Tensor) -> float:
        """Return the UAR, which is asked for once an epoch."""
        self.epoch += 1
        self.theirs.go_on(self.epoch / self.epochs)
        return super().score(outputs, targets)


def thirty_epochs(twins: Twins, clips: int, batch: int, folder: Path) -> list[Row]:
    """Return how training from the store compares with trust-ser's way."""
    store = Store(folder / "store")
    fold = Fold.of(put_clips(store, clips, 0))
    hours = sum(clip.seconds for clip in fold.clips) / 3600
    extraction = Extraction(fold.clips, identity(twins.family, 0, twins.options, None, "float32"), store, frames=True)
    start = time.perf_counter()
    extraction.run(twins.backbone, Way(worthwhile_seconds(twins.backbone, "cpu", 60.0)), twins.name)
    index = pd.DataFrame(extraction.frame_rows())
    extracted = time.perf_counter() - start
    theirs = TheirEpoch(twins, fold, [torch.from_numpy(decode(store.read(clip.member))) for clip in fold.clips], batch)
    start = time.perf_counter()
    inputs = FrameInputs(Frames(index, [clip.utterance for clip in fold.clips], store))
    trained = train(
        lambda: FrameNetwork(twins.backbone.layers, twins.backbone.dimensions, len(CLASSES), CNN),
        inputs,
        fold.part("train"),
        fold.part("dev"),
        InTurns(theirs, EPOCHS),
        CNN,
        0,
    )
    outputs_of(trained.network, inputs, fold.part("test").numbers)
    ours = time.perf_counter() - start - theirs.spent
    other = EPOCHS * theirs.spent
    how = (
        f"{clips} clips, {hours:.2f} h, {threads()}; other: one epoch took {theirs.spent:.1f} s in batches of "
        f"{batch}, times {EPOCHS}"
    )
    return [
        {
            "what": f"{twins.name}: thirty epochs of the cnn head",
            "ours": f"{ours:.1f} s",
            "other": f"{other:.0f} s",
            "ratio": f"{other / ours:.1f}",
            "how measured": how,
        },
        {
            "what": f"{twins.name}: the same with extraction",
            "ours": f"{ours + extracted:.1f} s",
            "other": f"{other:.0f} s",
            "ratio": f"{other / (ours + extracted):.1f}",
            "how measured": f"extraction once, all folds, heads and seeds share it: {extracted:.1f} s",
        },
    ]


def linear_steps(steps: int, utterances: int = 4446, batch: int = 32) -> Row:
    """Return how long 30,000 steps of the linear head take on one thread."""
    generator = torch.Generator().manual_seed(0)
    pooled = torch.randn(round(1.25 * utterances), 13, 2, 768, generator=generator)
    labels = torch.arange(len(pooled)) % len(CLASSES)
    in_train, in_dev = list(range(utterances)), list(range(utterances, len(pooled)))
    per_epoch = math.ceil(utterances / batch)
    recipe = Recipe("linear", 0.005, max(1, round(steps / per_epoch)), batch, scheduler="constant")

    def make() -> PooledNetwork:
        network = PooledNetwork(13, 768, len(CLASSES), "mean")
        network.standardise_by(pooled[:utterances])
        return network

    before = torch.get_num_threads()
    use_threads(1)
    start = time.perf_counter()
    parts = Part(in_train, labels[:utterances]), Part(in_dev, labels[utterances:])
    train(make, PooledInputs(pooled), *parts, Emotion(CLASSES), recipe, 0)
    spent, done = time.perf_counter() - start, recipe.num_epochs * per_epoch
    use_threads(before)
    minutes = 30_000 * spent / done / 60
    return {
        "what": "linear head: 30,000 steps on pooled features",
        "ours": f"{minutes:.2f} min",
        "other": "3.00 min allowed",
        "ratio": f"{3 / minutes:.2f}",
        "how measured": f"{done / spent:.0f} steps/s over {done} steps of {batch}, {utterances} x 13 x 768, one "
        f"thread, {len(in_dev)} dev utterances scored every {per_epoch} steps",
    }


def write_frames(store: Store, gigabytes: float, layers: int = 13, dimensions: int = 768) -> pd.DataFrame:
    """Fill a store with random frames, 200 per utterance; return their index."""
    generator = np.random.default_rng(0)
    frames, known = 200, dict[str, bool]()
    packer = FramePacker(store, store.ledger("frames"), known, np.dtype(np.float16))
    noise = generator.standard_normal(layers * frames * dimensions, dtype=np.float32).astype(np.float16)
    count = math.ceil(gigabytes * 1e9 / noise.nbytes)
    for number in range(count):
        # Shifted, so that no two members of the store are the same.
        packer.add(f"clip{number:05}", np.roll(noise, number).reshape(layers, frames, dimensions))
        if packer.full:
            packer.write()
    packer.write()
    rows = [
        {"utterance": name, **vars(FramePlace.parse(place))} for name, place in store.ledger("frames").items().items()
    ]
    return pd.DataFrame(rows).sort_values("utterance", ignore_index=True)


def memory(gigabytes: float, folder: Path) -> list[Row]:
    """Return how much memory a training takes whose frames are many times larger."""
    store = Store(folder / "store")
    index = write_frames(store, gigabytes)
    index.to_csv(folder / "index.tsv", sep="\t", index=False)
    size = sum(file.stat().st_size for file in (folder / "store" / "objects").rglob("*.npy")) / 1e6
    command = [sys.executable, __file__, "--only-read", str(folder), "--threads", str(torch.get_num_threads())]
    peaks = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    return [
        {
            "what": f"memory: {what}",
            "ours": f"{peaks[key]:.0f} MB",
            "other": f"{size:.0f} MB of frames",
            "ratio": f"{size / peaks[key]:.1f}",
            "how measured": f"one epoch of the cnn head, {len(index)} clips of 4 s, 13 x 768, {threads()}; "
            f"{peaks[key + ' before']:.0f} MB before it, with torch loaded",
        }
        for key, what in {
            "VmHWM": "highest resident (ru_maxrss)",
            "RssAnon": "highest of its own (RssAnon)",
            "RssFile": "highest of files, torch and parts of the store (RssFile)",
        }.items()
    ]


def only_read(folder: Path) -> None:
    """Train on the frames in a folder; print the peaks of this process."""
    store, index = Store(folder / "store"), pd.read_csv(folder / "index.tsv", sep="\t")
    labels = torch.arange(len(index)) % len(CLASSES)
    most = len(index) * 3 // 4
    parts = (Part(list(range(a, b)), labels[a:b]) for a, b in itertools.pairwise((0, most, len(index))))
    recipe = Recipe("cnn", 0.0005, 1, BATCH, conv_layers=2, num_layers=2, hidden_size=128, dropout=0.2)
    inputs = FrameInputs(Frames(index, list(index["utterance"]), store))
    shape = inputs.frames.layers, inputs.frames.dimensions
    before = {f"{key} before": value for key, value in resident().items()}
    with watched() as peaks:
        train(lambda: FrameNetwork(*shape, len(CLASSES), recipe), inputs, *parts, Emotion(CLASSES), recipe, 0)
    print(json.dumps({**peaks, **before}))


class watched:  # noqa: N801 - used as a function
    """Note the highest resident memory, looked at a hundred times a second."""

    def __enter__(self) -> dict[str, float]:
        self._peaks, self._over = resident(), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self._peaks

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            for key, value in resident().items():
                self._peaks[key] = max(self._peaks[key], value)


def resident() -> dict[str, float]:
    """Return what Linux says of this process's resident memory, in MB."""
    lines = (line.partition(":") for line in Path("/proc/self/status").read_text().splitlines())
    return {key: int(value.split()[0]) * 1.024e-3 for key, _, value in lines if key in ("VmHWM", "RssAnon", "RssFile")}


def rows(options: argparse.Namespace, scratch: Path) -> Iterator[Row]:
    quick = options.quick
    batch = 4 if quick else BATCH
    yield from memory(0.6 if quick else options.store_gb, scratch)
    yield linear_steps(1000 if quick else 30_000)
    yield from thirty_epochs(apc(scratch / "apc"), 20 if quick else 3 * options.clips, batch, scratch / "a")
    yield from thirty_epochs(wav2vec2(scratch / "wav2vec2"), 5 if quick else options.clips, batch, scratch / "b")
    yield from about_the_run()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few clips and steps: a minute, and rougher")
    parser.add_argument("--store-gb", type=float, default=4.0)
    parser.add_argument("--clips", type=int, default=160, help="of wav2vec 2.0; APC has three times as many")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only-read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    use_threads(options.threads)
    keep_freed_memory()  # as the job does
    if options.only_read:
        only_read(options.only_read)
        return
    with tempfile.TemporaryDirectory() as name:
        emit(list(rows(options, Path(name))), options.out)


if __name__ == "__main__":
    main()
