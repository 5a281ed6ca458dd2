"""Who stays together: speakers on their own, or all who share a session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, order=True)
class Unit:
    """People whom no fold parts, in order of their sessions, then of their names.

    `sessions` is empty for a speaker who is taken alone, whatever the sessions; `genders` has one entry per speaker.
    """

    sessions: tuple[str, ...]
    speakers: tuple[str, ...]
    genders: tuple[str, ...]

    def __str__(self) -> str:
        return "+".join(self.sessions or self.speakers)


def genders_of(clips: pd.DataFrame) -> dict[str, str]:
    """Return the gender of each speaker; blank where not known."""
    return {str(speaker): str(gender) for speaker, gender in clips.groupby("speaker")["gender"].max().items()}


def single_speakers(clips: pd.DataFrame) -> list[Unit]:
    """Return each speaker on their own."""
    return [Unit((), (speaker,), (gender,)) for speaker, gender in sorted(genders_of(clips).items())]


def session_units(clips: pd.DataFrame) -> list[Unit]:
    """Return the speakers in groups that have no session in common.

    Where someone takes part in two sessions, both stay together. A speaker without a session is alone.
    """
    genders = genders_of(clips)
    sessions: dict[str, set[str]] = {speaker: set() for speaker in genders}
    for speaker, session in clips[["speaker", "session"]].drop_duplicates().itertuples(index=False, name=None):
        if session:
            sessions[speaker].add(session)
    units = []
    for group in _groups(sessions):
        speakers = tuple(sorted(group))
        names = sorted({session for speaker in speakers for session in sessions[speaker]})
        units.append(Unit(tuple(names), speakers, tuple(genders[speaker] for speaker in speakers)))
    return sorted(units)


def _groups(sessions: Mapping[str, set[str]]) -> Iterator[set[str]]:
    """Yield the connected components of the graph that joins each speaker to his or her sessions."""
    heard: dict[str, set[str]] = defaultdict(set)
    for speaker, own in sessions.items():
        for session in own:
            heard[session].add(speaker)
    left = set(sessions)
    while left:
        todo = [left.pop()]
        group = set(todo)
        while todo:
            for session in sessions[todo.pop()]:
                met = heard[session] & left
                left -= met
                group |= met
                todo += met
        yield group
