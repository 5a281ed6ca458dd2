"""What jobs took is read from what they left; what is missing is blank and said."""

from pathlib import Path

import pytest

from candor.cost.spent import benchmark, extraction_row, job_rows, pretraining_row, training_row
from candor.tables.features import ExtractionTiming
from candor.tables.models import TrainingTiming

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def bench(file: Path, seconds: float, memory: float | str, processor: float | str = 1.0) -> Path:
    """Write a benchmark file as Snakemake does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{HEAD}{seconds}\t0:00:01\t{memory}\t1\t1\t1\t1\t1\t1\t{processor}\n")
    return file


def extraction(folder: Path, **changes) -> Path:
    row = {"clips": 10, "clips_run": 10, "audio_run": 1800.0, "seconds": 90.0, "device": "cpu", **changes}
    ExtractionTiming.write([row], folder / "extraction.timing.tsv")
    return folder / "extraction.timing.tsv"


def test_an_extraction_is_told_per_hour_of_what_it_ran(tmp_path):
    row, notes = extraction_row(extraction(tmp_path), bench(tmp_path / "b.tsv", 95, 300))
    assert row == {"extraction_seconds": 180.0, "extraction_audio": 1800.0, "extraction_memory": 300.0}
    assert notes == []


def test_an_extraction_that_found_all_in_the_store_took_no_time_and_tells_none(tmp_path):
    timing = extraction(tmp_path, clips_run=0, audio_run=0.0, seconds=0.01, device="")
    row, notes = extraction_row(timing, bench(tmp_path / "b.tsv", 3, 300))
    assert row == {"extraction_seconds": None, "extraction_audio": 0.0, "extraction_memory": None}
    assert notes == ["extraction: all features were in the store, nothing was run"]


def test_an_extraction_in_part_says_so(tmp_path):
    row, notes = extraction_row(extraction(tmp_path, clips_run=4, audio_run=360.0), tmp_path / "absent.tsv")
    assert row["extraction_seconds"] == 900.0
    assert notes == [
        "extraction: its benchmark file is missing",
        "extraction: 4 of 10 clips were run, the others were in the store",
    ]


def test_trainings_are_summed_and_resumed_ones_named(tmp_path):
    def fold(number: int, *ran: int) -> Path:
        rows = [
            {"seed": seed, "epochs": 30, "epochs_run": own, "seconds": 2.0 * own, "device": "cpu"}
            for seed, own in enumerate(ran)
        ]
        TrainingTiming.write(rows, tmp_path / f"{number}.timing.tsv")
        return tmp_path / f"{number}.timing.tsv"

    benches = [bench(tmp_path / "1.tsv", 70, 500), bench(tmp_path / "2.tsv", 70, 620)]
    row, notes = training_row([fold(1, 30, 30), fold(2, 30, 30)], benches)
    assert row == {"training_seconds": 240.0, "training_memory": 620.0, "trainings": 4, "epochs": 120}
    assert notes == []
    row, notes = training_row([fold(1, 0, 12), fold(2, 30, 30)], [benches[0], tmp_path / "absent.tsv"])
    assert (row["training_seconds"], row["training_memory"]) == (144.0, 500.0)
    assert notes == [
        "training: 2 of 4 took up what a killed job had left; seconds are of the 72 of 120 epochs that came after",
        "training: benchmark files of 1 of 2 folds are missing",
    ]


def test_pretraining_is_told_only_of_what_was_pretrained_here(tmp_path):
    assert pretraining_row(None) == ({"pretraining_seconds": None, "pretraining_memory": None}, [])
    assert pretraining_row(str(bench(tmp_path / "b.tsv", 54, 456)))[0] == {
        "pretraining_seconds": 54.0,
        "pretraining_memory": 456.0,
    }
    assert pretraining_row(str(tmp_path / "absent.tsv"))[1] == ["pretraining: its benchmark file is missing"]


def test_a_benchmark_file_that_is_odd_is_as_good_as_none(tmp_path):
    file = tmp_path / "b.tsv"
    for text in ("", HEAD, "s\tmax_rss\n1\t2\n", "nonsense"):
        file.write_text(text)
        assert benchmark(file) is None
    assert benchmark(bench(file, 0.5, "NA", "NA"))["s"] == 0.5
    assert pretraining_row(str(file))[0]["pretraining_memory"] is None, "too short a job tells no memory"
    file.write_text(f"{HEAD}1\t-\t1\t1\t1\t1\t1\t1\t1\t1\n7\t-\t9\t1\t1\t1\t1\t1\t1\t1\n")
    assert benchmark(file)["s"] == 7.0


def test_jobs_are_summed_by_rule_and_only_those_of_the_dataset(tmp_path):
    bench(tmp_path / "train/demo/apc/cnn/1.tsv", 10, 500, 9)
    bench(tmp_path / "train/demo/apc/cnn/2.tsv", 20, 400, 19)
    bench(tmp_path / "train/other/apc/cnn/1.tsv", 99, 999)
    bench(tmp_path / "manifest/demo.tsv", 0.5, "NA", "NA")
    bench(tmp_path / "pretrain/apc.tsv", 50, 456)
    assert job_rows(tmp_path, "demo") == [
        {
            "rule": "manifest",
            "jobs": 1,
            "seconds": 0.5,
            "cpu_seconds": pytest.approx(float("nan"), nan_ok=True),
            "memory": None,
        },
        {"rule": "train", "jobs": 2, "seconds": 30.0, "cpu_seconds": 28.0, "memory": 500.0},
    ]
