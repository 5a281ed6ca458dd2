"""MSP-IMPROV: six pairs of actors improvise, chat between takes, and read twenty sentences.

One text file holds all labels: a line per clip, and below it a line per rater.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from candor.corpora.file_names import find_recordings
from candor.corpora.label_files import find_label_file, once, rating, read_text
from candor.corpora.listing import files
from candor.corpora.raters import Opinion, Ratings, count_votes, votes_left_blank
from candor.corpora.reader import Card, Clip, Published, Reading, Rejection

LABEL_FILES = ("Evalution.txt", "Evaluation.txt")
"""The label file as it is released, and as copies of the corpus spell it."""

NAME = re.compile(
    r"(?:MSP|UTD)-IMPROV-(?P<scene>(?P<sentence>S(?:0[1-9]|1\d|20))[AHNS])"
    r"-(?P<speaker>(?P<gender>[FM])0(?P<dyad>[1-6]))-(?P<scenario>[PRST])"
    r"-(?:(?<=R-)(?:FF|MM)|(?<=[PST]-)(?:FM|MF))\d{2,3}"
)
"""Only read sentences have no partner: their last field names one gender, all others name two."""

RATINGS = r"A:([^;]*); *V:([^;]*); *D:([^;]*); *N:([^;]*); *"
CLIP_LINE = re.compile(r"(UTD-IMPROV-[\w-]+)\.avi; *([A-Z]); *" + RATINGS)
RATER_LINE = re.compile(r"([\w-]+); *([A-Za-z]+);(?:.*;)? *" + RATINGS)

EMOTION_CODES = {"A": "anger", "S": "sadness", "H": "happiness", "N": "neutral", "O": "other", "X": ""}
RATERS_WORDS = {"Angry": "anger", "Sad": "sadness", "Happy": "happiness", "Neutral": "neutral", "Other": "other"}
TARGET_SENTENCES = ("R", "T")
NOT_A_NAME = "not a MSP-IMPROV name: MSP-IMPROV-S01A-F01-P-FM01 would be one"

RELEASED = re.compile(r"(?:.*/)?session\d/S\d\d\w/[PRST]/[^/]*")

CARD = Card(
    title="MSP-IMPROV",
    licence="academic, by an agreement with UT Dallas",
    url="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Improv.html",
    redistributable=False,
    layout=f"{LABEL_FILES[0]} and Audio/session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav and so on",
    markers=(*LABEL_FILES, *(f"*/{name}" for name in LABEL_FILES)),
    classes=("neutral", "anger", "sadness", "happiness"),
    dimensions=("arousal", "valence", "dominance"),
    schemes=("sessions", "speakers", "leave_one_speaker_out", "texts"),
    dyads=True,
    parities={"trust-ser": "sessions", "fed-ser-leakage": "speakers"},
    published=Published(
        files=8438,
        speakers=12,
        labels={"default": {"neutral": 3477, "anger": 792, "sadness": 885, "happiness": 2644, "other": 85}},
        sessions=6,
    ),
)


@dataclass(slots=True)
class Block:
    """The lines on one clip: what they agree on, and each rater's opinion, in order.

    `doubtful` says that a line of it could not be read.
    """

    number: int
    utterance: str
    label: str
    ratings: Ratings
    opinions: list[Opinion] = field(default_factory=list)
    doubtful: bool = False


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the label file and the names of the recordings below `root`."""
    found = files(root, ".wav", ".txt")
    name, rejected = find_label_file(root, found, LABEL_FILES)
    # What is read of a line is plain ASCII, or the line is none: a stray byte costs its line and not the file.
    blocks, unread = _read_blocks(read_text(root, name, encoding="latin-1"), name)
    kept, repeated = once(name, [(block.number, block.utterance, (block.label, block.ratings)) for block in blocks])
    recordings = [path for path in found if path.lower().endswith(".wav")]
    paths, no_names = find_recordings(
        recordings, _utterance_of, NOT_A_NAME, lambda path: RELEASED.fullmatch(path) is not None
    )
    votes, without = _count_votes(name, blocks)
    rejected += [*unread, *repeated, *no_names, *without]
    clips: list[Clip] = []
    for utterance, (label, ratings) in kept.items():
        clip = _clip(str(utterance), label, ratings, votes, paths.get(str(utterance)), Path(name).parent)
        if parity == "fed-ser-leakage" and clip.scenario in ("P", "R"):
            clip = replace(clip, excluded=f"left out by fed-ser-leakage: scenario {clip.scenario}")
        clips.append(clip)
    named = {block.utterance for block in blocks} | {rejection.utterance for rejection in unread}
    rejected += [
        Rejection(path, "label", f"no line in {name}", utterance)
        for utterance, path in paths.items()
        if utterance not in named
    ]
    return Reading(sorted(clips, key=lambda clip: clip.utterance), rejected)


def _utterance_of(stem: str) -> str:
    return f"MSP{stem[3:]}" if NAME.fullmatch(stem) else ""


def _read_blocks(text: str, name: str) -> tuple[list[Block], list[Rejection]]:
    """Return the lines on each clip, and those lines on clips that cannot be read."""
    blocks: list[Block] = []
    rejected: list[Rejection] = []
    block: Block | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("UTD-"):
            found = _read_clip_line(line.rstrip(), number, name)
            block = found if isinstance(found, Block) else None
            if isinstance(found, Block):
                blocks.append(found)
            else:
                rejected.append(found)
        elif line.strip() and block:
            opinion = _read_rater_line(line.rstrip())
            if opinion:
                block.opinions.append(opinion)
            block.doubtful |= opinion is None
    return blocks, rejected


def _read_clip_line(line: str, number: int, name: str) -> Block | Rejection:
    match = CLIP_LINE.fullmatch(line)
    named = NAME.match(line)
    utterance = f"MSP{named[0][3:]}" if named else ""
    if match is None:
        return Rejection(name, "label", f"cannot be read: line {number}", utterance)
    if named is None or named[0] != match[1]:
        return Rejection(name, "label", f"not a MSP-IMPROV name: line {number} says {match[1]}")
    if match[2] not in EMOTION_CODES:
        return Rejection(name, "label", f"unknown label: line {number} says {match[2]}", utterance)
    try:
        ratings = tuple(rating(cell, 1, 5) for cell in match.groups()[2:])
    except ValueError as error:
        return Rejection(name, "label", f"impossible rating: line {number}, {error}", utterance)
    return Block(number, utterance, match[2], ratings)


def _read_rater_line(line: str) -> Opinion | None:
    """Return the opinion of a rater, or None for a line that is none."""
    match = RATER_LINE.fullmatch(line)
    if match is None or match[2] not in RATERS_WORDS:
        return None
    try:
        ratings = tuple(rating(cell, 1, 5) for cell in match.groups()[2:])
    except ValueError:
        return None
    return Opinion(match[1], RATERS_WORDS[match[2]], ratings)


def _count_votes(name: str, blocks: Iterable[Block]) -> tuple[dict[str, dict[str, float]], list[Rejection]]:
    """Return the votes by utterance, and in one line for how many clips their lines do not add up."""
    votes: dict[str, dict[str, float]] = {}
    doubtful: set[str] = set()
    for block in blocks:
        twice = block.utterance in votes
        counted = None if block.doubtful or twice else count_votes(block.opinions, block.ratings)
        if counted is None:
            doubtful.add(block.utterance)
        else:
            votes[block.utterance] = counted
    sure = {utterance: counted for utterance, counted in votes.items() if utterance not in doubtful}
    return sure, votes_left_blank(name, doubtful)


def _clip(
    utterance: str,
    label: str,
    ratings: Ratings,
    votes: Mapping[str, Mapping[str, float]],
    path: str | None,
    home: Path,
) -> Clip:
    """Return the clip of an utterance, whose name is one; `home` is the folder of the label file."""
    match = NAME.fullmatch(utterance)
    assert match is not None
    activation, valence, dominance, _ = ratings
    scenario = match["scenario"]
    folder = home / "Audio" / f"session{match['dyad']}" / match["scene"] / scenario
    return Clip(
        utterance=utterance,
        path=path or (folder / f"{utterance}.wav").as_posix(),
        speaker=f"msp_improv_{match['speaker']}",
        gender={"F": "female", "M": "male"}[match["gender"]],
        session=f"session{match['dyad']}",
        scenario=scenario,
        text=match["sentence"] if scenario in TARGET_SENTENCES else "",
        raw_label=label,
        label=EMOTION_CODES[label],
        reason="" if EMOTION_CODES[label] else "no agreement",
        votes=votes.get(utterance, {}),
        # The file counts activation from 1, very active, to 5, very passive.
        arousal=None if activation is None else round(6 - activation, 6),
        valence=valence,
        dominance=dominance,
    )
