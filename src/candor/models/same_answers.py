"""Whether trained models are still the ones that they were: by what they say of clean utterances."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from candor.runtime import Explained

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

DEVIATING = 0.02
"""Share of test utterances of which a model may say something else than when it was trained; two it may in any case."""


Answer = str | float
"""An emotion or a rating."""


def stored_answers(predictions: pd.DataFrame, seed: int) -> dict[str, Answer]:
    """Return what the model of a seed said of each utterance when it was trained.

    Parameters
    ----------
    predictions
        Rows of `Predictions` or `RatingPredictions` of one fold.
    seed
        Which model.
    """
    own = predictions[predictions["seed"] == seed]
    return dict(zip(own["utterance"].tolist(), own["predicted"].tolist(), strict=True))


def same_answers(said: Mapping[str, Answer], stored: Mapping[str, Answer], apart: float) -> dict[str, bool]:
    """Return of each utterance whether the same is said of it as before; of which nothing was said, it is not.

    Parameters
    ----------
    said, stored
        What is said now and what was said then, by utterance.
    apart
        By how much a rating may deviate, in its own unit.

    Examples
    --------
    >>> same_answers({"a": "anger", "b": "anger"}, {"a": "anger"}, 0.0)
    {'a': True, 'b': False}
    >>> same_answers({"a": 2.0, "b": 2.0}, {"a": 2.25, "b": 3.0}, 0.5)
    {'a': True, 'b': False}
    """
    return {name: name in stored and _alike(own, stored[name], apart) for name, own in said.items()}


def _alike(said: Answer, stored: Answer, apart: float) -> bool:
    return said == stored if isinstance(said, str) else abs(said - float(stored)) <= apart


def check_same_answers(same: Mapping[str, bool], whose: str, error: type[Explained], because: str = "") -> None:
    """Refuse a model that says something else of clean utterances than when it was trained.

    Parameters
    ----------
    same
        Whether it says of each utterance what it said then.
    whose
        Which model that is, in words.
    error
        What is raised.
    because
        Why a few may differ, for the log.
    """
    other = [name for name, alike in same.items() if not alike]
    if len(other) > max(2, DEVIATING * len(same)):
        raise error(
            f"{whose} says something else of {len(other)} of {len(same)} test utterances than when it was trained, "
            f"such as {other[0]}: backbone, audio or model is not what it was then; delete the models of this dataset "
            "to have them trained anew"
        )
    if other:
        words = "of %d of %d clean utterances %s says something else than when it was trained%s"
        logger.info(words, len(other), len(same), whose, f", {because}" if because else "")
