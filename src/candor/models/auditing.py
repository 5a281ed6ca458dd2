"""What audits of trained models share: the utterances that a fold tests, and whether models are still the ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch

from candor.features.clips import Clip, cut_clips
from candor.runtime import Explained

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

DEVIATING = 0.02
"""Share of test utterances of which a model may say something else than when it was trained."""

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Utterance:
    """An utterance that a model is tested on.

    Parameters
    ----------
    clip
        Its audio, as much of it as the model is given.
    number
        Its number in the table of the fold.
    label
        The true emotion.
    """

    clip: Clip
    number: int
    label: str


def tested_utterances(table: pd.DataFrame, audio: pd.DataFrame, seconds: float | None) -> list[Utterance]:
    """Return the test utterances of a fold, the longest first.

    Parameters
    ----------
    table
        The table of the fold.
    audio
        The audio index.
    seconds
        The most that is used of a clip; None for all of it.
    """
    own = audio.set_index("utterance").loc[list(table["utterance"]), ["member", "samples"]]
    rows = [(str(name), str(member), int(samples)) for name, member, samples in own.itertuples(name=None)]
    tested = [
        Utterance(clip, number, str(label))
        for number, (clip, label, part) in enumerate(
            zip(cut_clips(rows, seconds), table["label"], table["part"], strict=True)
        )
        if part == "test"
    ]
    return sorted(tested, key=lambda own: (-own.clip.samples, own.clip.member, own.clip.utterance))


def check_same_answers(
    said: Mapping[str, bool], whose: str, error: type[Explained], what: str = "test utterances", because: str = ""
) -> None:
    """Refuse a model that says something else of clean utterances than when it was trained.

    Parameters
    ----------
    said
        Whether it says of each utterance what it said then.
    whose
        Which model that is, in words.
    error
        What is raised.
    what
        What the utterances are, in words.
    because
        Why a few may differ, for the log.
    """
    other = [name for name, same in said.items() if not same]
    if len(other) > max(2, DEVIATING * len(said)):
        raise error(
            f"{whose} says something else of {len(other)} of {len(said)} {what} than when it was trained, such as "
            f"{other[0]}: backbone, audio or model is not what it was then; delete the models of this dataset to have "
            "them trained anew"
        )
    if other:
        words = "of %d of %d clean utterances %s says something else than when it was trained%s"
        logger.info(words, len(other), len(said), whose, f", {because}" if because else "")


def in_memory(batch: list[Given], do: Callable[[list[Given]], list[Made]]) -> list[Made]:
    """Do something with a batch; one that does not fit into the memory of a GPU is done in halves."""
    try:
        return do(batch)
    except torch.OutOfMemoryError:
        if len(batch) == 1:
            raise
    torch.cuda.empty_cache()
    middle = len(batch) // 2
    return [*in_memory(batch[:middle], do), *in_memory(batch[middle:], do)]
