"""Algorithms that a few clients who send nonsense, or lies, cannot lead far astray.

All of them learn as in FedAvg; what differs is what becomes of the answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch

from candor.federated.errors import FederatedError
from candor.federated.local import Returned
from candor.federated.rules.averaging import FedAvg
from candor.federated.rules.gathered import Gathered, Mean, Rows, returned_rows
from candor.federated.rules.rule import State
from candor.federated.settings import Settings
from candor.federated.vectors import Layout, Weights

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
OfSorted = Callable[[Floats], Floats]
"""Makes one number of each row of sorted ones."""

SORTED_AT_ONCE = 2**18
MULTIPLIED_AT_ONCE = 2**22
"""How many numbers of the answers are looked at together: the first many fit a core's cache, the second are 32 MiB."""


class Median(FedAvg):
    """The median of what clients send, of each parameter for itself; each client counts the same.

    References
    ----------
    Yin et al. (2018), Byzantine-robust distributed learning: towards optimal statistical rates, ICML.
    """

    name: ClassVar[str] = "median"

    def gather(self) -> Gathered:
        """Return what takes medians."""
        return Columns(median_of_sorted)


class TrimmedMean(FedAvg):
    """The mean of what clients send without the largest and the smallest, of each parameter for itself.

    Each client counts the same. Of n answers, the whole part of n times `trimmed` is cut off at each end: with few
    answers, or a small share, none.

    References
    ----------
    Yin et al. (2018), Byzantine-robust distributed learning: towards optimal statistical rates, ICML.
    """

    name: ClassVar[str] = "trimmed_mean"

    def __init__(self, settings: Settings, layout: Layout) -> None:
        super().__init__(settings, layout)
        assert settings.trimmed is not None  # the config fills it in for this algorithm
        self._share, self._warned = settings.trimmed, False

    def gather(self) -> Gathered:
        """Return what takes trimmed means."""
        return Columns(lambda ordered: trimmed_mean_of_sorted(ordered, self._share))

    def step(self, start: Weights, gathered: Gathered, state: State, round: int) -> Weights:
        """Return the next global model; say once if there are so few answers that none is cut off."""
        if int(self._share * gathered.answered) == 0 and not self._warned:
            self._warned = True
            logger.warning(
                "trimmed_mean with trimmed: %s cuts nothing off %d answers, as there are in round %d, and keeps no "
                "poison out. Raise trimmed or clients_per_round", self._share, gathered.answered, round,
            )  # fmt: skip
        return super().step(start, gathered, state, round)


class MultiKrum(FedAvg):
    """The mean of the answers that lie closest to others, weighted by examples.

    An answer's score is the sum of the squared distances to the n - f - 2 (at least one) closest others, n being how
    many there are and f how many are expected to be poisoned; the answers of the lowest scores are averaged. Of equals
    those of the clients that come first are taken. Distances are those of the trained parameters.

    Its promise holds where n is at least 2 f + 3.

    References
    ----------
    Blanchard et al. (2017), Machine learning with adversaries: Byzantine tolerant gradient descent, NeurIPS.
    """

    name: ClassVar[str] = "multi_krum"

    def __init__(self, settings: Settings, layout: Layout) -> None:
        super().__init__(settings, layout)
        assert settings.malicious is not None  # the config fills it in for this algorithm
        self._malicious, self._warned = settings.malicious, False

    def check_answers(self, most: int) -> None:
        """Refuse a run whose rounds have too few answers at most, for the promise or for a selection.

        Raises
        ------
        FederatedError
            One line with what is needed.
        """
        needed = max(2 * self._malicious + 3, self.selected + 1)
        if most < needed:
            raise FederatedError(
                f"{self.name} with malicious: {self._malicious}"
                f"{f' and selected: {self.selected}' if self.name == MultiKrum.name else ''} needs {needed} answers or "
                f"more, but a round has {most} at most; raise clients_per_round, or lower these"
            )

    @property
    def selected(self) -> int:
        """Return how many answers are averaged."""
        assert self.settings.selected is not None  # the config fills it in for this algorithm
        return self.settings.selected

    def gather(self) -> Gathered:
        """Return what selects."""
        return Closest(self._malicious, self.selected, self._check)

    def _check(self, answered: int) -> None:
        """Say once if there are too few answers for the promise."""
        needed = 2 * self._malicious + 3
        if answered < needed and not self._warned:
            self._warned = True
            logger.warning(
                "%s with malicious: %d withstands that many only among %d answers or more; in a round there are %d",
                self.name, self._malicious, needed, answered,
            )  # fmt: skip


class Krum(MultiKrum):
    """The one answer that lies closest to others: multi-Krum that selects one.

    References
    ----------
    Blanchard et al. (2017), Machine learning with adversaries: Byzantine tolerant gradient descent, NeurIPS.
    """

    name: ClassVar[str] = "krum"

    @property
    def selected(self) -> int:
        """Return one."""
        return 1


class Columns(Rows):
    """Answers of which each number is combined for itself, from all clients' in order of size.

    Parameters
    ----------
    of_sorted
        What becomes of a row of sorted numbers.
    """

    def __init__(self, of_sorted: OfSorted) -> None:
        super().__init__()
        self._of_sorted = of_sorted

    def _combine(self) -> Weights:
        counters = torch.cat([one.counters for one in self._kept])
        return Weights(
            by_column([one.updates for one in self._kept], self._of_sorted),
            by_column([one.buffers for one in self._kept], self._of_sorted),
            # Of an even number torch's median is the lower middle one, and so one of theirs.
            counters.median(dim=0).values,
        )


class Closest(Rows):
    """Answers of which those are averaged that lie closest to others.

    Parameters
    ----------
    malicious
        How many are expected to be poisoned.
    selected
        How many are averaged.
    check
        Is told how many there are.
    """

    def __init__(self, malicious: int, selected: int, check: Callable[[int], None]) -> None:
        super().__init__()
        self._malicious, self._selected, self._check = malicious, selected, check
        self._shares: dict[int, float] = {}

    def shares(self) -> dict[int, float]:
        """Return the weights of those that were selected, and 0 for the others."""
        return self._shares

    def _combine(self) -> Weights:
        self._check(self.answered)
        distances = squared_distances([one.updates for one in self._kept])
        clients = [client for one in self._kept for client in one.clients]
        places = closest(distances, clients, self._malicious, self._selected)
        mean = Mean()
        for one in self._rows_of(places):
            mean.add(one)
        self._shares = dict.fromkeys(clients, 0.0) | mean.shares()
        return mean.combined()

    def _rows_of(self, places: Sequence[int]) -> Iterator[Returned]:
        first = 0
        for one in self._kept:
            own = [place - first for place in places if first <= place < first + len(one.clients)]
            first += len(one.clients)
            if own:
                yield returned_rows(one, own)


def by_column(rows: Sequence[torch.Tensor], of_sorted: OfSorted) -> torch.Tensor:
    """Return what becomes of each column, its numbers sorted.

    numpy's sort is used on short contiguous rows, as it is many times as fast as torch's, or as numpy's own median.

    Parameters
    ----------
    rows
        Some rows each, [..., columns].
    of_sorted
        Makes one number of each row of sorted ones.

    Returns
    -------
    torch.Tensor
        [columns].
    """
    count, columns = sum(map(len, rows)), rows[0].shape[1]
    combined = torch.empty(columns)
    width = max(1, SORTED_AT_ONCE // count)
    for start in range(0, columns, width):
        block = torch.cat([some[:, start : start + width] for some in rows]).T.contiguous().numpy()
        block.sort(axis=1)
        combined[start : start + width] = torch.from_numpy(of_sorted(block))
    return combined


def median_of_sorted(ordered: Floats) -> Floats:
    """Return the median of each row; of an even number the mean of the two in the middle.

    >>> median_of_sorted(np.array([[1, 2, 3, 9]], dtype=np.float32)).tolist()
    [2.5]
    """
    count = ordered.shape[1]
    return np.asarray((ordered[:, (count - 1) // 2] + ordered[:, count // 2]) / 2, dtype=np.float32)


def trimmed_mean_of_sorted(ordered: Floats, share: float) -> Floats:
    """Return the mean of each row without so large a share at each end.

    >>> trimmed_mean_of_sorted(np.array([[-99, 1, 2, 3, 99]], dtype=np.float32), 0.2).tolist()
    [2.0]
    """
    cut = int(share * ordered.shape[1])
    return np.asarray(ordered[:, cut : ordered.shape[1] - cut].mean(axis=1), dtype=np.float32)


def squared_distances(rows: Sequence[torch.Tensor]) -> torch.Tensor:
    r"""Return the squared distance between every two rows.

    It is :math:`\lVert x \rVert^2 + \lVert y \rVert^2 - 2 x \cdot y` from one matrix of products, in double precision:
    what cancels then is below what float32 can tell apart in the rows.

    Parameters
    ----------
    rows
        Some rows each, [..., columns].

    Returns
    -------
    torch.Tensor
        [rows, rows], float64.
    """
    count, columns = sum(map(len, rows)), rows[0].shape[1]
    products = torch.zeros(count, count, dtype=torch.float64)
    width = max(1, MULTIPLIED_AT_ONCE // count)
    for start in range(0, columns, width):
        block = torch.cat([some[:, start : start + width] for some in rows]).double()
        products.addmm_(block, block.T)
    squares = products.diagonal()
    return (squares[:, None] + squares[None, :] - 2 * products).clamp(min=0).fill_diagonal_(0)


def closest(distances: torch.Tensor, clients: Sequence[int], malicious: int, selected: int) -> list[int]:
    """Return which answers Krum selects, by their row.

    Parameters
    ----------
    distances
        The squared distance between every two answers.
    clients
        Whose they are; of equals the smaller number comes first, so that the order in which they came is no matter.
    malicious
        How many of them are expected to be poisoned.
    selected
        How many to select; all, where there are no more.
    """
    near = max(1, len(clients) - malicious - 2)
    scores = distances.sort(dim=1).values[:, 1 : near + 1].sum(dim=1).tolist()
    ranked = sorted(range(len(clients)), key=lambda row: (scores[row], clients[row]))
    return ranked[:selected]
