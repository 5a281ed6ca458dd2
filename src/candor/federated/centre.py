"""Training at one place on all that the clients have: what a federation is compared with."""

from __future__ import annotations

import time
from typing import Any

import torch

from candor.federated.clients import Client
from candor.federated.federation import seed_of
from candor.federated.happened import Happened
from candor.federated.local import Local
from candor.federated.mishaps import ANSWERED
from candor.federated.optimisers import make_optimiser, trained_parameters
from candor.federated.schedule import Schedule
from candor.federated.settings import Settings
from candor.federated.vectors import Weights
from candor.federated.world import World

EVERYONE = "everyone"


class Centre:
    """A model that is trained on what some clients have as if it were one's; its optimiser lives on.

    A round is `local_epochs` passes over the data.

    Parameters
    ----------
    settings
        How.
    world
        Whose data is used, and from which model on.
    """

    def __init__(self, settings: Settings, world: World) -> None:
        train = tuple(number for client in world.clients for number in client.train)
        self._settings, self._world = settings, world
        self._schedule = Schedule(settings, [Client(EVERYONE, "", train, ())])
        self._model = world.model()
        self._optimiser = make_optimiser(trained_parameters(self._model), local_of(settings))

    @property
    def weights(self) -> Weights:
        """Return the model as it is now."""
        return Weights.of(self._model, self._world.layout)

    @property
    def over(self) -> bool:
        """Return whether there is nothing left to learn from."""
        return self._schedule.exhausted(0)

    def round(self, number: int) -> Happened:
        """Run a round, counted from 1."""
        began = time.monotonic()
        torch.manual_seed(seed_of(self._settings.seed, number, 0))
        before, batches = self.weights.parameters, self._schedule.batches(0, number)
        workload, device = self._world.workload, self._world.device
        self._model.train()
        losses, examples = 0.0, sum(map(len, batches))
        for batch in batches:
            self._optimiser.zero_grad()
            outputs = self._model(workload.batch(batch, device))
            loss = workload.loss(outputs, self._world.targets[torch.tensor(batch)].to(device))
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            losses += float(loss.detach()) * len(batch)
        self._schedule.took(0, len(batches))
        norm = float((self.weights.parameters - before).norm())
        row = {
            "round": number,
            "client": EVERYONE,
            "outcome": ANSWERED,
            "examples": examples,
            "steps": len(batches),
            "train_loss": losses / max(examples, 1),
            "update_norm": norm,
            "share": 1.0,
        }
        return Happened([row], examples, losses, norm, training_seconds=time.monotonic() - began)

    def state(self) -> dict[str, Any]:
        """Return all that the next round depends on."""
        now = self.weights
        return {
            "weights": [now.parameters, now.buffers, now.counters],
            "optimiser": self._optimiser.state_dict(),
            "taken": list(self._schedule.taken),
        }

    def take_up(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has returned."""
        Weights(*state["weights"]).to_model(self._model, self._world.layout)
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.taken = list(state["taken"])


def local_of(settings: Settings) -> Local:
    """Return how one learns who learns alone.

    Where clients send gradients and the server takes the step, as in FedSGD, that is the server's step.
    """
    if settings.optimizer == "none":
        return Local("sgd", settings.learning_rate)
    return Local(settings.optimizer, settings.learning_rate, settings.weight_decay, settings.momentum)
