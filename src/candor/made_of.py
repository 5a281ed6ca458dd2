"""What a result was made of, as a JSON beside it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

VERSIONS = (
    "numpy",
    "opensmile",
    "pandas",
    "peft",
    "s3prl",
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


def file_hash(file: str) -> str:
    """Return the hash of a file's bytes."""
    return blake2b(Path(file).read_bytes(), digest_size=32).hexdigest()
