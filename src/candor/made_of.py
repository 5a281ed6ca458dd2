"""What a result was made of, as a JSON beside it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

VERSIONS = (
    "audiomentations",
    "numpy",
    "opensmile",
    "pandas",
    "peft",
    "pyroomacoustics",
    "s3prl",
    "scikit-learn",
    "scipy",
    "soundfile",
    "soxr",
    "torch",
    "torchaudio",
    "transformers",
)
"""Libraries whose version may change a figure."""


def made_of(inputs: Mapping[str, str] | None = None, **facts: Any) -> dict[str, Any]:
    """Return what a result was made of.

    Parameters
    ----------
    inputs
        The files that were read, by role; the hashes of their bytes are noted.
    facts
        Options, names, seeds: whatever else the result depends on.
    """
    return {
        **facts,
        "inputs": {role: file_hash(file) for role, file in (inputs or {}).items()},
        "versions": {name: importlib.metadata.version(name) for name in VERSIONS},
    }


def by_role(inputs: Any) -> dict[str, list[str]]:
    """Return the files of a rule's input by role; a role with a single file has a list of one."""
    return {role: [files] if isinstance(files, str) else list(files) for role, files in dict(inputs).items()}


def named(inputs: Any) -> dict[str, str]:
    """Return the files of a rule's input by a name of their own: the role, and the end of the path."""
    return {f"{role} {'/'.join(Path(file).parts[-2:])}": file for role, own in by_role(inputs).items() for file in own}


def hashes_of(inputs: Any) -> dict[str, list[str]]:
    """Return the hashes of a rule's input by role."""
    return {role: list(map(file_hash, own)) for role, own in by_role(inputs).items()}


def file_hash(file: str) -> str:
    """Return the hash of a file's bytes."""
    return blake2b(Path(file).read_bytes(), digest_size=32).hexdigest()
