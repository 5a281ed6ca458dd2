"""Programs that are killed without warning, the way a cluster or a power cut does it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from paths import ROOT


def run(program: Path, *arguments: str | Path) -> None:
    """Run a Python program to its end."""
    subprocess.run(_command(program, arguments), env=_environment(), check=True, timeout=300)


def run_and_kill(program: Path, *arguments: str | Path, when: Callable[[], bool]) -> None:
    """Run a Python program and kill it as soon as `when` is true; it must not have come to its end by then."""
    with subprocess.Popen(_command(program, arguments), env=_environment()) as process:
        deadline = time.monotonic() + 300
        while not when():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def _command(program: Path, arguments: tuple[str | Path, ...]) -> list[str]:
    return [sys.executable, str(program), *map(str, arguments)]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])}
