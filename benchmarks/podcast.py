"""What a corpus of the size of MSP-Podcast costs before training: python benchmarks/podcast.py [--clips 150000].

    python benchmarks/podcast.py [--clips 150000] [--keep DIR] [--out benchmarks/podcast.tsv]

Makes a tree as that corpus is released, with noise of 0.12 s for each recording (about 4 kB a clip), once with a
tenth of the clips and once with all, and runs on each, every step in a process of its own:

- `digest`: the digest of the listing, which every dry-run computes;
- `read`: label files and names alone, as the first part of the manifest;
- `manifest`: reading, inspection by two processes, and writing the tables, with an empty ledger;
- `manifest again`: the same with the ledger of the first run;
- `overview`: the figure of what was read, from the tables;
- `show`: the same in words, as `candor show` prints it;
- `splits`: the official partition of the manifest, written as the rule writes it;
- `splits, 5 folds`: the same with speakers dealt out to five folds.

`seconds` leaves out the start of Python; `peak_MB` is of the largest process. `growth` is how many times longer a
clip takes than in the smaller tree: 1 if costs grow with the number of clips.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from table import emit

RATE, SECONDS = 16000, 0.12
SPEAKERS = 2000
UNKNOWN = 0.15
PARTS = {"Train": 84_030, "Development": 19_815, "Test1": 30_647, "Test2": 14_815, "Test3": 2_347}
LABELS = {"N": 40, "H": 24, "A": 8, "S": 8, "U": 4, "C": 3, "D": 2, "F": 1, "O": 2, "X": 18}
WORDS = {"H": "Happy", "A": "Angry", "S": "Sad", "U": "Surprise", "C": "Contempt", "D": "Disgust", "F": "Fear"}
WORKERS = 2


def wav_header(size: int) -> bytes:
    pcm = (16).to_bytes(4, "little") + (1).to_bytes(2, "little") + (1).to_bytes(2, "little")
    pcm += RATE.to_bytes(4, "little") + (2 * RATE).to_bytes(4, "little")
    pcm += (2).to_bytes(2, "little") + (16).to_bytes(2, "little")
    return b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + pcm + b"data" + size.to_bytes(4, "little")


def names(clips: int) -> Iterator[str]:
    """Podcasts of some sixty turns; in every fourth of them the turns were cut once more."""
    for number in range(clips):
        podcast, turn = divmod(number, 60)
        yield f"MSP-PODCAST_{podcast:04d}_{turn:04d}" + (f"_{turn % 7:04d}" if podcast % 4 == 0 else "") + ".wav"


def make(root: Path, clips: int) -> None:
    """Write recordings, labels and five raters a clip; a podcast has a few speakers and is in one part."""
    (root / "Labels").mkdir(parents=True)
    (root / "Audios").mkdir()
    dice, noise = random.Random(0), np.random.default_rng(0)
    samples = int(RATE * SECONDS)
    head = wav_header(2 * samples)
    # One of each first, so that a small tree has them all.
    parts = [*PARTS, *random.Random(1).choices(list(PARTS), list(PARTS.values()), k=clips // 60)]
    labels = root / "Labels"
    with (labels / "labels_consensus.csv").open("w") as table, (labels / "labels_detailed.csv").open("w") as raters:
        table.write("FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n")
        raters.write("FileName,EmoDetail\n")
        for number, name in enumerate(names(clips)):
            if number % 1000 == 0:
                block = noise.integers(-300, 300, (1000, samples), dtype="<i2")
            (root / "Audios" / name).write_bytes(head + block[number % 1000].tobytes())
            podcast = number // 60
            if parts[podcast] == "Test3":  # its labels are not released
                continue
            label = dice.choices(list(LABELS), list(LABELS.values()))[0]
            opinions = [[dice.randint(1, 7) for _ in "AVD"] for _ in range(5)]
            for rater, (a, v, d) in enumerate(opinions):
                said = f"WORKER{(number + rater) % 9999:08d}; {WORDS.get(label, 'Neutral')}; Concerned,Annoyed"
                raters.write(f'{name},"{said}; A:{a}.000000; V:{v}.000000; D:{d}.000000;"\n')
            means = ",".join(f"{sum(column) / 5:.6f}" for column in zip(*opinions, strict=True))
            speaker = 1 + (3 * podcast + dice.randrange(3)) % SPEAKERS
            known = dice.random() > UNKNOWN
            who = f"{speaker},{'Female' if speaker % 5 < 2 else 'Male'}" if known else "Unknown,Unknown"
            table.write(f"{name},{label},{means},{who},{parts[podcast]}\n")


def digest(root: Path, out: Path) -> None:
    from candor.corpora.listing import listing_digest

    listing_digest(root)


def read(root: Path, out: Path) -> None:
    from candor.corpora.readers import msp_podcast

    msp_podcast.read(root, "default", None, {"dataset": "msp_podcast"})


def manifest(root: Path, out: Path) -> None:
    from candor.corpora.manifest import build
    from candor.store.objects import Store
    from candor.tables.corpora import Counts, Rejected, Utterances

    with Store(out / "store").ledger("inspection") as ledger:
        built = build(root, dataset="msp_podcast", corpus="msp_podcast", workers=WORKERS, ledger=ledger)
    Utterances.write(built.utterances, out / "utterances.tsv")
    Rejected.write(built.rejected, out / "rejected.tsv")
    Counts.write(built.counts, out / "counts.tsv")


def overview(root: Path, out: Path) -> None:
    from candor.corpora.figures import overview_figure
    from candor.figures import save_figure
    from candor.tables.corpora import Counts, Rejected, Utterances

    tables = [table.read(out / f"{table.name}.tsv") for table in (Utterances, Rejected, Counts)]
    save_figure(overview_figure("msp_podcast", *tables), out / "overview.png")


def show(root: Path, out: Path) -> None:
    from candor.corpora.show import counts_text

    counts_text([out / "counts.tsv"], 100)


def splits(root: Path, out: Path, scheme: str = "official", folds: int = 1) -> None:
    from candor.splits.schemes import make_folds
    from candor.splits.tabulate import fold_rows, overview_rows, trust_ser_lists
    from candor.tables.base import write_json
    from candor.tables.corpora import Utterances
    from candor.tables.splits import FoldTable, SplitOverview

    rows = Utterances.read(out / "utterances.tsv")
    made = make_folds(rows, scheme=scheme, folds=folds, text_folds=2, seed=0, dyads=False, parity=None)
    for fold in made:
        FoldTable.write(fold_rows(fold, rows, "emotion"), out / f"fold{fold.number}.tsv")
        write_json(trust_ser_lists(fold, rows, root), out / f"fold{fold.number}.json")
    SplitOverview.write(overview_rows(made, rows), out / "overview.tsv")


STEPS: dict[str, Callable[[Path, Path], None]] = {
    "digest": digest,
    "read": read,
    "manifest": manifest,
    "manifest again": manifest,
    "overview": overview,
    "show": show,
    "splits": splits,
    "splits, 5 folds": lambda root, out: splits(root, out, "speakers", 5),
}


def run(step: str, root: Path, out: Path) -> None:
    """Run one step in this process and say how long it took."""
    start = time.perf_counter()
    STEPS[step](root, out)
    print(json.dumps(time.perf_counter() - start))


def measure(step: str, root: Path, out: Path) -> tuple[float, float]:
    """Return seconds and peak memory in MB of a step in a process of its own."""
    command = [sys.executable, __file__, "--step", step, "--keep", str(root), "--work", str(out)]
    log = Path(f"{out}.log")
    with log.open("w") as handle:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=handle, text=True)
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(log.read_text())
    return float(said.splitlines()[-1]), usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=150_000, help="at least 3000")
    parser.add_argument("--keep", type=Path, help="where to make the trees, or to find those made there before")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        run(options.step, options.keep, options.work)
        return
    rows = []
    per_clip: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for clips in (options.clips // 10, options.clips):
            root = (options.keep or Path(scratch)) / f"msp_podcast_{clips}"
            if not root.exists():
                make(root, clips)
            for step in STEPS:
                out = Path(scratch) / f"out_{clips}"
                seconds, peak = measure(step, root, out)
                first = per_clip.setdefault(step, seconds / clips)
                rows.append(
                    {
                        "clips": clips,
                        "step": step,
                        "seconds": f"{seconds:.2f}",
                        "peak_MB": f"{peak:.0f}",
                        "clips_per_second": f"{clips / seconds:.0f}",
                        "growth": f"{seconds / clips / first:.2f}",
                    }
                )
    emit(rows, options.out)


if __name__ == "__main__":
    main()
