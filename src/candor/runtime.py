"""How a job runs: logging, progress, threads and worker processes. Nothing here may change a result."""

from __future__ import annotations

import fcntl
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Explained(Exception):  # noqa: N818 - a mark on errors, not an error of its own
    """An error whose message says all that a user needs; where in the code it arose is of no interest."""


class DeviceError(Explained, RuntimeError):
    """The device that is asked for is not there."""


def start_logging(file: str | Path | None) -> None:
    """Log to `file` and to the terminal; what ends the program goes to both, with its traceback unless explained."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(file, mode="w", encoding="utf-8"))
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    logging.captureWarnings(True)

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        elif issubclass(kind, Explained):
            logging.getLogger().critical("%s", error)
        else:
            logging.getLogger().critical("%s: %s", kind.__name__, error, exc_info=(kind, error, trace))

    sys.excepthook = report


class Progress:
    """Progress of long work: a bar on a terminal, a line per tenth in a log.

    Parameters
    ----------
    total
        How many units there are to do.
    what
        What is being done, in words.
    unit
        Name of one unit.
    """

    def __init__(self, total: int, what: str, unit: str = "clip") -> None:
        self.total, self.what, self.unit = total, what, unit
        self.done = 0
        self._tenth = 0
        self._bar = None
        if total and sys.stderr.isatty():
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # its watcher thread does not go together with forked workers
            self._bar = tqdm(total=total, desc=what, unit=unit, leave=False)

    def advance(self, count: float = 1) -> None:
        """Note that `count` more units are done."""
        self.done += int(count)
        if self._bar is not None:
            self._bar.update(int(count))
        tenth = 10 * self.done // self.total if self.total else 10
        if tenth > self._tenth:
            self._tenth = tenth
            if self._bar is None:
                self.tell()

    def tell(self) -> None:
        """Log how far it is."""
        logger.info("%s: %d of %d %ss", self.what, self.done, self.total, self.unit)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
            self.tell()


class AudioProgress(Progress):
    """Progress of work on audio, counted in seconds of it and told in hours per hour.

    Parameters
    ----------
    seconds
        How much audio there is.
    what
        What is being done, in words.
    """

    def __init__(self, seconds: float, what: str) -> None:
        super().__init__(max(1, round(seconds)) if seconds else 0, what, "second")
        self._heard, self._began = 0.0, time.monotonic()

    def advance(self, count: float = 1) -> None:
        """Note that so many more seconds of audio are done."""
        self._heard += count
        super().advance(round(self._heard) - self.done)

    def tell(self) -> None:
        """Log how far it is and how fast."""
        rate = self._heard / max(time.monotonic() - self._began, 1e-9)
        logger.info(
            "%s: %.2f of %.2f h of audio, %.0f h per hour", self.what, self._heard / 3600, self.total / 3600, rate
        )


def in_processes(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, chunk: int = 16
) -> Iterator[Result]:
    """Apply `function` to `items` in `workers` processes; results come in the order of the items."""
    items = list(items)
    if workers <= 1 or len(items) <= chunk:
        yield from map(function, items)
        return
    # Forked workers start at once and need not import a script's main module again.
    method = "fork" if sys.platform.startswith("linux") else "spawn"
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method)) as pool:
        try:
            yield from pool.map(function, items, chunksize=chunk)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class InUseError(Explained, RuntimeError):
    """Another process is at work on the same result."""


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Make sure that no other process works in a folder for unfinished work, as one may that outlived its workflow.

    The system drops the lock with the process, however that ends. A file system without locks goes without.

    Raises
    ------
    InUseError
        When there is one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o666)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUseError(
                f"another process is still at work in {folder}, left over from a workflow that was killed; wait for it "
                "or end it, and start again"
            ) from None
        except OSError:
            logger.warning(
                "%s lies where files cannot be locked; see to it that no other workflow makes the same", folder
            )
        yield
    finally:
        os.close(lock)


BACKBONE_THREADS = 2
"""Threads of a job that runs a backbone."""


def use_threads(threads: int, least: int = 1) -> None:
    """Let torch use the threads that the scheduler granted.

    Parameters
    ----------
    threads
        What was granted.
    least
        What is used even where less was granted, as where there is a single core: how sums are shared out among threads
        changes their last digits, and a result is not to depend on the machine's number of cores.
    """
    import torch

    torch.set_num_threads(max(least, threads))


def gpu_is_here() -> bool:
    """Tell whether this machine has a GPU of NVIDIA's, without loading anything heavy."""
    return Path("/dev/nvidia0").exists()


def use_device(wanted: str) -> str:
    """Return the device to run on; where several GPUs can be seen, one that no other job on this machine has.

    Parameters
    ----------
    wanted
        ``cpu``, ``cuda``, or ``auto`` for a GPU where there is one.
    """
    import torch

    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return "cpu"
    if not torch.cuda.is_available():
        raise DeviceError("config: device is 'cuda', but torch sees no GPU here; set it to 'auto' or 'cpu'")
    torch.cuda.set_device(device := _free_gpu([str(torch.cuda.get_device_properties(n).uuid) for n in _gpus()]))
    return f"cuda:{device}"


def _gpus() -> range:
    import torch

    return range(torch.cuda.device_count())


def _free_gpu(names: Sequence[str]) -> int:
    """Return the number of a GPU that no other process has taken; wait for one if all are taken."""
    if len(names) == 1:
        return 0
    said = False
    while True:
        for number, name in enumerate(names):
            lock = os.open(Path(tempfile.gettempdir(), f"candor-gpu-{name}.lock"), os.O_CREAT | os.O_RDWR, 0o666)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                continue
            return number  # and the lock stays: the system drops it with the process
        if not said:
            logger.info("all %d GPUs are taken by other jobs; waiting", len(names))
            said = True
        time.sleep(1)
