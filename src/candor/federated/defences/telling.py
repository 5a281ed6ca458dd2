"""What the log says of a defence, and what a guarantee to a client is worth to a person."""

from __future__ import annotations

import logging

from candor.federated.defences.treatment import Treatment
from candor.federated.settings import Settings

logger = logging.getLogger(__name__)

NOT_PER_PERSON = "the guarantee is not per person"


def unit_of(partition: str, settings: Settings) -> str:
    """Return in words what is guarded as a whole.

    Parameters
    ----------
    partition
        How clients were made; never `auto`.
    settings
        Of the run.
    """
    match partition:
        case "speaker":
            return "a client, which is a speaker"
        case "speaker_shards":
            return f"a client, which is one of {settings.shards} parts of a speaker's clips: {NOT_PER_PERSON}"
        case "session":
            return f"a client, which is a session: of whoever speaks in several, {NOT_PER_PERSON}"
    of = "everybody's clips" if settings.workload == "emotion" else "all images"
    return f"a client, which is one of {settings.clients} parts of {of}: {NOT_PER_PERSON}"


def tell_of(treatment: Treatment, unit: str) -> None:
    """Log what is done to updates and what that is worth, with a warning where it is worth less than one might think.

    Parameters
    ----------
    treatment
        What is done.
    unit
        What `unit_of` returns.
    """
    if said := treatment.announcement():
        logger.info("defence %s: %s", treatment.kind, said)
    if treatment.defence.guarantees:
        logger.info("what epsilon is of: %s", unit)
    if caution := treatment.caution():
        logger.warning("defence %s: %s", treatment.kind, caution)


def tell_ending(treatment: Treatment, rounds: int) -> None:
    """Log why a run ended before all its rounds, if it is the budget that did it.

    Parameters
    ----------
    treatment
        What is done to updates.
    rounds
        How many rounds there were.
    """
    wanted = treatment.settings.num_epochs
    if rounds < wanted and (why := treatment.ending()):
        logger.info("ended after %d of %d rounds: %s", rounds, wanted, why)
