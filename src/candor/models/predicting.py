"""Label recordings with trained models: no dataset, no manifest, no store."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from candor.audio.conversion import RATE, AudioError, convert, decode
from candor.corpora.inspection import Limits, judge, measure
from candor.corpora.listing import files as files_below
from candor.corpora.readers.folder import RECORDINGS
from candor.features.clips import FeatureError
from candor.models.answering import Answering, Recording
from candor.models.ensemble import Ensemble
from candor.models.listening import Listener
from candor.models.loading import Model
from candor.models.tasks import Emotion, Rating
from candor.runtime import Explained, Progress
from candor.tables.predicted import FilePredictions, FileRatings

Row = dict[str, Any]

LIMITS = Limits(min_duration=0.0, max_duration=math.inf)
"""What is broken or silent is refused as it is in corpora; how long a recording must be is the backbone's business."""


class PredictionError(Explained, ValueError):
    """There is nothing that could be labelled."""


@dataclass
class Labelled:
    """What models say about recordings.

    Parameters
    ----------
    rows
        Those of the table `FilePredictions` or `FileRatings`, in the order of the files.
    refused
        Why there is no row for a file.
    cut
        How many recordings are longer than what the models were given of them.
    """

    rows: list[Row] = field(default_factory=list)
    refused: dict[Path, str] = field(default_factory=dict)
    cut: int = 0


def find_recordings(paths: Sequence[Path]) -> list[Path]:
    """Return the files among `paths`, whatever they are called, and all recordings in the folders among them."""
    found: list[Path] = []
    for path in paths:
        below = [path / name for name in files_below(path, *RECORDINGS)] if path.is_dir() else [path]
        if not below:
            raise PredictionError(f"{path} holds no recording; {', '.join(RECORDINGS)} are looked for")
        found += below
    return list(dict.fromkeys(found))


def label(files: Sequence[Path], ensemble: Ensemble, weights: Path | None = None, device: str = "cpu") -> Labelled:
    """Return what models say about recordings, on average.

    Where hidden states are normalised by speaker, all recordings are taken to be of one.

    Parameters
    ----------
    files
        The recordings.
    ensemble
        The models.
    weights
        The folder with the files of their backbone; None for where their project keeps them.
    device
        What to run on.
    """
    answering = Answering(ensemble, Listener(ensemble, weights, device))
    labelled, models = Labelled(), ensemble.models
    if answering.speakers:
        _each(files, labelled, "listen to the speaker", answering.meet)

    def answer(recording: Recording) -> None:
        outputs = answering.outputs(recording)
        heard = max(recording.used(model) for model in models)
        labelled.rows.append({"file": recording.name, "heard": heard / RATE, **average(models, outputs)})
        labelled.cut += heard < len(recording.waveform)

    _each(files, labelled, "predict", answer)
    return labelled


def write_labelled(labelled: Labelled, ensemble: Ensemble, path: Path) -> None:
    """Write what models say as a table."""
    (FilePredictions if isinstance(ensemble.task, Emotion) else FileRatings).write(labelled.rows, path)


def read_recording(path: Path) -> Recording:
    """Return a recording at 16 kHz.

    Raises
    ------
    AudioError
        When it cannot be decoded, not all of it is there, or nothing can be heard.
    """
    problem = judge(measure(str(path)), LIMITS).problem
    if problem:
        raise AudioError(f"{path}: {problem}")
    return Recording(str(path), torch.from_numpy(decode(convert(path))))


def average(models: Sequence[Model], outputs: Sequence[torch.Tensor]) -> Row:
    """Return the mean of what models say about a recording, and how far they agree.

    Parameters
    ----------
    models
        All with the same task.
    outputs
        Of each, [1, outputs].
    """
    tasks = [model.task for model in models]
    if isinstance(tasks[0], Emotion):
        each = torch.stack([torch.softmax(own[0], dim=0) for own in outputs])
        mean = each.mean(dim=0)
        first = int(mean.argmax())
        return {
            "predicted": tasks[0].classes[first],
            "models": len(models),
            "agreeing": int((each.argmax(dim=1) == first).sum()),
            **{f"p_{name}": float(chance) for name, chance in zip(tasks[0].classes, mean, strict=True)},
        }
    # Each model has a scale of its own: mean and deviation of its training utterances.
    told = [float(task.ratings(own)) for task, own in zip(tasks, outputs, strict=True) if isinstance(task, Rating)]
    return {
        "predicted": float(np.mean(told)),
        "models": len(told),
        "sd": float(np.std(told, ddof=1)) if len(told) > 1 else None,
    }


def _each(files: Sequence[Path], labelled: Labelled, what: str, do: Callable[[Recording], None]) -> None:
    """Do something with every recording that was not refused; note which cannot be used, and why."""
    todo = [file for file in files if file not in labelled.refused]
    with Progress(len(todo), what, "recording") as progress:
        for file in todo:
            try:
                do(read_recording(file))
            except (AudioError, FeatureError) as error:
                labelled.refused[file] = str(error).removeprefix(f"{file}: ")
            progress.advance()
