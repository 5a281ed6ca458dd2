"""Make a training repeatable."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed every generator that a training draws from, and ask torch for deterministic kernels."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Memory that is asked for would be filled too, to show who reads before writing: nobody here, and it takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed every generator for a while, and leave them behind as they were.

    Parameters
    ----------
    seed
        Any number that is not negative; numpy takes its lowest 32 bits.
    device
        Whose generator is seeded besides the CPU's.
    """
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[] if device == "cpu" else [device]):
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
