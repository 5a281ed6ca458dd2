"""Set-up on machines that are not as they should be. A fake Python plays pip, so nothing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Stands for an interpreter, that of the machine and that of the environment. $FAKE_PIP says what pip answers.
FAKE_PYTHON = """\
#!/bin/bash
echo "$@" >>"$CALLS"
case "$*" in
    --version) echo "Python $FAKE_VERSION" ;;
    *version_info*) [[ $FAKE_VERSION == 3.1[1-9]* ]] ;;
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip install "*)
        [[ $FAKE_PIP != killed ]] || kill -9 $PPID
        [[ -z $FAKE_PIP ]] || { echo -e "$FAKE_PIP"; exit 1; } ;;
esac
"""
TOOLS = ["bash", "cat", "cp", "dirname", "grep", "head", "make", "mkdir", "rm", "sed", "tail", "tee", "touch"]


class Checkout:
    """A checkout with a fake Python, and the means to run make in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        shutil.copytree(ROOT / "envs", self.root / "envs")
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.add_python("python3")

    def add_python(self, name: str, text: str = FAKE_PYTHON) -> None:
        python = self.bin / name
        python.write_text(text)
        python.chmod(0o755)

    def setup(self, *, version: str = "3.12.1", pip: str = "") -> subprocess.CompletedProcess[str]:
        self.calls.write_text("")
        variables = {"PATH": str(self.bin), "CALLS": str(self.calls), "FAKE_VERSION": version, "FAKE_PIP": pip}
        return subprocess.run(
            ["make", "setup"], cwd=self.root, env=variables, capture_output=True, text=True, check=False
        )

    @property
    def stamp(self) -> Path:
        return self.root / ".venv" / "installed"

    def made_environment(self) -> bool:
        return "-m venv" in self.calls.read_text()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def said(run: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what set-up itself said on standard error; make adds a line of its own on failure."""
    return [line for line in run.stderr.splitlines() if not line.startswith("make: ***")]


def test_installs_the_lock_then_candor_then_mends_torchaudio(checkout: Checkout) -> None:
    run = checkout.setup()
    assert run.returncode == 0
    assert run.stderr == ""
    calls = [call for call in checkout.calls.read_text().splitlines() if "install" in call or "torchaudio" in call]
    assert "--requirement envs/requirements.lock" in calls[0]
    assert "--no-deps --no-build-isolation --editable ." in calls[1]
    assert calls[2] == "envs/fix_torchaudio.py"


def test_does_nothing_the_second_time(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.stamp.stat().st_mtime_ns
    run = checkout.setup()
    assert run.returncode == 0
    assert checkout.calls.read_text() == ""
    assert checkout.stamp.stat().st_mtime_ns == before


def test_a_new_lock_updates_the_environment_in_place(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.stamp.stat().st_mtime_ns
    os.utime(checkout.stamp, (1, 1))
    assert checkout.setup().returncode == 0
    assert not checkout.made_environment()
    assert "requirements.lock" in checkout.calls.read_text()
    assert checkout.stamp.stat().st_mtime_ns >= before


def test_refuses_an_old_python_in_one_line(checkout: Checkout) -> None:
    run = checkout.setup(version="3.9.18")
    assert run.returncode != 0
    (line,) = said(run)
    assert "Python 3.11 or newer" in line
    assert "Python 3.9.18" in line
    assert not checkout.stamp.exists()


def test_takes_a_newer_python_of_the_path_where_python3_is_old(checkout: Checkout) -> None:
    checkout.add_python("python3.12", FAKE_PYTHON.replace("$FAKE_VERSION", "3.12.1"))
    run = checkout.setup(version="3.9.18")
    assert run.returncode == 0
    assert "with Python 3.12.1" in run.stdout


def test_passes_over_a_python_that_does_not_run(checkout: Checkout) -> None:
    checkout.add_python("python3.13", "#!/bin/bash\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n")
    checkout.add_python("python3.11", FAKE_PYTHON.replace("$FAKE_VERSION", "3.11.7"))
    run = checkout.setup(version="3.9.18")
    assert run.returncode == 0
    assert run.stderr == ""
    assert "with Python 3.11.7" in run.stdout


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            "ERROR: Ignored the following versions that require a different python version: 1.0\\n"
            "ERROR: Could not find a version that satisfies the requirement tqdm==9 (from versions: 1, 2)\\n"
            "ERROR: No matching distribution found for tqdm==9",
            "Could not find a version that satisfies the requirement tqdm==9",
        ),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(...)': /simple/tqdm/\\n"
            "ERROR: Could not find a version that satisfies the requirement tqdm==4 (from versions: none)",
            "the package index cannot be reached",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "Could not install packages due to an OSError: [Errno 28] No space left on device",
        ),
    ],
)
def test_says_in_one_line_why_pip_failed(checkout: Checkout, answer: str, reason: str) -> None:
    run = checkout.setup(pip=answer)
    assert run.returncode != 0
    assert said(run) == [f"pip failed: {reason} (log: .setup.log)"]
    assert not checkout.stamp.exists()
    assert "ERROR" in (checkout.root / ".setup.log").read_text()


def test_goes_on_in_place_once_pip_works_again(checkout: Checkout) -> None:
    checkout.setup(pip="ERROR: no network")
    assert checkout.setup().returncode == 0
    assert not checkout.made_environment()
    assert checkout.stamp.exists()


def test_makes_the_environment_anew_after_a_kill(checkout: Checkout) -> None:
    checkout.setup(pip="killed")
    assert not checkout.stamp.exists()
    assert checkout.setup().returncode == 0
    assert checkout.made_environment()
    assert checkout.stamp.exists()


def test_a_kill_during_an_update_is_noticed_too(checkout: Checkout) -> None:
    checkout.setup()
    os.utime(checkout.stamp, (1, 1))
    checkout.setup(pip="killed")
    assert checkout.setup().returncode == 0
    assert checkout.made_environment()
