"""Which clips of which datasets are listened to, and who speaks in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from candor.backbones.pretraining.held_out import Clip

if TYPE_CHECKING:
    import pandas as pd


def clips_of(audio: pd.DataFrame, utterances: pd.DataFrame) -> list[Clip]:
    """Return the clips of a dataset.

    Parameters
    ----------
    audio
        Its audio index.
    utterances
        Its manifest.
    """
    speakers = dict(zip(utterances["utterance"], utterances["speaker"], strict=True))
    pairs = zip(audio["utterance"], audio["member"], strict=True)
    return [Clip(str(utterance), str(speakers[utterance]), str(member)) for utterance, member in pairs]


def speaker_rows(
    by_dataset: dict[str, list[Clip]], heard: tuple[str, ...], held_out: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return the rows of `PretrainingSpeakers`.

    Parameters
    ----------
    by_dataset
        The clips that were listened to.
    heard
        The speakers trained on.
    held_out
        Those that were only used to check; none where clips were held out instead.
    """
    rows = []
    for dataset, clips in by_dataset.items():
        for speaker in sorted({clip.speaker for clip in clips} & {*heard, *held_out}):
            part = "held out" if speaker in held_out else "trained" if held_out else "both"
            count = sum(clip.speaker == speaker for clip in clips)
            rows.append({"dataset": dataset, "speaker": speaker, "utterances": count, "part": part})
    return rows
