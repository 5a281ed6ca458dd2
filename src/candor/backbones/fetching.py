"""Where the files of a backbone come from.

A folder of the user's is looked into first, then the network is asked; a model of the hub that cannot be reached may
still lie in the hub's own cache.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from candor.backbones.download import Patience, Unreachable, download
from candor.backbones.gathering import Found, below, gathering_place, must_be_folder, settle, take
from candor.backbones.hub import Hub, fetch_model, model_folder
from candor.backbones.weights import CHECKPOINT, WeightsError, file_names

logger = logging.getLogger(__name__)

NOTES = (".json", ".tsv", ".txt", ".md")
"""Endings of files that may lie beside a checkpoint."""


def fetch(name: str, entry: Mapping[str, Any], folder: Path, offline: Path | None = None) -> list[dict[str, Any]]:
    """Bring the files of a backbone from where its entry says; return their rows for the table `Weights`.

    Parameters
    ----------
    name
        The backbone's name in the config.
    entry
        Either `checkpoint` and `sha256`, or `model` and `revision`, as in the config.
    folder
        What becomes a folder with these files and no others.
    offline
        The user's folder with weights, if there is one.
    """
    if "model" in entry:
        return fetch_model(name, entry["model"], entry["revision"], folder, offline)
    return fetch_checkpoint(name, entry["checkpoint"], entry["sha256"], folder, offline)


def place_here(name: str, entry: Mapping[str, Any], offline: Path | None = None) -> Path | None:
    """Return the file or folder on this machine that a backbone's files are taken from, if there is one.

    Parameters
    ----------
    name, entry, offline
        As `fetch` takes them.
    """
    try:
        if "model" in entry:
            return model_folder(name, entry["model"], offline)
        source = entry["checkpoint"]
        return _checkpoint_of(name, _file_name(source), offline) if _is_address(source) else _own_file(name, source)
    except WeightsError:  # to be told by the job that needs them
        return None


def fetch_checkpoint(
    name: str,
    source: str,
    sha256: str | None,
    folder: Path,
    offline: Path | None = None,
    hub: Hub | None = None,
    patience: Patience | None = None,
) -> list[dict[str, Any]]:
    """Bring the one file of a backbone; return its row for the table `Weights`.

    Parameters
    ----------
    name
        The backbone's name in the config.
    source
        An address that starts with https://, or a file.
    sha256
        What the SHA-256 of the file must be; None if anything will do.
    folder
        What becomes a folder with this file and no other.
    offline
        The user's folder with weights, looked into before any address is asked.
    hub
        Whose token and mirror are used; None for the user's.
    patience
        How often to try, and how long to wait.
    """
    hub, patience = hub or Hub.of_user(), patience or Patience()
    gathered = gathering_place(folder)
    here = _checkpoint_of(name, _file_name(source), offline) if _is_address(source) else _own_file(name, source)
    if here is not None:
        found = Found(CHECKPOINT, here, str(here.absolute()))
    else:
        found = _ask_for_checkpoint(name, hub.mirrored(source), gathered / CHECKPOINT, offline, hub, patience)
    rows = [take(name, found, gathered, sha256 or "")]
    settle(gathered, folder, rows)
    return rows


def _is_address(source: str) -> bool:
    return re.match("https?://", source) is not None


def _own_file(name: str, source: str) -> Path:
    file = Path(source).expanduser()
    if not file.is_file():
        raise WeightsError(f"backbones.{name}.checkpoint: there is no file {source!r}")
    return file


def _file_name(address: str) -> str:
    return unquote(urlsplit(address).path).rpartition("/")[2]


def _checkpoint_of(name: str, file: str, offline: Path | None) -> Path | None:
    """Return the checkpoint that the user's folder holds for a backbone, if there is one."""
    if offline is None:
        return None
    must_be_folder(offline)
    own = offline / name
    if own.is_dir():
        candidates = [member for member in file_names(own) if not member.endswith(NOTES)]
        if file in candidates:
            return own / file
        if len(candidates) == 1:
            return own / candidates[0]
        found = ", ".join(candidates) or "nothing"
        raise WeightsError(f"weights_dir: {own} must hold one checkpoint, best called {file}; it holds {found}")
    return offline / file if (offline / file).is_file() else None


def _ask_for_checkpoint(
    name: str, address: str, target: Path, offline: Path | None, hub: Hub, patience: Patience
) -> Found:
    """Download a checkpoint, or say where to put it."""
    logger.info("%s: fetching %s", name, address)
    try:
        if hub.closed:
            raise Unreachable(hub.closed)
        arrival = download(address, target, patience, hub.token_for(address))
    except Unreachable as why:
        raise WeightsError(
            f"backbones: {name}: {address} cannot be fetched: {why}. Where there is no network, put "
            f"{_file_name(address)} into {below(offline, name)}; it is looked for there first"
        ) from None
    return Found(CHECKPOINT, target, address, arrival.revision, arrival.sha256)
