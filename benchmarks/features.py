"""How fast hidden states are extracted: ratios to the backbone's bare forward loop, in one run.

    python benchmarks/features.py [--quick] [--blocks 12] [--threads 2] [--out benchmarks/features.tsv]

`ours` is all that the stage does once a backbone is loaded: read clips of 2 to 6 s from a store and compare them with
their hashes, decode, run, pool all layers, keep every frame in half precision, hash and write, note in the ledgers.
`other` is the same network as its library (transformers, s3prl) loads it, run over the same waveforms, which lie in
memory already; its hidden states are dropped:

- `one by one`: clip after clip, as one would write it;
- `in a batch`: together, padded, with a mask where the library takes one. Candor does so itself where it pays.

The clips come in blocks of at most 60 s (APC) or 20 s (wav2vec 2.0) of audio. The ways take turns within a block, each
block beginning with another one. Rates are medians over blocks; a ratio is taken within each block, where the machine
is as fast for both, before its median. Rates are in hours of audio per hour.

Where there is a GPU, a base-size model is run in bfloat16 too, and what it reaches is compared with the rate of a large
matrix product in the same run. Only its matrix products and convolutions are counted.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from candor.audio.conversion import decode
from candor.features.clips import Clip, in_batches
from candor.features.extraction import Extraction, Way, identity, worthwhile_seconds
from candor.store.objects import Store
from machine import Row, about_the_run, threads
from random_backbones import Twins, apc, multiplications, wav2vec2
from spoken_clips import put_clips
from table import emit


@dataclass(frozen=True)
class Work:
    """How much is run.

    Parameters
    ----------
    blocks
        How often each way is measured.
    block_seconds
        Audio per block.
    matrix
        Width of the square matrices that a GPU multiplies.
    """

    blocks: int = 12
    block_seconds: float = 60.0
    matrix: int = 8192


def block_of_clips(store: Store, seconds: float, seed: int) -> list[Clip]:
    """Return as many clips as one batch of so many seconds holds, padding included."""
    return next(in_batches(put_clips(store, max(1, round(seconds / 4)), seed), seconds))


def compare(twins: Twins, work: Work, folder: Path) -> list[Row]:
    """Return how extraction in full precision compares with bare loops."""
    store = Store(folder / "store")
    way = Way(batch_seconds=worthwhile_seconds(twins.backbone, "cpu", work.block_seconds))
    blocks = [block_of_clips(store, work.block_seconds, seed) for seed in range(work.blocks + 1)]
    spent: dict[str, list[float]] = {}
    for number, clips in enumerate(blocks):
        loaded = [torch.from_numpy(decode(store.read(clip.member))) for clip in clips]
        ways: dict[str, Callable[[], None]] = {
            "ours": lambda clips=clips: extract(twins, clips, store, way),
            "one by one": lambda loaded=loaded: loop(twins, [[waveform] for waveform in loaded]),
            "in a batch": lambda loaded=loaded: loop(twins, [loaded]),
        }
        for name in in_turn(list(ways), number):
            spent.setdefault(name, []).append(seconds_of(ways[name]))
    hours = [sum(clip.seconds for clip in clips) for clips in blocks]
    # The first block is there to warm up.
    return [row(twins, name, hours[1:], spent["ours"][1:], spent[name][1:]) for name in spent if name != "ours"]


def extract(twins: Twins, clips: Sequence[Clip], store: Store, way: Way, *, frames: bool = True) -> None:
    """Do what the stage does with clips that are new to the store."""
    identified = identity(twins.family, 0, {**twins.options, "name": twins.name}, None, way.precision)
    extraction = Extraction(clips, identified, store, frames=frames)
    extraction.note_use()
    extraction.run(twins.backbone, way, twins.name)
    extraction.pooled_rows()
    if frames:
        extraction.frame_rows()


def loop(twins: Twins, batches: Sequence[Sequence[torch.Tensor]]) -> None:
    with torch.no_grad():
        for batch in batches:
            twins.run(twins.model, batch)


def in_turn(names: Sequence[str], first: int) -> list[str]:
    return [names[(first + place) % len(names)] for place in range(len(names))]


def seconds_of(act: Callable[[], None], device: str = "cpu") -> float:
    start = time.perf_counter()
    act()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def rate(audio: Sequence[float], spent: Sequence[float]) -> float:
    return statistics.median(own / seconds for own, seconds in zip(audio, spent, strict=True))


def row(twins: Twins, name: str, audio: Sequence[float], ours: Sequence[float], other: Sequence[float]) -> Row:
    ratio = statistics.median(theirs / own for theirs, own in zip(other, ours, strict=True))
    mean = statistics.mean(audio)
    return {
        "what": f"{twins.name}: extraction against the bare loop, {name}",
        "ours": f"{rate(audio, ours):.1f} h/h",
        "other": f"{rate(audio, other):.1f} h/h",
        "ratio": f"{ratio:.2f}",
        "how measured": f"fp32, CPU, {threads()}, medians of {len(ours)} blocks of about {mean:.0f} s",
    }


def lower_precision(twins: Twins, work: Work, folder: Path, device: str) -> list[Row]:
    """Return which share of a matrix product's rate is reached in bfloat16."""
    store = Store(folder / "store16")
    twins.backbone.to(device)
    twins.model.to(device)
    seconds = 10 * work.block_seconds
    blocks = [block_of_clips(store, seconds, 1000 + seed) for seed in range(work.blocks + 1)]
    way = Way(batch_seconds=seconds, precision="bfloat16", device=device)
    spent: dict[str, list[float]] = {"matrix product": [], "pooled": [], "frames": [], "bare loop": []}
    product = matrix_product(work.matrix, device)
    for clips in blocks:
        loaded = [torch.from_numpy(decode(store.read(clip.member))) for clip in clips]
        spent["matrix product"].append(seconds_of(product, device) / PRODUCTS)
        spent["pooled"].append(seconds_of(lambda c=clips: extract(twins, c, store, way, frames=False), device))
        spent["frames"].append(seconds_of(lambda c=clips: extract(twins, c, store, way), device))
        spent["bare loop"].append(seconds_of(lambda w=loaded: bare_lower(twins, w, device), device))
    achieved = 2 * work.matrix**3 / statistics.median(spent.pop("matrix product")[1:])
    audio = [sum(clip.seconds for clip in clips) for clips in blocks[1:]]
    counted = [sum(multiplications(twins.model, clip.samples) for clip in clips) for clips in blocks[1:]]
    return [
        {
            "what": f"{twins.name}: bf16, {name}",
            "ours": f"{rate(counted, own[1:]) / 1e12:.2f} TFLOP/s",
            "other": f"{achieved / 1e12:.2f} TFLOP/s",
            "ratio": f"{rate(counted, own[1:]) / achieved:.2f}",
            "how measured": f"{rate(audio, own[1:]):.0f} h/h on {device}, batches of {seconds:.0f} s; other: bf16 "
            f"product of {work.matrix}² matrices",
        }
        for name, own in spent.items()
    ]


PRODUCTS = 10


def matrix_product(width: int, device: str) -> Callable[[], None]:
    one, other = (torch.randn(width, width, device=device, dtype=torch.bfloat16) for _ in range(2))

    def multiply() -> None:
        for _ in range(PRODUCTS):
            torch.mm(one, other)

    return multiply


def bare_lower(twins: Twins, loaded: Sequence[torch.Tensor], device: str) -> None:
    with torch.autocast(device.partition(":")[0], dtype=torch.bfloat16):
        loop(twins, [loaded])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few and short blocks: a minute, and rougher")
    parser.add_argument("--blocks", type=int, default=Work.blocks)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    short, long = (Work(2, 6.0), Work(4, 30.0)) if options.quick else (Work(options.blocks, 20.0), Work(options.blocks))
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        small = apc(scratch / "apc")
        rows = compare(small, long, scratch / "apc_run")
        base = wav2vec2(scratch / "wav2vec2")
        rows += compare(base, short, scratch / "wav2vec2_run")
        if torch.cuda.is_available():
            rows += lower_precision(base, long, scratch, "cuda")
    emit([*rows, *about_the_run()], options.out)


if __name__ == "__main__":
    main()
