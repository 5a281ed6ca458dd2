"""Checkpoints of s3prl's upstreams, read without trusting them.

s3prl unpickles some of its checkpoints whole, and evaluates strings of their configs: whoever wrote the file could run
what they like. So the file is read here, with nothing but tensors, plain containers and a short list of harmless
classes allowed; the strings are checked; and s3prl is given a copy in memory with the config and the weights alone.
"""

from __future__ import annotations

import argparse
import io
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from candor.backbones.interface import BackboneError

NEEDED = ("config", "model", "Config", "Upstream_Config", "Transformer", "Distiller")
"""The entries that s3prl makes a model from; the others are what training went on with."""

SAME_FORMAT = ("mockingjay", "tera", "audio_albert")

_LAYER = r"\(\d{1,5},\d{1,3},\d{1,3}\)"
_LAYERS = rf"\[{_LAYER}(,{_LAYER})*\](\*\d{{1,2}})?"
CONVOLUTIONS = re.compile(rf"{_LAYERS}(\+{_LAYERS})*")
"""What s3prl evaluates, without its spaces: `[(512,10,5)]+[(512,3,2)]*4`."""


class Forgotten:
    """Stands for an object of a checkpoint that is of no use here: it takes in whatever belongs to it."""


SCHEDULES = (
    "ConstantLR",
    "WarmupConstantSchedule",
    "WarmupCosineSchedule",
    "WarmupCosineWithHardRestartsSchedule",
    "WarmupCosineWithWarmupRestartsSchedule",
    "WarmupLinearSchedule",
)
"""Learning-rate schedules of s3prl; the optimisers in its checkpoints carry one."""

HARMLESS: list[Any] = [
    argparse.Namespace,
    *((Forgotten, f"{module}.{name}") for module in ("optimizers", "s3prl.optimizers") for name in SCHEDULES),
]


def find_checkpoint(folder: Path, upstream: str) -> Path:
    """Return the one checkpoint in a folder; notes beside it (.json, .tsv, hidden files) do not count."""
    files = sorted(
        file
        for file in (folder.iterdir() if folder.is_dir() else ())
        if file.is_file() and not file.name.startswith(".") and file.suffix not in (".json", ".tsv")
    )
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise BackboneError(f"{folder} must hold exactly one checkpoint for the upstream {upstream}; found: {found}")
    return files[0]


def read_checkpoint(file: Path, upstream: str) -> dict[str, Any]:
    """Return the config and the weights in a checkpoint of `upstream`, in the entries where s3prl looks for them."""
    _refuse_stand_ins(file, upstream)
    try:
        with torch.serialization.safe_globals(HARMLESS):
            states = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # what an unknown file raises is anybody's guess
        raise BackboneError(f"{file} cannot be read as a checkpoint of {upstream}: {_reason(error)}") from error
    kinds = _kinds(states)
    if upstream not in kinds:
        what = f"a checkpoint of {' or '.join(kinds)}" if kinds else "not one that s3prl writes"
        raise BackboneError(f"{file} is no checkpoint of {upstream}: it is {what}")
    needed = {name: states[name] for name in NEEDED if name in states}
    try:
        for name in needed.keys() & {"config", "Config", "Upstream_Config"}:
            _settle(needed[name], file, upstream)
    except (AttributeError, KeyError, TypeError) as error:
        raise BackboneError(f"{file} is no checkpoint of {upstream}: its config is not one of s3prl's") from error
    return needed


def as_file(states: Mapping[str, Any]) -> io.BytesIO:
    """Return the entries of a checkpoint as a file in memory, which s3prl may load as it likes."""
    file = io.BytesIO()
    torch.save(dict(states), file)
    file.seek(0)
    return file


def _refuse_stand_ins(file: Path, upstream: str) -> None:
    """Refuse what comes in place of a file when its download went wrong."""
    with file.open("rb") as stream:
        start = stream.read(512).lstrip()
    if not start:
        found = "an empty file"
    elif start.startswith(b"version https://git-lfs"):
        found = "a pointer of git-lfs; fetch the file itself with `git lfs pull`"
    elif start.startswith(b"<"):
        found = "a web page, such as a server's error message; download it again"
    else:
        return
    raise BackboneError(f"{file} is no checkpoint of {upstream} but {found}")


def _reason(error: Exception) -> str:
    """Return why a file could not be read, in words that help."""
    asked = re.search(r"GLOBAL (\S+)", str(error))
    if isinstance(error, pickle.UnpicklingError) and asked:
        return f"it asks for {asked[1]}, which has no place in a checkpoint and could do harm; do not use this file"
    return "it is damaged or incomplete, or of another kind; get it again"


def _kinds(states: object) -> tuple[str, ...]:
    """Return the upstreams whose checkpoint this is by its entries and the names of its weights."""
    if not isinstance(states, Mapping):
        return ()
    if "Transformer" in states and "Config" in states:
        return SAME_FORMAT
    if "Distiller" in states and "Config" in states:
        return ("distiller",)
    weights = states.get("model")
    if not isinstance(weights, Mapping):
        return ()
    if "config" not in states:
        return ("decoar2",) if "post_extract_proj.weight" in weights else ()
    if "rnn_layers.0.weight_ih_l0" in weights:
        return ("vq_apc",) if "vq_layers.0.vq_logits.weight" in weights else ("apc",)
    return ("npc",) if "masked_convs.0.conv_mask" in weights or "blocks.0.conv.weight" in weights else ()


def _settle(config: Any, file: Path, upstream: str) -> None:
    """Refuse strings that s3prl would evaluate unless they are what they should be; switch off what is random."""
    if "distiller" in config:
        convolutions = config["distiller"].get("extractor_conv_feature_layers", "[(512,10,5)]")
        if not CONVOLUTIONS.fullmatch("".join(convolutions.split())):
            raise BackboneError(f"{file}: the convolutions of {upstream} are {convolutions!r}, not a list of numbers")
    audio = config["data"]["audio"] if "data" in config else config.get("audio", {})
    if "kaldi" in audio:
        kind = audio["kaldi"].get("feat_type", "fbank")
        if kind not in ("fbank", "mfcc", "spectrogram"):
            raise BackboneError(f"{file}: the features of {upstream} are {kind!r}, not fbank, mfcc or spectrogram")
        audio["kaldi"][kind]["dither"] = 0.0
    elif "dither" in audio:
        audio["dither"] = 0.0
    if "decode_wav" in audio:
        audio["decode_wav"] = False  # concerns reading of files, and torchaudio cannot do it any more
