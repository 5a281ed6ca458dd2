"""Updates of which less is sent: fewer bits to read anything off, but nothing guaranteed."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch

from candor.federated.defences.treatment import Facts, Treatment
from candor.federated.local import Returned
from candor.federated.shares import nearest

NUMBER = 4
"""Bytes of a number, and of the place of one in an update."""


class Signs(Treatment):
    r"""Of each tensor :math:`u` a client sends :math:`\operatorname{sign}(u) \cdot \operatorname{mean} |u|`.

    That is a bit per number and a number per tensor; 0 counts as positive, as a bit has no third value.

    References
    ----------
    Karimireddy et al. (2019), Error feedback fixes SignSGD and other gradient compression schemes, ICML.
    """

    kind: ClassVar[str] = "sign"

    def treat(self, returned: Returned, round: int) -> Returned:
        """Return updates of which only signs and mean magnitudes are left."""
        updates = returned.updates.to("cpu", copy=True)
        for piece in self.layout.parameters:
            own = updates[:, piece.start : piece.end]
            magnitude = own.abs().mean(dim=1, keepdim=True)
            own.copy_(torch.where(own < 0, -magnitude, magnitude))
        return replace(returned, updates=updates)

    @property
    def bytes_up(self) -> int:
        """Return a bit per number and a number per tensor, and what is no parameter as it is."""
        parameters = -(-self.layout.size // 8) + NUMBER * len(self.layout.parameters)
        return self.layout.bytes - NUMBER * self.layout.size + parameters

    def announcement(self) -> str:
        """Return what is done, and that nothing is guaranteed."""
        return "of each update only signs are sent, and a mean magnitude per tensor; no guarantee"

    def guarantee(self) -> Facts:
        """Return that there is none."""
        return {"rounds": self.rounds, "note": "no guarantee"}


class TopK(Treatment):
    """A client sends the largest numbers of its update, and where they are; all others count as 0.

    References
    ----------
    Aji and Heafield (2017), Sparse communication for distributed gradient descent, EMNLP.
    """

    kind: ClassVar[str] = "top_k"

    @property
    def kept(self) -> int:
        """Return how many numbers are sent, one at least."""
        assert self.defence.share is not None  # the config fills it in for this kind
        return max(1, nearest(self.defence.share, self.layout.size))

    def treat(self, returned: Returned, round: int) -> Returned:
        """Return updates of which only the largest numbers are left."""
        updates = returned.updates.cpu()
        largest = updates.abs().topk(self.kept, dim=1).indices
        sparse = torch.zeros_like(updates).scatter_(1, largest, updates.gather(1, largest))
        return replace(returned, updates=sparse)

    @property
    def bytes_up(self) -> int:
        """Return those of numbers and their places, and what is no parameter as it is."""
        return self.layout.bytes - NUMBER * self.layout.size + 2 * NUMBER * self.kept

    def announcement(self) -> str:
        """Return what is done, and that nothing is guaranteed."""
        return f"of each update the {self.kept} largest of {self.layout.size} numbers are sent; no guarantee"

    def guarantee(self) -> Facts:
        """Return that there is none."""
        return {"rounds": self.rounds, "note": "no guarantee"}
