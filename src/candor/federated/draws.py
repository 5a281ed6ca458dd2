"""Where a federation's random numbers come from."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence


def draws(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return the generator of one purpose, which depends on nothing else that is drawn in a run.

    Parameters
    ----------
    seed
        Of the run.
    purpose
        What is drawn, and for whom; the same words give the same numbers on every machine.
    """
    words = "\n".join(map(str, purpose)).encode()
    return Generator(PCG64(SeedSequence([seed, int.from_bytes(blake2b(words, digest_size=8).digest(), "little")])))
