"""What a corpus reader is: one module with a `CARD` and a function `read`.

A reader knows the names and label files of its corpus and nothing else: it opens no audio, filters nothing
and maps labels only to the common code. It imports nothing heavy, because the workflow asks it where a
corpus is before any job starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from candor.corpora.emotions import EMOTIONS as EMOTIONS
from candor.runtime import Explained


class CorpusError(Explained, ValueError):
    """A corpus folder is not what its reader expects; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance as the corpus's own names and label files tell it.

    `label` is one of `EMOTIONS`, or empty where the label policy yields none (a tie, say); then `reason`
    says why. `votes` counts raters per emotion of the common code.
    """

    utterance: str
    path: str
    speaker: str
    gender: str = ""
    session: str = ""
    text: str = ""
    raw_label: str = ""
    label: str = ""
    reason: str = ""
    votes: Mapping[str, float] = field(default_factory=dict)
    arousal: float | None = None
    valence: float | None = None
    dominance: float | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file or label line that does not take part."""

    path: str
    kind: str
    reason: str
    utterance: str = ""


@dataclass(frozen=True)
class Reading:
    """All that a reader found: clips in order of their names, and what it could not use."""

    clips: list[Clip]
    rejected: list[Rejection] = field(default_factory=list)


@dataclass(frozen=True)
class Published:
    """The counts that a corpus's authors publish.

    `labels` maps a label policy to counts per emotion of the common code, before any class is left out.
    """

    files: int
    speakers: int
    labels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """What a person asks first about a corpus.

    Parameters
    ----------
    title, licence, url
        For lists and reports.
    redistributable
        Whether reports may embed its audio.
    layout
        The files and folders that must be there, in words, for error messages and docs.
    markers
        Patterns below the corpus folder of which at least one must match; they tell a corpus from a wrong path.
    policies
        Label policies; the first is the default.
    classes
        The emotions kept by default, in order.
    policy_classes
        The same for label policies under which it is another set.
    published
        Published counts, if there are any.
    """

    title: str
    licence: str
    url: str
    redistributable: bool
    layout: str
    markers: tuple[str, ...]
    classes: tuple[str, ...]
    policies: tuple[str, ...] = ("default",)
    policy_classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    published: Published | None = None

    def classes_of(self, policy: str) -> tuple[str, ...]:
        """Return the emotions kept by default under a label policy."""
        return self.policy_classes.get(policy, self.classes)


class Reader(Protocol):
    """A module of `candor.corpora.readers`."""

    CARD: Card

    def read(self, root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
        """Read names and label files below `root`.

        Parameters
        ----------
        root
            The corpus folder.
        policy
            One of `CARD.policies`.
        parity
            ``"trust-ser"`` to read as that system does, its mistakes included; None to read right.
        options
            Whatever else the dataset's entry in the config says to this reader, and under ``dataset`` the
            dataset's name. Most readers need neither.
        """
        ...
