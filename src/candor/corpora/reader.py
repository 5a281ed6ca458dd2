"""What a corpus reader is: one module with a `CARD` and a function `read`.

A reader knows the names and label files of its corpus and nothing else: it opens no audio, filters nothing
and maps labels only to the common code. It imports nothing heavy, because the workflow asks it where a
corpus is before any job starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from candor.corpora.emotions import EMOTIONS as EMOTIONS
from candor.runtime import Explained

Scheme = Literal["speakers", "sessions", "leave_one_speaker_out", "texts", "official"]
"""What a fold is made of; `candor.splits.schemes` says how."""


class CorpusError(Explained, ValueError):
    """A corpus folder is not what its reader expects; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance as the corpus's own names and label files tell it; what they do not tell stays blank.

    Parameters
    ----------
    utterance
        A name that no other clip of the corpus has.
    path
        Its recording, below the corpus folder.
    speaker
        Who speaks, the corpus's name first; blank where the corpus itself does not know.
    gender
        ``female`` or ``male``.
    session
        The recording session, dyad or podcast.
    scenario
        How the clip came about, in the corpus's own code: improvised or read, say.
    text
        Identity of the sentence, the same for all clips of one wording.
    language, age, race, ethnicity
        Of the speaker; the age in years.
    split
        Part of the official partition: ``train``, ``dev``, ``test``, or ``test1`` and so on where there are several.
    excluded
        Why the system that is read after, under `parity`, leaves the clip out; blank for clips that it takes.
    raw_label, label, reason
        The label as the corpus has it, and in the code `EMOTIONS`; where the label policy yields none (a tie, say)
        the latter is blank and `reason` says why.
    votes
        Raters per emotion of the common code.
    arousal, valence, dominance
        Ratings on the corpus's own scale.
    """

    utterance: str
    path: str
    speaker: str
    gender: str = ""
    session: str = ""
    scenario: str = ""
    text: str = ""
    language: str = ""
    age: float | None = None
    race: str = ""
    ethnicity: str = ""
    split: str = ""
    raw_label: str = ""
    label: str = ""
    reason: str = ""
    votes: Mapping[str, float] = field(default_factory=dict)
    arousal: float | None = None
    valence: float | None = None
    dominance: float | None = None
    excluded: str = ""


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

    `labels` maps a label policy to counts per emotion of the common code, before any class is left out;
    `sessions` is the number of sessions or dyads, where there are any, and `splits` counts the clips of each
    part of the official partition.
    """

    files: int
    speakers: int
    labels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sessions: int = 0
    splits: Mapping[str, int] = field(default_factory=dict)


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
    dimensions
        Which of arousal, valence and dominance are rated.
    schemes
        How this corpus can be split; the first is the default.
    dyads
        Whether the people of one session talk to each other; then no fold puts them in different parts.
    parities
        The systems whose own reading can be had under `parity`, and what their folds are made of.
    published
        Published counts, if there are any.
    labelled
        Whether anything is told of what is expressed. Audio alone is there to pretrain on.
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
    dimensions: tuple[str, ...] = ()
    schemes: tuple[Scheme, ...] = ("speakers", "leave_one_speaker_out")
    dyads: bool = False
    parities: Mapping[str, Scheme] = field(default_factory=dict)
    published: Published | None = None
    labelled: bool = True

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
            One of `CARD.parities`, to read as that system does, its mistakes included; None to read right.
        options
            Whatever else the dataset's entry in the config says to this reader, under ``dataset`` the
            dataset's name, and under ``pred`` what is predicted. Most readers need none of them.
        """
        ...
