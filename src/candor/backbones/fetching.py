"""Where the files of a backbone come from.

A folder of the user's is looked into first, then the network is asked; a model of the hub that cannot be reached may
still lie in the hub's own cache. The files are gathered in a folder beside their place, checked there, and moved into
place together.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from candor.backbones.download import Patience, Unreachable, download, read_json
from candor.backbones.weights import CHECKPOINT, WeightsError, file_names, row_of, sha256_of

logger = logging.getLogger(__name__)

CONFIG = "config.json"
PREPARATIONS = ("preprocessor_config.json", "processor_config.json")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Names of a model's weights, the preferred one first; an index lists the parts of a large model."""

NOTES = (".json", ".tsv", ".txt", ".md")
"""Endings of files that may lie beside a checkpoint."""

PATIENCE = Patience()


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


@dataclass(frozen=True)
class Found:
    """A file on this machine that is to become one of a backbone's.

    Parameters
    ----------
    file
        What it is called there.
    place
        Where it is now.
    source
        Where it came from first.
    revision
        The version that its source gave it, if any.
    sha256
        The hash that its source says it has, if any.
    """

    file: str
    place: Path
    source: str
    revision: str = ""
    sha256: str = ""


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


def fetch_checkpoint(
    name: str,
    source: str,
    sha256: str | None,
    folder: Path,
    offline: Path | None = None,
    hub: Hub | None = None,
    patience: Patience = PATIENCE,
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
    hub = hub or Hub.of_user()
    gathered = _gathering_place(folder)
    if not re.match("https?://", source):
        here: Path | None = _own_file(name, source)
    else:
        here = _checkpoint_of(name, _file_name(source), offline)
    if here is not None:
        found = Found(CHECKPOINT, here, str(here.absolute()))
    else:
        found = _ask_for_checkpoint(name, hub.mirrored(source), gathered / CHECKPOINT, offline, hub, patience)
    rows = [_take(name, found, gathered, sha256 or "")]
    _settle(gathered, folder, rows)
    return rows


def fetch_model(
    name: str,
    model: str,
    revision: str,
    folder: Path,
    offline: Path | None = None,
    hub: Hub | None = None,
    patience: Patience = PATIENCE,
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
    offline, hub, patience
        As `fetch_checkpoint` takes them.
    """
    hub = hub or Hub.of_user()
    gathered = _gathering_place(folder)
    here = _model_folder(name, model, offline)
    if here is not None:
        files = [Found(file, here / file, str(here.absolute() / file)) for file in _needed_of_folder(name, here)]
        rows = [_take(name, found, gathered) for found in files]
    else:
        rows = _ask_for_model(name, model, revision, gathered, offline, hub, patience)
    _settle(gathered, folder, rows)
    return rows


# Gathering files


def _gathering_place(folder: Path) -> Path:
    """Return where files are gathered: beside their place, so that what has come so far outlives a failure."""
    gathered = folder.with_name(f"{folder.name}.part")
    gathered.mkdir(parents=True, exist_ok=True)
    return gathered


def _settle(gathered: Path, folder: Path, rows: list[dict[str, Any]]) -> None:
    """Let the gathered files, and nothing else, take the place of `folder`."""
    kept = {row["file"] for row in rows}
    for left_over in [path for path in gathered.iterdir() if path.name not in kept]:
        left_over.unlink()
    former = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(former, ignore_errors=True)
    if folder.exists():
        folder.rename(former)
    gathered.rename(folder)
    shutil.rmtree(former, ignore_errors=True)


def _take(name: str, found: Found, gathered: Path, sha256: str = "") -> dict[str, Any]:
    """Put a file among the gathered ones and return its row; refuse one that is not what it should be."""
    target = gathered / found.file
    if found.place != target:
        target.unlink(missing_ok=True)
        _copy(found.place, target)
    try:
        _refuse_impostor(name, target, found.source)
        row = row_of(target, found.source, found.revision)
        for wanted in filter(None, (sha256, found.sha256)):
            if row["sha256"] != wanted:
                raise WeightsError(
                    f"backbones: {name}: {found.source} has the SHA-256 {row['sha256']}, but it must be {wanted}; "
                    "it is damaged or another version, and was not kept"
                )
    except WeightsError:
        target.unlink()
        raise
    return row


def _copy(source: Path, target: Path) -> None:
    """Let `target` hold what `source` holds, without a second copy where the file system can do that."""
    source = source.resolve()
    if _clone(source, target):
        return
    try:
        os.link(source, target)
    except OSError:  # another file system, or a file of another user
        temporary = target.with_name(target.name + ".part")
        shutil.copyfile(source, temporary)
        os.replace(temporary, target)


def _clone(source: Path, target: Path) -> bool:
    """Make a copy that shares its blocks, which XFS and Btrfs can do; tell whether it was made."""
    if not sys.platform.startswith("linux"):
        return False
    import fcntl

    ficlone = 0x40049409
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), ficlone, old.fileno())
            return True
        except OSError:
            target.unlink()
            return False


def _refuse_impostor(name: str, file: Path, source: str) -> None:
    """Refuse what takes the place of a file where the file itself is not to be had."""
    with file.open("rb") as handle:
        head = handle.read(256).lstrip().lower()
    if not head:
        raise WeightsError(f"backbones: {name}: {source} is empty")
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise WeightsError(f"backbones: {name}: {source} is a web page and not a file of a backbone")
    if head.startswith(b"version https://git-lfs"):
        advice = "" if re.match("https?://", source) else "; run `git lfs pull` where it is"
        raise WeightsError(f"backbones: {name}: {source} is a pointer of git-lfs and not the file itself{advice}")


# One file


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
    _must_be_folder(offline)
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
            f"{_file_name(address)} into {_below(offline, name)}; it is looked for there first"
        ) from None
    return Found(CHECKPOINT, target, address, arrival.revision, arrival.sha256)


def _below(offline: Path | None, name: str) -> str:
    return str(offline / name) if offline is not None else f"{name}/ in a folder that the key weights_dir names"


def _must_be_folder(offline: Path) -> None:
    if not offline.is_dir():
        raise WeightsError(f"weights_dir: there is no folder {str(offline)!r}")


# A model of several files


def _model_folder(name: str, model: str, offline: Path | None) -> Path | None:
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
    _must_be_folder(offline)
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
            return [_take(name, found, gathered) for found in cached]
        at_name = f" or {offline / model}" if offline is not None else ""
        raise WeightsError(
            f"backbones: {name}: {hub.address}/{model} (revision {revision}) cannot be fetched: {why}. Where there is "
            "no network, put config.json, preprocessor_config.json and model.safetensors (or pytorch_model.bin) into "
            f"{_below(offline, name)}{at_name}; they are looked for there first"
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
        rows.append(_take(name, Found(file, here, address, commit, hashes[file]), gathered))
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
