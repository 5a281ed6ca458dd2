"""What the run itself has noted of its jobs: Snakemake's benchmark files, and what jobs say they really ran."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from candor.cost.rates import per_hour
from candor.tables.features import ExtractionTiming
from candor.tables.models import TrainingTiming

Row = dict[str, Any]

SECONDS, MEMORY, PROCESSOR = "s", "max_rss", "cpu_time"
"""Columns of a benchmark file: seconds by the clock, megabytes, seconds on the processors."""


def benchmark(file: str | Path) -> dict[str, float] | None:
    """Return what a benchmark file says, the last line of several; None unless it is there and whole.

    Snakemake writes it when a job has ended and rewrites it whenever it runs again. Nobody is to lose a training
    because such a file was tidied away, so they are looked for, and asked of no rule.
    """
    try:
        rows = pd.read_csv(file, sep="\t", na_values=["NA", "-"])
        last = rows.iloc[-1]
        return {name: float(last[name]) for name in (SECONDS, MEMORY, PROCESSOR)}
    except (OSError, ValueError, KeyError, IndexError, pd.errors.ParserError):
        return None


def _highest(found: Iterable[dict[str, float] | None]) -> float | None:
    there = [own[MEMORY] for own in found if own is not None and not math.isnan(own[MEMORY])]
    return max(there, default=None)


def extraction_row(timing: str | Path, bench: str | Path) -> tuple[Row, list[str]]:
    """Return what `SystemTiming` says of the extraction, and why something is blank."""
    ran = ExtractionTiming.read(timing).iloc[0]
    audio = float(ran["audio_run"])
    row: Row = {"extraction_audio": audio, "extraction_seconds": None, "extraction_memory": None}
    if not audio:
        return row, ["extraction: all features were in the store, nothing was run"]
    row["extraction_seconds"] = per_hour(float(ran["seconds"]), audio)
    row["extraction_memory"] = _highest([benchmark(bench)])
    notes = ["extraction: its benchmark file is missing"] if row["extraction_memory"] is None else []
    if ran["clips_run"] < ran["clips"]:
        notes.append(f"extraction: {ran['clips_run']} of {ran['clips']} clips were run, the others were in the store")
    return row, notes


def training_row(timings: Sequence[str | Path], benches: Sequence[str | Path]) -> tuple[Row, list[str]]:
    """Return what `SystemTiming` says of the trainings of all folds, and why something is blank."""
    rows = pd.concat([TrainingTiming.read(file) for file in timings])
    found = [benchmark(file) for file in benches]
    row = {
        "training_seconds": float(rows["seconds"].sum()),
        "training_memory": _highest(found),
        "trainings": len(rows),
        "epochs": int(rows["epochs_run"].sum()),
    }
    notes = []
    resumed = int((rows["epochs_run"] < rows["epochs"]).sum())
    if resumed:
        notes.append(
            f"training: {resumed} of {len(rows)} took up what a killed job had left; seconds are of the "
            f"{row['epochs']} of {int(rows['epochs'].sum())} epochs that came after"
        )
    if None in found:
        notes.append(f"training: benchmark files of {found.count(None)} of {len(found)} folds are missing")
    return row, notes


def pretraining_row(bench: str | Path | None) -> tuple[Row, list[str]]:
    """Return what `SystemTiming` says of the pretraining of a backbone, and why something is blank.

    Parameters
    ----------
    bench
        Its benchmark file; None for a backbone that was not pretrained here.
    """
    found = benchmark(bench) if bench else None
    row = {
        "pretraining_seconds": found[SECONDS] if found else None,
        "pretraining_memory": _highest([found]),
    }
    return row, ["pretraining: its benchmark file is missing"] if bench and not found else []


def job_rows(folder: str | Path, dataset: str) -> list[Row]:
    """Return the rows of `JobTiming`: what all jobs of a dataset took that have left a benchmark file.

    Parameters
    ----------
    folder
        Where benchmark files are: `<rule>/<dataset>.tsv` or `<rule>/<dataset>/…`.
    dataset
        The dataset.
    """
    rows = []
    for rule in sorted(path for path in Path(folder).glob("*") if path.is_dir()):
        files = [*rule.glob(f"{dataset}.tsv"), *sorted((rule / dataset).rglob("*.tsv"))]
        found = [own for own in map(benchmark, files) if own is not None]
        if found:
            rows.append(
                {
                    "rule": rule.name,
                    "jobs": len(found),
                    "seconds": sum(own[SECONDS] for own in found),
                    "cpu_seconds": float(pd.Series([own[PROCESSOR] for own in found]).sum(min_count=1)),
                    "memory": _highest(found),
                }
            )
    return rows
