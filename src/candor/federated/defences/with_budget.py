"""What defences share that name an epsilon."""

from __future__ import annotations

from candor.federated.defences.treatment import Facts, Treatment
from candor.federated.settings import Settings
from candor.federated.vectors import Layout

UNCOUNTED = "Not counted: losses and figures on the clients' own data, which a simulation tells, and other folds"
"""What a guarantee leaves out."""

LARGE_DELTA = "delta is not below one over the number of clients, and so allows to publish all that one of them holds"
"""What makes a guarantee worth nothing, whatever its epsilon."""


class WithBudget(Treatment):
    """A defence with an epsilon, a delta and a clip.

    Parameters
    ----------
    settings, layout, clients
        As for every treatment.
    """

    def __init__(self, settings: Settings, layout: Layout, clients: int) -> None:
        super().__init__(settings, layout, clients)
        defence = settings.defence
        assert defence.epsilon is not None  # the config fills these in for these kinds
        assert defence.delta is not None
        assert defence.clip is not None
        self.epsilon, self.delta, self.clip = defence.epsilon, defence.delta, defence.clip

    @property
    def budget(self) -> str:
        """Return epsilon and delta in words."""
        return f"epsilon {self.epsilon:g} at delta {self.delta:g}"

    def caution(self) -> str:
        """Return that delta is too large for a guarantee, where it is."""
        return LARGE_DELTA if self.delta * self.clients >= 1 else ""

    @property
    def limits(self) -> str:
        """Return in words what a guarantee leaves out."""
        return ". ".join(filter(None, [UNCOUNTED, self.caution()]))

    def guarantee(self) -> Facts:
        """Return the facts that do not hang on the kind."""
        return {"delta": self.delta, "clip": self.clip, "sampling_rate": self.rate, "rounds": self.rounds}
