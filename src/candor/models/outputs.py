"""What a network says of examples: its outputs, and the rows of predictions that they make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from candor.models.tasks import Emotion, Rating

if TYPE_CHECKING:
    import pandas as pd

    from candor.models.inputs import Inputs

SCORED_AT_ONCE = 64
WHO = ["utterance", "speaker", "gender", "session"]

Row = dict[str, Any]


def outputs_of(
    network: nn.Module, inputs: Inputs, numbers: Sequence[int], device: str = "cpu", at_once: int = SCORED_AT_ONCE
) -> torch.Tensor:
    """Return what a network says of utterances, [utterances, outputs], on the CPU."""
    network.eval()
    with torch.no_grad():
        parts = [
            network(inputs.batch(numbers[start : start + at_once], device)).cpu()
            for start in range(0, len(numbers), at_once)
        ]
    return torch.cat(parts)


def predicted(fold: int, seed: int, rows: pd.DataFrame, task: Emotion | Rating, outputs: torch.Tensor) -> Iterator[Row]:
    """Yield a row of `Predictions` or `RatingPredictions` per test utterance.

    Parameters
    ----------
    fold, seed
        Of the network.
    rows
        Rows of the fold's table, of the utterances.
    task
        What the outputs mean.
    outputs
        [utterances, outputs].
    """
    who = [dict(zip(WHO, person, strict=True)) for person in rows[WHO].itertuples(index=False, name=None)]
    if isinstance(task, Emotion):
        chances = torch.softmax(outputs.double(), dim=1).numpy()
        for person, label, chance in zip(who, rows["label"], chances, strict=True):
            yield {
                **person,
                "fold": fold,
                "seed": seed,
                "label": label,
                "predicted": task.classes[int(chance.argmax())],
                **{f"p_{name}": float(p) for name, p in zip(task.classes, chance, strict=True)},
            }
        return
    for person, value, said in zip(who, rows["value"], task.ratings(outputs.double()).tolist(), strict=True):
        yield {**person, "fold": fold, "seed": seed, "value": float(value), "predicted": said}
