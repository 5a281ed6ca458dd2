"""All defences, by the names that the config has for them."""

from __future__ import annotations

from candor.federated.defences.client_dp import ClientDp
from candor.federated.defences.compressed import Signs, TopK
from candor.federated.defences.local_dp import LocalDp
from candor.federated.defences.treatment import Treatment
from candor.federated.defences.user_dp import UserDp
from candor.federated.settings import Settings
from candor.federated.vectors import Layout

TREATMENTS: dict[str, type[Treatment]] = {
    treatment.kind: treatment for treatment in (Treatment, ClientDp, LocalDp, UserDp, Signs, TopK)
}


def treatment_of(settings: Settings, layout: Layout, clients: int) -> Treatment:
    """Return what is done to the updates of a run.

    Parameters
    ----------
    settings
        Of the run.
    layout
        Of its model.
    clients
        How many there are.

    Raises
    ------
    FederatedError
        When the model or the budget does not allow for it.
    """
    return TREATMENTS[settings.defence.kind](settings, layout, clients)
