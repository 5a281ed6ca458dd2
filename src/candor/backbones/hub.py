"""Models of several files: from a folder, from the hub, or from what the hub's other programs have kept of it."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from candor.backbones.download import Patience, Unreachable, download, read_json
from candor.backbones.gathering import Found, below, gathering_place, must_be_folder, settle, take
from candor.backbones.weights import WeightsError, file_names, sha256_of

logger = logging.getLogger(__name__)

CONFIG = "config.json"
PREPARATIONS = ("preprocessor_config.json", "processor_config.json")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Names of a model's weights, the preferred one first; an index lists the parts of a large model."""


@dataclass(frozen=True)
class Hub:
    """Where models with a name are.

    Parameters
    ----------
    address
        The hub's own, or that of a mirror.
    cache
        Where programs of this user keep what they fetched from it.
    token
        The user's proof of who asks, if there is one.
    closed
        Why it must not be asked; empty if it may.
    """

    address: str
    cache: Path
    token: str | None
    closed: str

    @classmethod
    def of_user(cls) -> Hub:
        """Return the hub as the user's environment sets it: HF_ENDPOINT, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE."""
        from huggingface_hub import constants, get_token

        closed = "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else ""
        return cls(constants.ENDPOINT, Path(constants.HF_HUB_CACHE), get_token(), closed)

    def mirrored(self, address: str) -> str:
        """Return an address of the public hub as one of the hub that is used."""
        public = "https://huggingface.co/"
        return f"{self.address}/{address.removeprefix(public)}" if address.startswith(public) else address

    def token_for(self, address: str) -> str | None:
        """Return the token for an address of the hub, and for no other."""
        return self.token if address.startswith(f"{self.address}/") else None


def fetch_model(
    name: str,
    model: str,
    revision: str,
    folder: Path,
    offline: Path | None = None,
    hub: Hub | None = None,
    patience: Patience | None = None,
) -> list[dict[str, Any]]:
    """Bring the files of a model that transformers loads; return their rows for the table `Weights`.

    Parameters
    ----------
    name
        The backbone's name in the config.
    model
        A name on the hub, or a folder with `config.json` and weights.
    revision
        Branch, tag or commit on the hub.
    folder
        What becomes a folder with these files and no others.
    offline
        The user's folder with weights, looked into before the hub is asked.
    hub
        Which hub, and whose token; None for the user's.
    patience
        How often to try, and how long to wait.
    """
    hub, patience = hub or Hub.of_user(), patience or Patience()
    gathered = gathering_place(folder)
    here = model_folder(name, model, offline)
    if here is not None:
        files = [Found(file, here / file, str(here.absolute() / file)) for file in _needed_of_folder(name, here)]
        rows = [take(name, found, gathered) for found in files]
    else:
        rows = _ask_for_model(name, model, revision, gathered, offline, hub, patience)
    settle(gathered, folder, rows)
    return rows


def model_folder(name: str, model: str, offline: Path | None) -> Path | None:
    """Return the folder on this machine that holds a model, if there is one."""
    own = Path(model).expanduser()
    if own.is_dir():
        return own
    if model.startswith(("/", "~", ".")):
        raise WeightsError(f"backbones.{name}.model: there is no folder {model!r}")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model):
        raise WeightsError(f"backbones.{name}.model: {model!r} is neither a folder that is there nor a name on the hub")
    if offline is None:
        return None
    must_be_folder(offline)
    return next((folder for folder in (offline / name, offline / model) if folder.is_dir()), None)


def _needed_of_folder(name: str, folder: Path) -> list[str]:
    try:
        return _needed(file_names(folder))
    except _LackingError as lacking:
        raise WeightsError(f"backbones: {name}: {folder} has no {lacking}") from None


class _LackingError(LookupError):
    """Files of a model are missing; the message names them."""


def _needed(names: Collection[str]) -> list[str]:
    """Return which files of a model are needed: its settings and its weights, in one format only."""
    if CONFIG not in names:
        raise _LackingError(CONFIG)
    weights = next((file for file in WEIGHTS if file in names), None)
    if weights is None:
        raise _LackingError("model.safetensors or pytorch_model.bin")
    chosen = [CONFIG, *(file for file in PREPARATIONS if file in names), weights]
    if weights.endswith(".index.json"):
        stem, suffix = os.path.splitext(weights.removesuffix(".index.json"))
        numbered = re.compile(rf"{re.escape(stem)}-(\d+)-of-(\d+){re.escape(suffix)}")
        parts = [match for file in sorted(names) if (match := numbered.fullmatch(file))]
        if not parts or any(int(match[2]) != len(parts) for match in parts):
            raise _LackingError(f"complete set of the {parts[0][2] if parts else ''} parts that {weights} lists")
        chosen += [match[0] for match in parts]
    return chosen


def _ask_for_model(
    name: str, model: str, revision: str, gathered: Path, offline: Path | None, hub: Hub, patience: Patience
) -> list[dict[str, Any]]:
    """Download a model, or take it from the hub's cache, or say where to put it."""
    try:
        if hub.closed:
            raise Unreachable(hub.closed)
        return _download_model(name, model, revision, gathered, hub, patience)
    except Unreachable as why:
        cached = _cached(model, revision, hub)
        if cached:
            logger.warning("%s: %s/%s cannot be fetched (%s); the hub's cache has it", name, hub.address, model, why)
            return [take(name, found, gathered) for found in cached]
        at_name = f" or {offline / model}" if offline is not None else ""
        raise WeightsError(
            f"backbones: {name}: {hub.address}/{model} (revision {revision}) cannot be fetched: {why}. Where there is "
            "no network, put config.json, preprocessor_config.json and model.safetensors (or pytorch_model.bin) into "
            f"{below(offline, name)}{at_name}; they are looked for there first"
        ) from None


def _download_model(
    name: str, model: str, revision: str, gathered: Path, hub: Hub, patience: Patience
) -> list[dict[str, Any]]:
    """Download what is needed of a model at the commit that its revision stands for now."""
    logger.info("%s: fetching %s/%s", name, hub.address, model)
    listing = f"{hub.address}/api/models/{quote(model)}/revision/{quote(revision, safe='')}?blobs=true"
    told = read_json(listing, patience, hub.token)
    try:
        commit = str(told["sha"])
        hashes = {str(file["rfilename"]): str((file.get("lfs") or {}).get("sha256", "")) for file in told["siblings"]}
    except (KeyError, TypeError, AttributeError):
        raise Unreachable(f"{listing} yields no list of files") from None
    try:
        files = _needed(hashes)
    except _LackingError as lacking:
        raise WeightsError(f"backbones: {name}: {hub.address}/{model} has no {lacking}") from None
    # What the cache or an earlier, unfinished run has need not come again, where the hub tells its hash.
    cached = {found.file: found.place for found in _cached(model, commit, hub)}
    rows = []
    for file in files:
        address = f"{hub.address}/{model}/resolve/{commit}/{quote(file)}"
        places = [place for place in (gathered / file, cached.get(file)) if place is not None and place.exists()]
        here = next((place for place in places if hashes[file] and sha256_of(place) == hashes[file]), None)
        if here is None:
            here = gathered / file
            download(address, here, patience, hub.token)
        rows.append(take(name, Found(file, here, address, commit, hashes[file]), gathered))
    return rows


def _cached(model: str, revision: str, hub: Hub) -> list[Found]:
    """Return the files of a model that the hub's cache holds whole, else none."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(model, CONFIG, cache_dir=hub.cache, revision=revision)
    if not isinstance(config, str):
        return []
    snapshot = Path(config).parent  # named as its commit
    try:
        files = _needed(file_names(snapshot))
    except _LackingError:
        return []
    return [
        Found(file, snapshot / file, f"{hub.address}/{model}/resolve/{snapshot.name}/{quote(file)}", snapshot.name)
        for file in files
    ]
