"""How many test speakers a backbone has heard before, in its pretraining here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from candor.stats.clustering import clusters
from candor.tables.audio import AudioIndex
from candor.tables.pretraining import PretrainingSpeakers

if TYPE_CHECKING:
    import pandas as pd


def speakers_heard(predictions: pd.DataFrame, speakers: str, audio: str, heard_audio: Sequence[str]) -> int:
    """Return how many test speakers a backbone was pretrained on, be it only to check.

    They are known by their names, and, as the same recordings may come under other names or none, by their audio.

    Parameters
    ----------
    predictions
        Rows of test utterances.
    speakers
        The `PretrainingSpeakers` of the backbone.
    audio
        The `AudioIndex` of the dataset that is tested.
    heard_audio
        Those of the datasets that the backbone was pretrained on.
    """
    names = set(PretrainingSpeakers.read(speakers)["speaker"]) - {""}
    members = set().union(*(AudioIndex.read(index)["member"] for index in heard_audio))
    tested = AudioIndex.read(audio)
    same = set(tested["utterance"][tested["member"].isin(members)])
    heard = predictions["speaker"].isin(names) | predictions["utterance"].isin(same)
    return int(clusters(predictions)[heard].nunique())
