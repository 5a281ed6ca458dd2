"""Recordings in containers, made by ffmpeg; tests that need one are skipped where it is not installed."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile


def require(tool: str) -> None:
    """Skip the test unless a tool of the system is there; in continuous integration it has to be."""
    if shutil.which(tool):
        return
    missing = f"{tool} is not installed; envs/test_tools.sh installs it"
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(missing)
    pytest.skip(missing)


def ffmpeg(*arguments: str | Path) -> None:
    require("ffmpeg")
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments], check=True, timeout=60)


def make_media(
    path: Path, *options: str, seconds: float = 3.0, rate: int = 48000, channels: int = 2, video: bool = True
) -> Path:
    """Write noise, with a moving picture unless told otherwise; ffmpeg's `options` choose codecs and more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = ["-f", "lavfi", "-i", f"testsrc=size=64x48:rate=24:duration={seconds}", "-c:v", "mpeg4"] if video else []
    wav = path.with_name(f"{path.name}.wav")
    soundfile.write(wav, noise(seconds, rate, channels), rate)
    ffmpeg("-i", wav, *picture, *options, path)
    wav.unlink()
    return path


def noise(seconds: float, rate: int, channels: int) -> np.ndarray:
    count = round(seconds * rate)
    return np.random.default_rng(channels).integers(-6000, 6000, (count, channels)).astype(np.int16)


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str, version: str = "9.9") -> None:
    """Let `ffmpeg` and `ffprobe` be scripts that say a version and otherwise do what `body` says; $real is the tool."""
    folder.mkdir(exist_ok=True)
    others = [place for place in os.environ["PATH"].split(os.pathsep) if place != str(folder)]
    for tool in ("ffmpeg", "ffprobe"):
        real = shutil.which(tool, path=os.pathsep.join(others)) or ""
        script = (
            f'#!/bin/bash\nreal={real}\n[[ $* != -version ]] || {{ echo "{tool} version {version} of tests"; exit; }}\n'
        )
        (folder / tool).write_text(f"{script}{body}\n")
        (folder / tool).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), *others]))
