"""How near reconstructed embeddings come to those that a client has, and how near one comes without inverting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch.nn import functional

from candor.leakage.inversion import mean_embedding


@dataclass(frozen=True)
class Match:
    """Which reconstruction stands for which true embedding: the pairs whose cosines have the greatest sum.

    Parameters
    ----------
    cosines
        Of each true embedding and its reconstruction, [examples].
    assignment
        The number of the reconstruction, [examples].
    """

    cosines: np.ndarray
    assignment: np.ndarray

    @property
    def mean(self) -> float:
        """Return the mean cosine."""
        return float(self.cosines.mean())

    def share_above(self, cosine: float) -> float:
        """Return which share of the true embeddings has a reconstruction nearer than that."""
        return float((self.cosines > cosine).mean())


def compare(found: torch.Tensor, truth: torch.Tensor) -> Match:
    """Return which reconstruction stands for which true embedding.

    Parameters
    ----------
    found, truth
        [examples, dimensions], each in any order.

    Raises
    ------
    ValueError
        When there are not as many of one as of the other.
    """
    if found.shape != truth.shape:
        raise ValueError(f"{list(found.shape)} and {list(truth.shape)} cannot be compared one by one")
    cosines = (functional.normalize(truth.double(), dim=1) @ functional.normalize(found.double(), dim=1).T).numpy()
    rows, columns = linear_sum_assignment(cosines, maximize=True)
    return Match(cosines[rows, columns], columns)


def without_inversion(
    gradients: Mapping[str, torch.Tensor | np.ndarray], examples: int, shadow: torch.Tensor, seed: int
) -> dict[str, torch.Tensor]:
    """Return what can be said without inverting anything, to compare with: [examples, dimensions] each.

    Parameters
    ----------
    gradients
        What a client sent.
    examples
        Of how many examples.
    shadow
        Embeddings of other people.
    seed
        Of which of them are taken.

    Returns
    -------
    dict
        ``others``: embeddings of other people; their cosines rise with the number of examples, as there are more to
        choose from. ``mean``: for each example the mean of all that the first layer's gradient points at.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(shadow), generator=generator)
    # Where there are too few, some are taken again.
    places = order.repeat(-(-examples // len(order)))[:examples]
    first = [torch.as_tensor(gradients[f"dense.0.{kind}"]).double() for kind in ("weight", "bias")]
    return {"others": shadow[places], "mean": mean_embedding(*first).expand(examples, -1).float()}
