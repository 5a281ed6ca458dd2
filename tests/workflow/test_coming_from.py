"""Every command of docs/coming-from.md, planned on a small corpus without running it."""

import functools
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from conftest import ROOT, merged, warm_python

PAGE = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CONFIG = [text for language, text in BLOCKS if language == "yaml"]
COMMANDS = [line for language, text in BLOCKS if not language for line in text.splitlines()]


def write_clip(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(1600), 16000, subtype="PCM_16")


@pytest.fixture(scope="module")
def configfile(tmp_path_factory) -> Path:
    """The config that the page shows, with corpora that need no more than look like the real ones."""
    folder = tmp_path_factory.mktemp("coming_from")
    for actor in range(1, 7):
        write_clip(folder / "ravdess" / f"Actor_{actor:02d}" / f"03-01-05-01-02-01-{actor:02d}.wav")
    write_clip(folder / "crema_d" / "AudioWAV" / "1001_DFA_ANG_XX.wav")
    for file in ("iemocap/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", "msp-improv/Evalution.txt"):
        (folder / file).parent.mkdir(parents=True)
        (folder / file).touch()
    shown = [yaml.safe_load(text) for text in CONFIG]
    paths = {name: str(folder / name) for name in ("ravdess", "crema_d", "iemocap", "msp-improv")}
    whole = functools.reduce(merged, shown)
    whole |= {"data_dir": {"demo": None, **paths}, "project_dir": str(folder / "results")}
    file = folder / "config.yml"
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    return file


@pytest.mark.workflow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_can_be_planned(command, configfile):
    program, *arguments = shlex.split(command)
    assert program == "snakemake"
    # A lock would keep two tests, or a test and a run, from planning at the same time.
    options = ["--dry-run", "--nolock", "--configfile", str(configfile)]
    done = subprocess.run(
        [warm_python(), "-m", "snakemake", *arguments, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    stage, dataset = arguments[-1].split("/")[1:3]
    assert f"results/{stage}/{dataset}" in said
    assert re.search(r"^total +[2-9]|^total +\d\d", said, re.MULTILINE), "nothing was planned"
    if stage in ("models", "performance", "fairness", "attack", "privacy", "cost", "trust"):
        assert "train_readme" in said
        assert "train_linear" not in said
    if stage == "federated":
        entry = {"apc_published": "published", "apc_udp_eps50": "udp", "digits": "digits"}.get(
            arguments[-1].split("/")[-1], "fed_avg"
        )
        assert f"federate_{entry}" in said
        assert "train_" not in said


def test_the_page_has_commands_and_every_seed_has_a_section():
    assert len(COMMANDS) >= 6
    for seed in ("trust-ser", "fed-ser-leakage", "FLHeteroBackend", "ECG", "MetisFL"):
        assert re.search(rf"^## .*{seed}", PAGE, re.MULTILINE)
