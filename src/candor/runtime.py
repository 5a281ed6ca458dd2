"""How a job runs: logging, progress, threads and worker processes. Nothing here may change a result."""

from __future__ import annotations

import logging
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Explained(Exception):  # noqa: N818 - a mark on errors, not an error of its own
    """An error whose message says all that a user needs; where in the code it arose is of no interest."""


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

    def advance(self, count: int = 1) -> None:
        """Note that `count` more units are done."""
        self.done += count
        if self._bar is not None:
            self._bar.update(count)
        tenth = 10 * self.done // self.total if self.total else 10
        if tenth > self._tenth:
            self._tenth = tenth
            if self._bar is None:
                logger.info("%s: %d of %d %ss", self.what, self.done, self.total, self.unit)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
            logger.info("%s: %d of %d %ss", self.what, self.done, self.total, self.unit)


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


def use_threads(threads: int) -> None:
    """Let torch use the threads that the scheduler granted, and no more."""
    import torch

    torch.set_num_threads(max(1, threads))
