"""Whether trained models are still the ones that they were: by what they say of clean utterances."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from candor.runtime import Explained

logger = logging.getLogger(__name__)

DEVIATING = 0.02
"""Share of test utterances of which a model may say something else than when it was trained; two it may in any case."""


def check_same_answers(said: Mapping[str, bool], whose: str, error: type[Explained], because: str = "") -> None:
    """Refuse a model that says something else of clean utterances than when it was trained.

    Parameters
    ----------
    said
        Whether it says of each utterance what it said then.
    whose
        Which model that is, in words.
    error
        What is raised.
    because
        Why a few may differ, for the log.
    """
    other = [name for name, same in said.items() if not same]
    if len(other) > max(2, DEVIATING * len(said)):
        raise error(
            f"{whose} says something else of {len(other)} of {len(said)} test utterances than when it was trained, "
            f"such as {other[0]}: backbone, audio or model is not what it was then; delete the models of this dataset "
            "to have them trained anew"
        )
    if other:
        words = "of %d of %d clean utterances %s says something else than when it was trained%s"
        logger.info(words, len(other), len(said), whose, f", {because}" if because else "")
