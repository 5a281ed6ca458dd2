"""How fast audio is converted: ratios in one run, on one core.

    python benchmarks/audio.py [--clips 100] [--rounds 21] [--out benchmarks/audio.tsv]

Speech-like clips are made at 48 kHz, 44.1 kHz and 24,414 Hz, 3.7 s each. Compared are

- `bare loop`: soundfile read, soxr HQ, soundfile write, nothing else;
- `candor`: the stage's own loop with one worker, hashing, store, ledger and link included, into a store whose
  256 folders are there already, as after the first few hundred clips;
- `torchaudio per file`: `torchaudio.transforms.Resample` built for each file, as much published code does
  (for 24,414 Hz on three clips, because one takes seconds).

Each is run in turn, `rounds` times over the same clips. The median of the rounds counts; a ratio is taken within
each round, where the machine is as fast for both, before its median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
import torchaudio

from candor.audio.collection import Source, collect
from candor.corpora.inspection import measure
from candor.store.objects import Store
from table import emit

HASHES: dict[Path, str] = {}
"""The hashes of the clips' samples, which the stage before has taken; `candor` takes them again to compare."""

SECONDS = 3.7
SLOW_CLIPS = 3


def make_clips(folder: Path, rate: int, count: int) -> list[Path]:
    generator = np.random.default_rng(rate)
    time_axis = np.arange(int(SECONDS * rate)) / rate
    paths = []
    for number in range(count):
        pitch = generator.uniform(90, 250) * (1 + 0.1 * np.sin(2 * np.pi * 3 * time_axis))
        tone = np.sum([np.sin(2 * np.pi * k * np.cumsum(pitch) / rate) / k for k in range(1, 12)], axis=0)
        clip = 0.1 * tone + 0.01 * generator.standard_normal(time_axis.size)
        paths.append(folder / f"{rate}_{number:04}.wav")
        soundfile.write(paths[-1], clip, rate, subtype="PCM_16")
        HASHES[paths[-1]] = measure(str(paths[-1])).audio
    return paths


def bare_loop(paths: list[Path], out: Path) -> None:
    out.mkdir()
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        soundfile.write(out / path.name, soxr.resample(samples, rate, 16000, quality="HQ"), 16000, subtype="PCM_16")


def candor_loop(paths: list[Path], out: Path) -> None:
    collect(
        [Source(path.stem, path.name, HASHES[path]) for path in paths],
        paths[0].parent,
        out / "audio",
        Store(out / "store"),
        workers=1,
    )


def torchaudio_loop(paths: list[Path], out: Path) -> None:
    out.mkdir()
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        converted = torchaudio.transforms.Resample(rate, 16000)(torch.from_numpy(samples))
        soundfile.write(out / path.name, converted.numpy(), 16000, subtype="PCM_16")


def seconds(loop: Callable[[list[Path], Path], None], paths: list[Path], scratch: Path) -> float:
    """Return the seconds per clip, into a folder of its own: deleting an old one would slow the next writes."""
    out = Path(tempfile.mkdtemp(dir=scratch)) / "out"
    if loop is candor_loop:
        for number in range(256):
            (out / "store" / "objects" / f"{number:02x}").mkdir(parents=True)
    os.sync()
    start = time.perf_counter()
    loop(paths, out)
    return (time.perf_counter() - start) / len(paths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = Path(scratch_name)
        for rate in (48000, 44100, 24414):
            paths = make_clips(scratch, rate, options.clips)
            slow = paths[:SLOW_CLIPS] if rate == 24414 else paths
            rounds = {"bare loop": [], "candor": [], "torchaudio per file": []}
            for number in range(options.rounds):
                rounds["bare loop"].append(seconds(bare_loop, paths, scratch))
                rounds["candor"].append(seconds(candor_loop, paths, scratch))
                if rate != 24414 or number == 0:
                    rounds["torchaudio per file"].append(seconds(torchaudio_loop, slow, scratch))
            for name, times in rounds.items():
                middle = statistics.median(times)
                faster = statistics.median(other / ours for other, ours in zip(times, rounds["candor"], strict=False))
                rows.append(
                    {
                        "rate": rate,
                        "way": name,
                        "ms_per_clip": f"{1000 * middle:.2f}",
                        "times_real_time": f"{SECONDS / middle:.0f}",
                        "candor_is_faster_by": f"{faster:.2f}",
                    }
                )
    emit(rows, options.out)


if __name__ == "__main__":
    main()
