"""The label code common to all corpora."""

from collections.abc import Iterable

EMOTIONS = (
    "neutral",
    "anger",
    "sadness",
    "happiness",
    "fear",
    "disgust",
    "surprise",
    "calm",
    "excitement",
    "boredom",
    "frustration",
    "contempt",
    "other",
)
"""The common label code, in the order in which classes are listed everywhere."""


def classes_in(labels: Iterable[str]) -> list[str]:
    """Return the emotions that occur among `labels`, in the order of `EMOTIONS`."""
    present = set(labels)
    return [name for name in EMOTIONS if name in present]
