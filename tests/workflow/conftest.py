"""A checkout of its own, two tiny corpora, and a finished run that the tests look at and disturb."""

import csv
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from paths import ROOT

PARTS = ("Snakefile", "workflow", "src", "config", "profiles", "envs", "pyproject.toml")
EMOTIONS = {"01": 150, "03": 260, "04": 110, "05": 300}
FEW_ROUNDS = {"num_epochs": 3, "partition": "speaker", "keep": {"models_every": 2}}
STRICT = ["--strict-dag-evaluation", "cyclic-graph", "functions", "periodic-wildcards"]

# Most of the time of a dry-run and of a tiny job goes into starting Python and importing what is not ours. This server
# has imported it, and forks for every start. A start by `CLIENT` is otherwise one by Python: with its own arguments,
# folder, environment, streams and exit status, and nothing of this project imported before the fork.
SERVER = """
import gc, importlib, json, os, runpy, selectors, shutil, signal, socket, sys

folder, started = sys.argv[1], {}

def load(*names):
    for name in names:
        importlib.import_module(name)
    assert "candor" not in sys.modules
    gc.collect()
    gc.freeze()  # forks need not look through what is there already

load("snakemake.cli", "smart_open")
sys.modules["snakemake.cli"].get_argument_parser()  # it imports the plugins
gc.freeze()
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.path.join(folder, "socket"))
listener.listen()
wake, woken = socket.socketpair()
for end in (wake, woken):
    end.setblocking(False)
signal.set_wakeup_fd(wake.fileno())
signal.signal(signal.SIGCHLD, lambda *_: None)
events = selectors.DefaultSelector()
for source in (0, listener, woken):
    events.register(source, selectors.EVENT_READ)
print("ready", flush=True)

def ended():
    woken.recv(4096)
    while started:
        number, status = os.waitpid(-1, os.WNOHANG)
        if not number:
            return
        code = os.waitstatus_to_exitcode(status)
        link = started.pop(number)
        try:
            link.send(bytes([code if code >= 0 else 128 - code]))
        except OSError:
            pass  # who asked is gone
        link.close()

def asked():
    link, _ = listener.accept()
    head, streams, _, _ = socket.recv_fds(link, 4, 3)
    size, text = int.from_bytes(head, "big"), b""
    while len(text) < size:
        text += link.recv(size - len(text))
    request = json.loads(text)
    if request["arguments"][0] != "-m":
        load("torch._dynamo", "pandas", "scipy.special", "matplotlib.figure", "matplotlib.backends.backend_agg")
    number = os.fork()
    if number:
        started[number] = link
        for stream in streams:
            os.close(stream)
        return None
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    for other in (events, listener, wake, woken, link, *started.values()):
        other.close()
    return request

request = None
while request is None:
    for key, _ in events.select():
        if key.fileobj == 0:
            shutil.rmtree(folder)
            os._exit(0)
        elif key.fileobj is woken:
            ended()
        elif request := asked():
            break

os.chdir(request["folder"])
os.environ.clear()
os.environ.update(request["environment"])
sys.executable = os.path.join(folder, "python")
arguments = request["arguments"]
shown = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
if arguments[0] == "-m":
    sys.path[:1] = [os.getcwd(), *shown]
    sys.argv = arguments[1:]
    runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
else:
    sys.path[:1] = [os.path.dirname(arguments[0]), *shown]
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")
"""

CLIENT = """
import json, os, socket, sys

link = socket.socket(socket.AF_UNIX)
link.connect(os.path.join(os.path.dirname(__file__), "socket"))
request = {"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}
text = json.dumps(request).encode()
socket.send_fds(link, [len(text).to_bytes(4, "big")], [0, 1, 2])
link.sendall(text)
status = link.recv(1)
sys.exit(status[0] if status else "the server has ended")
"""

SERVERS: list[subprocess.Popen] = []


@functools.cache
def warm_python() -> str:
    """Return a command that is called as Python is, and answered by a server that has been started by then."""
    if not sys.platform.startswith("linux"):
        return sys.executable  # elsewhere it is not safe to fork after such imports
    folder = Path(tempfile.mkdtemp(prefix="candor-"))
    command = folder / "python"
    command.write_text(f"#!{sys.executable} -IS\n{CLIENT}")
    command.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder)],
        # What the Snakefile sets for its jobs is read when torch is loaded.
        env={"OMP_WAIT_POLICY": "passive", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    SERVERS.append(server)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    return str(command)


@pytest.fixture(scope="session", autouse=True)
def servers_end_with_the_tests():
    yield
    for server in SERVERS:
        server.communicate()


@dataclass
class Checkout:
    """A copy of the project's code, and the folder where its results go."""

    path: Path
    project: Path
    config: dict = field(default_factory=dict)

    def snakemake(self, *arguments: str, check: bool = True, cold: bool = False, **changes) -> str:
        """Run Snakemake as a user would; return what it prints.

        With `cold` it and its jobs are processes started from nothing. Every rule that is run here has such a run, and
        a warm one has to give the same bytes as `finished`, which is made cold.
        """
        config = self.path / "tiny.yml"
        config.write_text(yaml.safe_dump(merged(self.config, changes)))
        python = sys.executable if cold else warm_python()
        command = [python, "-m", "snakemake", "--configfile", str(config), "--cores", "2", *arguments]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(command, cwd=self.path, env=environment, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert not check or done.returncode == 0, said
        assert check or done.returncode != 0, said
        return said

    def jobs(self, *targets: str, **changes) -> dict[str, int]:
        """Return what a dry-run would do: rules and their numbers of jobs, folder targets left out."""
        said = self.snakemake("--dry-run", *targets, **changes)
        if "Nothing to be done" in said:
            return {}
        table = re.search(r"^job +count\n-[- ]+\n(.*?)^total", said, re.M | re.S)
        assert table, said
        counts = dict(line.split() for line in table.group(1).splitlines())
        return {rule: int(count) for rule, count in counts.items() if not rule.startswith("results/") and rule != "all"}

    def edit(self, file: str, old: str, new: str) -> Callable[[], None]:
        """Change a file of the checkout; return what takes that back."""
        path = self.path / file
        text = path.read_text()
        assert old in text, f"{file} no longer holds {old!r}"
        path.write_text(text.replace(old, new, 1))
        return lambda: path.write_text(text)


def merged(base: dict, changes: dict) -> dict:
    whole = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(whole.get(key), dict)
        whole[key] = merged(whole[key], value) if both else value
    return whole


def copy_of(target: Path) -> Path:
    target.mkdir(parents=True)
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for part in PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(
            source, target / part, **({"ignore": skipped} if source.is_dir() else {})
        )
    return target


def voice(generator: np.random.Generator, pitch: float, seconds: float = 0.4, rate: int = 48000) -> np.ndarray:
    axis = np.arange(round(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * pitch * k * axis) / k for k in range(1, 15))
    return 0.1 * tones * generator.uniform(0.7, 1.3) + 0.005 * generator.standard_normal(axis.size)


def make_ravdess(root: Path, actors: int = 6) -> Path:
    """Write a corpus with RAVDESS's names: tones whose pitch depends on emotion and speaker."""
    for actor in range(1, actors + 1):
        generator = np.random.default_rng(actor)
        base = generator.uniform(0.8, 1.3)
        for emotion, pitch in EMOTIONS.items():
            for take in ("01", "02"):
                path = root / f"Actor_{actor:02}" / f"03-01-{emotion}-01-01-{take}-{actor:02}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                clip = voice(generator, base * pitch * generator.uniform(0.85, 1.15))
                soundfile.write(path, clip, 48000, subtype="PCM_16")
    return root


def make_table(root: Path) -> Path:
    """Write a corpus of someone's own: a CSV with names of its own, and wavs beside it."""
    root.mkdir()
    with (root / "labels.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", "speaker", "gender", "emotion"])
        for speaker in range(4):
            generator = np.random.default_rng(100 + speaker)
            for emotion, pitch in {"anger": 280, "sadness": 120}.items():
                for take in range(2):
                    name = f"{speaker}_{emotion}_{take}.wav"
                    soundfile.write(root / name, voice(generator, pitch, rate=16000), 16000, subtype="PCM_16")
                    writer.writerow([name, f"s{speaker}", "female" if speaker % 2 else "male", emotion])
    return root


@pytest.fixture(scope="session")
def corpus_folders(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("corpora")
    return {"ravdess": str(make_ravdess(folder / "ravdess")), "mine": str(make_table(folder / "mine"))}


@pytest.fixture(scope="session")
def tiny_config(corpus_folders) -> dict:
    return {
        "data_dir": {"demo": None, "demo_unlabelled": None, **corpus_folders},
        "datasets": {
            "mine": {
                "corpus": "table",
                "table": {"file": "labels.csv", "columns": {"path": "file", "label": "emotion"}},
            }
        },
        "splits": {"folds": 3},
        "cost": {"measured_seconds": 0.1},
        "backbones": {
            "apc_demo": False,
            "apc_tiny": {
                "family": "s3prl",
                "upstream": "apc",
                "pretrain": {"dataset": ["mine"], "num_epochs": 2, "hidden_size": 8, "num_layers": 2},
            },
        },
        "recipes": {
            "linear": {"num_epochs": 5, "seeds": [0, 1], "pretrain_model": ["fbank"]},
            "cnn": {"num_epochs": 3, "seeds": [0, 1], "hidden_size": 8, "dataset": ["mine"]},
        },
        "robustness": {"tests": ["white_noise", "babble", "crop_end"]},
        "federated": {
            "fed_avg": {**FEW_ROUNDS, "feature_type": ["fbank"], "clients_per_round": 1},
            "fed_sgd": {**FEW_ROUNDS, "feature_type": ["fbank"], "dataset": ["mine"]},
            "central": {**FEW_ROUNDS, "feature_type": ["fbank"], "dataset": ["mine"]},
            "digits": {"num_epochs": 2, "federate_after_n_batches": 1},
        },
        "leakage": {"shadows": ["ravdess", "mine"], "shadow_models": 1, "updates_seen": [1, 3], "inversions": 1},
    }


@pytest.fixture(scope="session")
def checkout(tmp_path_factory, tiny_config) -> Checkout:
    """The code, and two tiny corpora to ask for; nothing is made."""
    folder = tmp_path_factory.mktemp("checkout")
    project = folder / "out"
    return Checkout(copy_of(folder / "checkout"), project, {**tiny_config, "project_dir": str(project)})


@pytest.fixture
def fresh(checkout, tmp_path) -> Checkout:
    """A checkout of a test's own; what an earlier start remembers of the code is there, as it is for users."""
    shutil.copytree(checkout.path, tmp_path / "checkout", ignore=shutil.ignore_patterns(".snakemake"))
    remembered = Path(".snakemake", "candor-fingerprints.json")
    if (checkout.path / remembered).exists():
        (tmp_path / "checkout" / ".snakemake").mkdir()
        shutil.copy(checkout.path / remembered, tmp_path / "checkout" / remembered)
    else:
        checkout.jobs("results/corpora/mine")
    return Checkout(tmp_path / "checkout", tmp_path / "out", {**checkout.config, "project_dir": str(tmp_path / "out")})


@pytest.fixture(scope="session")
def finished(tmp_path_factory, tiny_config) -> Checkout:
    """Everything built once. Tests may disturb it if they put it right again."""
    folder = tmp_path_factory.mktemp("finished")
    project = folder / "out"
    checkout = Checkout(copy_of(folder / "checkout"), project, {**tiny_config, "project_dir": str(project)})
    checkout.snakemake(*STRICT, cold=True)
    return checkout
