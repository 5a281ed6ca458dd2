"""Resolve pyproject.toml anew and write the result to requirements.lock and candor.yml.

The lock names every package exactly, so that everyone runs the same code, with two exceptions that let one lock serve
CPU and CUDA machines. Versions carry no local tag (``torch==2.13.0``, not ``2.13.0+cpu``), so pip takes the CPU wheel
where the machine offers one and the CUDA build elsewhere. And the packages of CUDA itself are left out: a CUDA build of
torch pins its own.

candor.yml, the environment for Snakemake's ``--software-deployment-method conda``, lists the same pins.
"""

import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ENVS = Path(__file__).resolve().parent
ROOT = ENVS.parent

# Builds Candor itself; named here because it is needed beside the packages that pyproject.toml asks for.
BUILD_BACKEND = "setuptools>=77"
# nvidia-ml-py, which only asks a GPU's driver how much energy it has taken, is none of them.
CUDA = re.compile(r"(nvidia-(?!ml-py)|cuda-)|triton$")
CONDA_PYTHON = "3.11"
# Decodes video; another version may decode to other samples.
CONDA_FFMPEG = "7.1"

LOCK_HEAD = """\
# Made by `make lock` from pyproject.toml. Do not edit.
"""
CONDA_HEAD = f"""\
# Made by `make lock` from pyproject.toml, with the pins of requirements.lock. Do not edit.
# candor.post-deploy.sh finishes the environment.
name: candor
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python={CONDA_PYTHON}
  - ffmpeg={CONDA_FFMPEG}
  - pip
  - pip:
"""


def resolve() -> list[str]:
    """Return a pin for every package that an empty environment would get."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python, report = Path(folder) / "bin" / "python", Path(folder) / "report.json"
        dry_run = [python, "-m", "pip", "install", "-qq", "--dry-run", "--report", report]
        subprocess.run([*dry_run, f"{ROOT}[test]", BUILD_BACKEND], check=True)
        return pins(json.loads(report.read_text(encoding="utf-8")))


def pins(report: dict) -> list[str]:
    """Turn pip's installation report into sorted ``name==version`` lines."""
    versions = {}
    for package in report["install"]:
        name = re.sub(r"[-_.]+", "-", package["metadata"]["name"]).lower()
        versions[name] = package["metadata"]["version"].partition("+")[0]
    del versions["candor"]
    return [f"{name}=={version}" for name, version in sorted(versions.items()) if not CUDA.match(name)]


def lock_text(lines: list[str]) -> str:
    """Return the content of requirements.lock."""
    return LOCK_HEAD + "".join(f"{line}\n" for line in lines)


def conda_text(lines: list[str]) -> str:
    """Return the content of candor.yml."""
    return CONDA_HEAD + "".join(f"      - {line}\n" for line in lines)


def main() -> None:
    """Write both files, or neither."""
    try:
        lines = resolve()
    except subprocess.CalledProcessError:
        sys.exit("pip could not resolve pyproject.toml, for the reason above; the lock is unchanged")
    (ENVS / "requirements.lock").write_text(lock_text(lines), encoding="utf-8")
    (ENVS / "candor.yml").write_text(conda_text(lines), encoding="utf-8")
    print(f"{len(lines)} packages pinned in envs/requirements.lock and envs/candor.yml")


if __name__ == "__main__":
    main()
