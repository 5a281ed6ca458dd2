"""Note beside the results what a run was asked for and with what it ran."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from candor.corpora.decoding import ffmpeg_version
from candor.tables.base import atomic, write_json

LIBRARIES = ("numpy", "pandas", "scipy", "snakemake", "soundfile", "soxr", "torch", "torchaudio")


def record(project: Path, config: Mapping[str, Any], checkout: Path) -> None:
    """Write `config.yml`, the merged config, and `provenance.json` into the project folder.

    The latest run's lie at its top; those of every run are kept in `runs/<time>/`.

    Parameters
    ----------
    project
        The project folder.
    config
        The merged config as Snakemake has it.
    checkout
        Where the workflow's own files are.
    """
    facts = {
        "candor": importlib.metadata.version("candor") if _installed("candor") else "not installed",
        "commit": _git(checkout, "rev-parse", "HEAD"),
        "changed_since": changes.splitlines()
        if (changes := _git(checkout, "status", "--porcelain")) is not None
        else None,
        "command": sys.argv,
        "python": platform.python_version(),
        "machine": platform.platform(),
        "ffmpeg": ffmpeg_version() or "not installed",
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES if _installed(name)},
    }
    run = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
    for folder in (project, project / "runs" / run):
        with atomic(folder / "config.yml") as handle:
            handle.write("# The merged config of a run; give it to --configfile to repeat it.\n")
            yaml.safe_dump(_plain(config), handle, sort_keys=False, allow_unicode=True)
        write_json(facts, folder / "provenance.json")


def _plain(value: Any) -> Any:
    """Turn Snakemake's config into what YAML can write."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _git(checkout: Path, *arguments: str) -> str | None:
    """Return what git says, or None where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
