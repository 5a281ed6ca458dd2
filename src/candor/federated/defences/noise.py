"""Updates of a bounded norm, and noise on them."""

from __future__ import annotations

import numpy as np
import torch

from candor.federated.draws import draws

ROUNDING = 1e-6
"""How far below its bound a clipped update ends, relatively, so that float32 does not round it above."""


def clipped(updates: torch.Tensor, most: float) -> torch.Tensor:
    """Return updates whose Euclidean norm is at most so much; shorter ones are left as they are.

    One that holds numbers that are none becomes 0: whether it does is as private as the rest of it.

    Parameters
    ----------
    updates
        [clients, parameters].
    most
        The norm.
    """
    exact = updates.double()
    norms = exact.norm(dim=1, keepdim=True)
    factors = torch.where(norms > most, (1 - ROUNDING) * most / norms, 1.0)
    return torch.where(norms.isfinite(), factors * exact, 0.0).float()


def gaussian(size: int, deviation: float, seed: int, round: int, who: int | str) -> torch.Tensor:
    """Return the noise that somebody adds in a round.

    It is drawn from the run's seed, so that runs can be repeated. Whoever knows the seed can subtract it: outside a
    simulation noise must come from a source that nobody knows.

    Parameters
    ----------
    size
        How many numbers.
    deviation
        Their standard deviation.
    seed
        Of the run.
    round, who
        When, and a client or the server.
    """
    drawn = draws(seed, "noise", round, who).standard_normal(size, dtype=np.float32)
    return torch.from_numpy(drawn).mul_(deviation)
