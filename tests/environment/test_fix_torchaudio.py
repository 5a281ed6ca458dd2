"""torchaudio's library files are put aside where they break the import, and only there; both packages are fakes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "envs" / "fix_torchaudio.py"

TORCH = """
class version:
    cuda = {cuda!r}
class Tensor:
    def __init__(self, *shape):
        self.shape = shape
randn = Tensor
"""
# As the real one: importing it loads a library file if one is there, which fails beside the wrong torch.
TORCHAUDIO = """
import pathlib, torch
from types import SimpleNamespace
if {broken} and list(pathlib.Path(__file__).parent.glob("lib/*.so")):
    raise OSError("Could not load this library: libtorchaudio.so")
def fbank(waveform, num_mel_bins):
    return torch.Tensor(98, num_mel_bins)
compliance = SimpleNamespace(kaldi=SimpleNamespace(fbank=fbank))
transforms = SimpleNamespace(Resample=lambda old, new: lambda waveform: torch.Tensor(1, {resampled}))
"""
LIBRARIES = ["_torchaudio.abi3.so", "libtorchaudio.abi3.so"]


class Environment:
    """A folder of packages with a fake torch and torchaudio, and the script run on it."""

    def __init__(self, folder: Path, *, cuda: str | None, broken: bool, resampled: int = 8000) -> None:
        self.folder = folder
        self.libraries = folder / "torchaudio" / "lib"
        self.libraries.mkdir(parents=True)
        (folder / "torch.py").write_text(TORCH.format(cuda=cuda))
        (folder / "torchaudio" / "__init__.py").write_text(TORCHAUDIO.format(broken=broken, resampled=resampled))
        for name in LIBRARIES:
            (self.libraries / name).write_text("")

    def fix(self) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PYTHONPATH": str(self.folder)}
        return subprocess.run([sys.executable, SCRIPT], env=variables, capture_output=True, text=True, check=False)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.libraries.iterdir())


def test_puts_the_libraries_aside_beside_a_cpu_build(tmp_path: Path) -> None:
    environment = Environment(tmp_path, cuda=None, broken=True)
    run = environment.fix()
    assert run.returncode == 0, run.stderr
    assert environment.files() == [f"{name}.aside" for name in LIBRARIES]


def test_changes_nothing_when_run_again(tmp_path: Path) -> None:
    environment = Environment(tmp_path, cuda=None, broken=True)
    environment.fix()
    after_once = environment.files()
    run = environment.fix()
    assert run.returncode == 0
    assert run.stdout == ""
    assert environment.files() == after_once


@pytest.mark.parametrize("cuda", [None, "13.0"])
def test_leaves_a_torchaudio_that_works_alone(tmp_path: Path, cuda: str | None) -> None:
    environment = Environment(tmp_path, cuda=cuda, broken=False)
    assert environment.fix().returncode == 0
    assert environment.files() == LIBRARIES


def test_does_not_hide_what_is_wrong_beside_a_cuda_build(tmp_path: Path) -> None:
    environment = Environment(tmp_path, cuda="13.0", broken=True)
    run = environment.fix()
    assert run.returncode != 0
    (line,) = run.stderr.splitlines()
    assert "torchaudio does not work" in line
    assert "Could not load this library" in line
    assert environment.files() == LIBRARIES


def test_a_torchaudio_that_imports_and_computes_nonsense_does_not_pass(tmp_path: Path) -> None:
    run = Environment(tmp_path, cuda=None, broken=False, resampled=7).fix()
    assert run.returncode != 0
    assert "resampled to shape (1, 7)" in run.stderr
