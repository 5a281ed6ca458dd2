"""How jobs run: progress in hours of audio, and a GPU for each."""

import subprocess
import sys
import tempfile

import pytest
import torch

from candor import runtime
from candor.runtime import AudioProgress, InUseError, sole_user, use_device, use_threads


def test_work_on_audio_tells_hours_and_speed(caplog):
    caplog.set_level("INFO")
    with AudioProgress(7200, "features apc") as progress:
        for _ in range(20):
            progress.advance(360.4)
    lines = [record.message for record in caplog.records]
    assert len(lines) == 10
    assert lines[0].startswith("features apc: 0.20 of 2.00 h of audio, ")
    assert lines[-1].endswith(" h per hour")


def test_nothing_to_do_is_no_progress(caplog):
    caplog.set_level("INFO")
    with AudioProgress(0, "features apc"):
        pass
    assert not caplog.records


def test_jobs_on_one_machine_take_different_gpus(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    taken = (
        "import sys, tempfile; tempfile.tempdir = sys.argv[1]; from candor.runtime import _free_gpu; "
        "print(_free_gpu(['a', 'b']), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", taken, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "0\n"
        assert runtime._free_gpu(["a", "b"]) == 1
        other.stdin.close()
    assert runtime._free_gpu(["a", "b"]) == 0, "what a job held is free when it has ended"
    assert runtime._free_gpu(["one"]) == 0


def test_the_cpu_is_used_where_it_is_asked_for():
    assert use_device("cpu") == "cpu"


def test_a_single_core_does_not_change_in_how_many_parts_sums_are_computed():
    before = torch.get_num_threads()
    try:
        for granted, used in ((1, 2), (2, 2), (8, 8)):
            use_threads(granted, least=2)
            assert torch.get_num_threads() == used
    finally:
        torch.set_num_threads(before)


AT_WORK = """
import pathlib, sys, time
from candor.runtime import sole_user
with sole_user(pathlib.Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(60)
"""


def test_two_processes_do_not_work_on_the_same_unfinished_result(tmp_path):
    folder = tmp_path / "fold1"
    with subprocess.Popen([sys.executable, "-c", AT_WORK, folder], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "in\n"
        with pytest.raises(InUseError, match=r"another process is still at work in .*fold1"), sole_user(folder):
            pass
        other.kill()
        other.wait()
    with sole_user(folder):
        assert folder.is_dir()
