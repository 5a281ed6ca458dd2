"""Which clips of a corpus take part in a dataset: by what is predicted, by class and by value."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from candor.corpora.emotions import EMOTIONS
from candor.corpora.reader import Card, Clip, CorpusError, Reading, Rejection
from candor.corpora.reasons import gist, listed

logger = logging.getLogger(__name__)

NOTHING = "nothing"
"""What is predicted of audio without labels."""

FILTER_COLUMNS = ("speaker", "gender", "session", "scenario", "text", "language", "split", "raw_label")


@dataclass(frozen=True)
class Choice:
    """What a clip must have to take part.

    Parameters
    ----------
    pred
        ``emotion``, the rating that is predicted, or ``nothing`` for audio without labels.
    classes
        The emotions that take part; None for all clips, with or without an emotion.
    wanted
        Allowed values of the columns `FILTER_COLUMNS`.
    """

    pred: str
    classes: tuple[str, ...] | None
    wanted: Mapping[str, frozenset[str]]

    def truth(self, clip: Clip) -> str | float | None:
        """Return what is to be predicted of a clip."""
        if self.pred in ("emotion", NOTHING):
            return clip.label
        rating: float | None = getattr(clip, self.pred)
        return rating

    def objection(self, clip: Clip) -> Rejection | None:
        """Return why a clip takes no part, or None if it does."""
        if clip.excluded:
            return Rejection(clip.path, "filter", clip.excluded, clip.utterance)
        for column, values in self.wanted.items():
            value = str(getattr(clip, column))
            if value not in values:
                return Rejection(clip.path, "filter", f"filtered by {column}: {value or 'blank'}", clip.utterance)
        if self.truth(clip) is None:
            return Rejection(clip.path, "label", f"no rating of {self.pred}", clip.utterance)
        if self.classes is None:
            return None
        if not clip.label:
            return Rejection(clip.path, "label", clip.reason or "no label", clip.utterance)
        if clip.label not in self.classes:
            return Rejection(clip.path, "filter", f"class not kept: {clip.label}", clip.utterance)
        return None


def choose(reading: Reading, choice: Choice, dataset: str) -> tuple[list[Clip], list[Rejection]]:
    """Split the clips into those that take part and the others.

    Raises
    ------
    CorpusError
        When none does, or none has a value that the config filters by.
    """
    for column, values in choice.wanted.items():
        there = Counter(str(getattr(clip, column)) for clip in reading.clips)
        absent = sorted(values - there.keys())
        if absent and len(absent) == len(values):
            key = f"datasets.{dataset}.filter.{column}"
            raise CorpusError(f"{key}: no clip has the {column} {' or '.join(absent)}; there are {listed(there)}")
        if absent:
            logger.warning("datasets.%s.filter.%s: no clip has the %s %s", dataset, column, column, " or ".join(absent))
    chosen: list[Clip] = []
    left_out: list[Rejection] = []
    for clip in sorted(reading.clips, key=lambda clip: clip.utterance):
        objection = choice.objection(clip)
        if objection is None:
            chosen.append(clip)
        else:
            left_out.append(objection)
    if not chosen and choice.classes is None:
        raise CorpusError(
            f"{dataset}: filter and pred keep no clip: {listed(Counter(gist(r.reason) for r in left_out))}"
        )
    if not chosen:
        labels = Counter(clip.label or f"none ({gist(clip.reason)})" for clip in reading.clips)
        raise CorpusError(f"{dataset}: filter and classes keep no clip; the labels there are: {listed(labels)}")
    return chosen, left_out


def make_choice(
    card: Card,
    policy: str,
    reading: Reading,
    *,
    dataset: str,
    pred: str,
    classes: str | Sequence[str],
    wanted: Mapping[str, Sequence[str]],
) -> Choice:
    """Return the choice that a dataset's entry in the config makes; a wish for what the corpus has not is an error.

    Parameters
    ----------
    card, policy, reading
        The corpus, its label policy in use, and its clips.
    dataset, pred, classes, wanted
        As in `candor.corpora.manifest.build`.
    """
    for column in wanted:
        if column not in FILTER_COLUMNS:
            known = ", ".join(FILTER_COLUMNS)
            raise CorpusError(f"datasets.{dataset}.filter: no column is called {column!r}; there are {known}")
    allowed = {column: frozenset(str(value) for value in values) for column, values in wanted.items()}
    return Choice(pred, _kept_classes(card, policy, reading, dataset, pred, classes), allowed)


def _kept_classes(
    card: Card, policy: str, reading: Reading, dataset: str, pred: str, classes: str | Sequence[str]
) -> tuple[str, ...] | None:
    if classes == "default":
        return card.classes_of(policy) if pred == "emotion" else None
    if classes == "all":
        return EMOTIONS
    wanted = (classes,) if isinstance(classes, str) else tuple(classes)
    there = Counter(clip.label for clip in reading.clips if clip.label)
    for emotion in wanted:
        if not there[emotion]:
            known = "has no clip" if emotion in EMOTIONS else "is no emotion of the common code"
            raise CorpusError(f"datasets.{dataset}.classes: {emotion!r} {known}; the corpus has {listed(there)}")
    return tuple(emotion for emotion in EMOTIONS if emotion in wanted)
