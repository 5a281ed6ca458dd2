"""Tools that tests need are installed where nobody has to be asked. A fake apt-get stands for the real one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "envs" / "test_tools.sh"

# $APT says what it answers; once it is done, ffmpeg is there.
APT_GET = """\
echo "$@" >>"$CALLS"
[[ -z $APT ]] || { echo -e "$APT" >&2; exit 100; }
[[ $* != *install* || $* == *--download-only* ]] || { echo '#!/bin/bash' >"$BIN/ffmpeg"; chmod +x "$BIN/ffmpeg"; }
"""
SUDO = '[[ $1 == -n ]] || exit 1; shift; echo "sudo $*" >>"$CALLS"; exec "$@"'
TOOLS = ["bash", "chmod", "env", "grep", "head", "sed", "true"]


class Machine:
    """A machine with few commands, and the means to run the script on it."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.add("apt-get", APT_GET)
        self.add("id", "echo $USER_ID")
        self.add("timeout", 'shift; exec "$@"')

    def add(self, name: str, body: str) -> None:
        (self.bin / name).write_text(f"#!/bin/bash\n{body}\n")
        (self.bin / name).chmod(0o755)

    def has(self, name: str) -> bool:
        return (self.bin / name).exists()

    def run(self, *, user: int = 0, apt: str = "") -> str:
        """Return what the script says; it must not fail, and say no more than a line."""
        self.calls.write_text("")
        variables = {"PATH": str(self.bin), "BIN": str(self.bin), "CALLS": str(self.calls), "APT": apt}
        run = subprocess.run(
            [SCRIPT], env={**variables, "USER_ID": str(user)}, capture_output=True, text=True, check=False
        )
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout.count("\n") <= 1
        return run.stdout.strip()

    def asked(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_root_gets_what_is_missing_and_is_told(machine: Machine) -> None:
    assert machine.run() == "Installed ffmpeg for the tests"
    assert machine.has("ffmpeg")
    update, download, install = machine.asked()
    assert "update" in update
    assert "--download-only" in download
    assert "install ffmpeg" in install


def test_where_all_is_there_nothing_is_done_or_said(machine: Machine) -> None:
    machine.run()
    assert machine.run() == ""
    assert machine.asked() == []


def test_sudo_without_a_password_will_do(machine: Machine) -> None:
    machine.add("sudo", SUDO)
    assert machine.run(user=1000) == "Installed ffmpeg for the tests"
    assert any("sudo" in call and "DEBIAN_FRONTEND=noninteractive" in call for call in machine.asked())


@pytest.mark.parametrize("sudo", ["", "exit 1"])
def test_nobody_is_asked_for_a_password(machine: Machine, sudo: str) -> None:
    if sudo:
        machine.add("sudo", sudo)
    said = machine.run(user=1000)
    assert said == "Tests that need ffmpeg will not run: run `apt install ffmpeg` as root to have them"
    assert machine.asked() == []


def test_other_systems_are_told_what_is_missing(machine: Machine) -> None:
    (machine.bin / "apt-get").unlink()
    assert machine.run().startswith("Tests that need ffmpeg will not run: there is no apt-get here")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("W: Failed to fetch\\nE: Unable to locate package ffmpeg\\nE: more", "Unable to locate package ffmpeg"),
        ("W: Failed to fetch", "no answer in time"),
    ],
)
def test_a_failure_is_told_in_a_line_and_stops_nothing(machine: Machine, answer: str, reason: str) -> None:
    assert machine.run(apt=answer) == f"Tests that need ffmpeg will not run: apt-get failed: {reason}"


def test_make_test_installs_them_before_it_tests() -> None:
    commands = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    ).stdout
    assert -1 < commands.find("envs/test_tools.sh") < commands.find("pytest")
