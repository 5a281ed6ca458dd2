"""SCAFFOLD: clients whose drift away from one another is corrected."""

from __future__ import annotations

from typing import ClassVar

import torch

from candor.federated.local import Returned
from candor.federated.rules.gathered import Gathered, Mean, equally
from candor.federated.rules.rule import Rule, State


class Scaffold(Rule):
    r"""Each client knows where its gradients usually point (its control), and corrects them to where everybody's do.

    A client steps along :math:`g - c_k + c`. After K steps with learning rate :math:`\eta` have led it from x to y, its
    control is (option II of the paper)

    .. math:: c_k^+ = c_k - c + (x - y) / (K \eta)

    Of N clients those in S answer. With a learning rate of 1 the server steps to the mean of their models, and

    .. math:: c \leftarrow c + \frac{1}{N} \sum_{k \in S} (c_k^+ - c_k)

    As in the paper each client weighs the same, however much it holds. All controls begin at 0. With weight decay,
    controls hold that too; with momentum, what it makes of gradients.

    References
    ----------
    Karimireddy et al. (2020), SCAFFOLD: stochastic controlled averaging for federated learning, ICML.
    """

    name: ClassVar[str] = "scaffold"

    @property
    def bytes_beside(self) -> int:
        """Return those of the server's control, and of the change of the client's."""
        return 4 * self.layout.size

    def begin(self, clients: int) -> State:
        """Return controls of 0.

        Parameters
        ----------
        clients
            How many there are in all.

        Returns
        -------
        State
            ``control``, the server's, [parameters]; ``controls``, the clients', [clients, parameters]; and by how much
            the latter have changed in all since the server last stepped: ``change``, [parameters].
        """
        size = self.layout.size
        return {"control": torch.zeros(size), "controls": torch.zeros(clients, size), "change": torch.zeros(size)}

    def shift(self, state: State, client: int) -> torch.Tensor:
        """Return the server's control less the client's."""
        return state["control"] - state["controls"][client]

    def gather(self) -> Gathered:
        """Return a mean in which each client weighs the same."""
        return Mean(equally)

    def remember(self, state: State, returned: Returned) -> None:
        """Bring the controls of these clients up to date; that of the server waits until all have answered."""
        for client, steps, update in zip(returned.clients, returned.steps, returned.updates.cpu(), strict=True):
            if not steps:
                continue
            change = -(state["control"] + update / (steps * self.settings.learning_rate))
            state["controls"][client] += change
            state["change"] += change

    def move(self, update: torch.Tensor, state: State, round: int) -> torch.Tensor:
        """Return the mean update, and bring the server's control up to date."""
        state["control"] = state["control"] + state["change"] / len(state["controls"])
        state["change"] = torch.zeros_like(state["change"])
        return update
