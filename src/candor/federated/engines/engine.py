"""What every engine does: run the clients of a round, a few at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

from torch import nn

from candor.federated.local import Local, Returned, Work
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.workload import Workload


class Engine(ABC):
    """Runs the local work of clients.

    Parameters
    ----------
    workload
        What is learned.
    layout
        Of its model.
    local
        How clients learn.
    device
        What to run on.
    """

    name: ClassVar[str]

    def __init__(self, workload: Workload, layout: Layout, local: Local, device: str = "cpu") -> None:
        self.workload, self.layout, self.local, self.device = workload, layout, local, device

    @classmethod
    @abstractmethod
    def lacks(cls, workload: Workload, model: nn.Module, local: Local) -> str:
        """Return in words why this engine cannot run such a model as the plain loop would; blank if it can."""

    @abstractmethod
    def run(self, start: Weights, work: Sequence[Work]) -> Iterator[Returned]:
        """Yield what clients send back, a few at a time, in an order of the engine's choice.

        An engine may write what the next clients send over what it has yielded: whoever keeps that, copies it.
        """
