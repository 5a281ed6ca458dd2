"""The lock, the conda environment, the image and the Makefile say the same thing."""

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ENVS = ROOT / "envs"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = [line for line in (ENVS / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in lines)
    return dict(line.split("==") for line in lines)


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lock", ENVS / "lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def requirements() -> list[str]:
    project = PYPROJECT["project"]
    return project["dependencies"] + project["optional-dependencies"]["test"] + PYPROJECT["build-system"]["requires"]


@pytest.mark.parametrize("requirement", requirements())
def test_the_lock_pins_what_pyproject_asks_for(requirement: str, pins: dict[str, str]) -> None:
    name, exact = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[.*\])?(?:==(\S+)|[<>~!].*)?", requirement).groups()
    assert normalised(name) in pins, "run `make lock`"
    assert exact is None or pins[normalised(name)] == exact


def test_the_lock_leaves_the_choice_of_cuda_to_torch(pins: dict[str, str]) -> None:
    assert "torch" in pins
    own = [name for name in pins if name.startswith(("nvidia", "cuda")) or name == "triton"]
    assert own == ["nvidia-ml-py"], "pure Python that reads a GPU's counters, on machines without one too"


def test_the_lock_drops_local_versions_cuda_and_candor_itself(lock: ModuleType) -> None:
    resolved = {"torch": "2.13.0+cpu", "nvidia-cublas": "13.1", "triton": "3.7", "cuda-toolkit": "13.0", "candor": "1"}
    resolved["nvidia-ml-py"] = "13.615"
    report = {"install": [{"metadata": {"name": name, "version": version}} for name, version in resolved.items()]}
    assert lock.pins(report) == ["nvidia-ml-py==13.615", "torch==2.13.0"]


def test_the_conda_environment_is_what_make_lock_writes(lock: ModuleType, pins: dict[str, str]) -> None:
    assert (ENVS / "candor.yml").read_text() == lock.conda_text([f"{name}=={pins[name]}" for name in pins])


def test_the_image_has_ffmpeg() -> None:
    assert re.search(r"^RUN .*apt-get install .*\bffmpeg\b", (ENVS / "Dockerfile").read_text(), re.M)


def test_the_conda_environment_has_the_pins_of_the_lock(pins: dict[str, str]) -> None:
    environment = yaml.safe_load((ENVS / "candor.yml").read_text())
    python, ffmpeg, pip, pip_section = environment["dependencies"]
    assert re.fullmatch(r"python=3\.\d+", python)
    assert re.fullmatch(r"ffmpeg=\d+\.\d+", ffmpeg)
    assert pip == "pip"
    assert dict(line.split("==") for line in pip_section["pip"]) == pins


def test_the_image_has_the_python_of_the_conda_environment_and_installs_the_lock() -> None:
    dockerfile = (ENVS / "Dockerfile").read_text()
    conda_python = yaml.safe_load((ENVS / "candor.yml").read_text())["dependencies"][0].removeprefix("python=")
    assert re.search(r"^FROM python:(\S+)-slim$", dockerfile, re.M).group(1) == conda_python
    assert "--requirement envs/requirements.lock && python envs/fix_torchaudio.py" in dockerfile
    for source in re.search(r"^COPY (envs/.*) envs/$", dockerfile, re.M).group(1).split():
        assert (ROOT / source).is_file()


def test_the_python_of_the_images_is_one_that_candor_supports() -> None:
    conda_python = yaml.safe_load((ENVS / "candor.yml").read_text())["dependencies"][0].removeprefix("python=")
    assert PYPROJECT["project"]["requires-python"] == f">={conda_python}"


def test_make_help_lists_every_target() -> None:
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1).split()
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"demo", "test", "help", "clean"} <= set(declared)
    assert set(re.findall(r"^make (\w+)  ", shown, re.M)) == set(declared)


def test_continuous_integration_runs_make_test() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    assert "\nexport CI=true\nmake test\n" in script


def test_the_slurm_profile_changes_only_what_a_cluster_changes() -> None:
    slurm = yaml.safe_load((ROOT / "profiles" / "slurm" / "profile.yaml").read_text())
    default = yaml.safe_load((ROOT / "profiles" / "default" / "profile.yaml").read_text())
    assert slurm["executor"] == "slurm"
    assert set(slurm) & set(default) <= {"resources", "cores", "jobs"}
