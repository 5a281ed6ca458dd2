"""How long Snakemake takes to plan: seconds and memory of dry-runs against the number of jobs.

    python benchmarks/dag.py [--datasets 1 4 16] [--backbones 1 8] [--out benchmarks/dag.tsv]

For each grid of datasets × backbones a config is written whose datasets are all views of one small corpus, and
`snakemake --dry-run results/performance` is timed with nothing built yet. `parse` is the same with a target that
needs a single job: what the Snakefile itself costs. `ms_per_job` is what a job more costs.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import yaml

from table import emit

ROOT = Path(__file__).resolve().parents[1]


def make_corpus(folder: Path) -> Path:
    folder.mkdir()
    with (folder / "labels.csv").open("w") as handle:
        handle.write("path,speaker,gender,label\n")
        for number in range(10):
            soundfile.write(folder / f"{number}.wav", np.zeros(1600), 16000)
            handle.write(f"{number}.wav,s{number},female,anger\n")
    return folder


def config(corpus: Path, project: Path, datasets: int, backbones: int) -> dict:
    names = [f"d{number:03}" for number in range(datasets)]
    return {
        "project_dir": str(project),
        "data_dir": {"demo": None, **dict.fromkeys(names, str(corpus))},
        "datasets": {name: {"corpus": "table", "table": {"file": "labels.csv"}} for name in names},
        "backbones": {f"b{number:03}": {"family": "fbank"} for number in range(backbones)} | {"fbank": False},
    }


def dry_run(settings: dict, target: str, scratch: Path) -> tuple[float, float, int]:
    """Return seconds, peak memory in MB and the number of jobs of a dry-run."""
    file = scratch / "config.yml"
    file.write_text(yaml.safe_dump(settings))
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        "1",
        "--dry-run",
        "--quiet",
        "rules",
        "host",
        "--configfile",
    ]
    start = time.perf_counter()
    log = scratch / "log"
    with log.open("w") as handle:
        process = subprocess.Popen([*command, str(file), "--", target], cwd=ROOT, stdout=handle, stderr=handle)
        _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - start
    found = re.search(r"^total +(\d+)", log.read_text(), re.M)
    if status or not found:
        sys.exit(log.read_text())
    return elapsed, usage.ru_maxrss / 1024, int(found.group(1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--backbones", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        corpus = make_corpus(scratch / "corpus")
        for datasets, backbones in itertools.product(sorted(options.datasets), sorted(options.backbones)):
            settings = config(corpus, scratch / "out", datasets, backbones)
            parse, _, _ = dry_run(settings, "results/corpora/d000", scratch)
            elapsed, peak, jobs = dry_run(settings, "results/performance", scratch)
            rows.append(
                {
                    "datasets": datasets,
                    "backbones": backbones,
                    "jobs": jobs,
                    "seconds": f"{elapsed:.1f}",
                    "parse": f"{parse:.1f}",
                    "ms_per_job": f"{1000 * (elapsed - parse) / max(jobs, 1):.1f}",
                    "peak_MB": f"{peak:.0f}",
                }
            )
    emit(rows, options.out)


if __name__ == "__main__":
    main()
