"""IEMOCAP: ten actors in five pairs, who improvise and act scripts; labels per turn in one file per dialogue.

The first letter of a turn's name, as in ``Ses01F_impro01_M003``, says who of the pair wore the motion capture markers,
and not who speaks. That is the letter of the last field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from candor.corpora.label_files import once, rating, read_text
from candor.corpora.listing import files
from candor.corpora.reader import Card, Clip, CorpusError, Published, Reading, Rejection
from candor.corpora.wording import decoded, wording

NAME = re.compile(
    r"(?P<dialogue>Ses0(?P<session>[1-5])[FM]_(?P<scenario>impro|script)0[1-9][ab]?(?:_\db?)?)"
    r"_(?P<speaker>[FM])\d{3}"
)
SUMMARY = re.compile(
    r"\[\d+\.\d+ - \d+\.\d+\]\s+(?P<utterance>\S+)\s+(?P<code>\w{3})"
    r"\s+\[(?P<val>\d+\.\d+), (?P<act>\d+\.\d+), (?P<dom>\d+\.\d+)\]\s*"
)
EVALUATOR = re.compile(r"C-E(?P<who>\d+):(?P<said>[^()]*);\s*\(.*\)\s*")
ATTRIBUTE = re.compile(r"\b(val|act|dom)\s+\d")
TRANSCRIBED = re.compile(r"(?P<utterance>Ses\w+)\s+\[[\d.]+-[\d.]+\]:(?P<words>.*)")
NO_WORDS = re.compile(r"\[[^][]*\]")
"""Laughter, breath and so on, in the midst of the words."""

CODES = {
    "ang": "anger",
    "hap": "happiness",
    "exc": "excitement",
    "sad": "sadness",
    "neu": "neutral",
    "fru": "frustration",
    "fea": "fear",
    "sur": "surprise",
    "dis": "disgust",
    "oth": "other",
}
NO_AGREEMENT = "xxx"
WORDS = {
    "anger": "anger",
    "happiness": "happiness",
    "excited": "excitement",
    "sadness": "sadness",
    "neutral": "neutral",
    "neutral state": "neutral",
    "frustration": "frustration",
    "fear": "fear",
    "surprise": "surprise",
    "disgust": "disgust",
    "other": "other",
}
GENDERS = {"F": "female", "M": "male"}
DIMENSIONS = {"valence": "val", "arousal": "act", "dominance": "dom"}

LOWEST, HIGHEST = 1, 5
FEWEST_VOTERS, FEWEST_RATERS = 3, 2
"""Every turn has this many people who name its emotion, and who rate it. With fewer, its lines are cut."""

SESSIONS = tuple(f"Session{number}" for number in range(1, 6))
LABELS = "dialog/EmoEvaluation"
TRANSCRIPTS = "dialog/transcriptions"
AUDIO = "sentences/wav"
DIALOGUES = "dialog/wav"
BYTE_ORDER_MARK = "ï»¿"
"""Of UTF-8, read as Latin-1."""

NOT_A_NAME = "not an IEMOCAP name: Ses01F_impro01_M003 would be one"
NOT_A_DIALOGUE = "not the label file of a dialogue of this session: Ses01F_impro01.txt would be one of Session1"

_FOUR = ("neutral", "anger", "sadness", "happiness")
_COUNTS = {
    "neutral": 1708,
    "anger": 1103,
    "sadness": 1084,
    "happiness": 595,
    "fear": 40,
    "disgust": 2,
    "surprise": 107,
    "frustration": 1849,
    "other": 3,
}

CARD = Card(
    title="IEMOCAP",
    licence="for research, on request, not to be passed on",
    url="https://sail.usc.edu/iemocap/",
    redistributable=False,
    layout="Session1 to Session5, each with dialog/EmoEvaluation/Ses01F_impro01.txt and so on"
    " and sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav and so on",
    markers=(f"Session*/{LABELS}/Ses*.txt", f"*/Session*/{LABELS}/Ses*.txt"),
    classes=_FOUR,
    policies=("excited_merged", "excited_apart", "excited_left_out"),
    policy_classes={"excited_apart": (*_FOUR, "excitement")},
    dimensions=("arousal", "valence", "dominance"),
    schemes=("sessions", "speakers", "leave_one_speaker_out", "texts"),
    dyads=True,
    parities={"trust-ser": "sessions", "fed-ser-leakage": "speakers"},
    published=Published(
        files=10039,
        speakers=10,
        sessions=5,
        labels={
            "excited_merged": {**_COUNTS, "happiness": 595 + 1041},
            "excited_apart": {**_COUNTS, "excitement": 1041},
            "excited_left_out": _COUNTS,
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a label file says of one turn: its summary, and below it the lines of those who judged it."""

    number: int
    summary: str
    judged: list[str]


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the label files of all dialogues, and list the recordings that they do not name.

    trust-ser reads as we do. fed-ser-leakage reads improvised dialogues only.
    """
    release = _release(root)
    found = [f"{release}{session}/{path}" for session in SESSIONS for path in _inside(root / release / session)]
    clips: list[Clip] = []
    rejected: list[Rejection] = []
    for name in filter(_is_label_file, found):
        try:
            reading = read_dialogue(root, name, policy)
        except CorpusError as error:  # one dialogue is no reason to give up the others
            said = str(error).removeprefix(f"{root / name}: ")
            reading = Reading([], [Rejection(name, "label", f"label file not usable: {said}")])
        clips += reading.clips
        rejected += reading.rejected
    if parity == "fed-ser-leakage":
        excluded = "left out by fed-ser-leakage: scripted"
        clips = [replace(clip, excluded=excluded) if clip.scenario == "script" else clip for clip in clips]
    known = {clip.path for clip in clips} | {rejection.path for rejection in rejected}
    recordings = (path for path in found if path.lower().endswith(".wav"))
    rejected += [_unlabelled(path, release) for path in recordings if path not in known]
    return Reading(sorted(clips, key=lambda clip: clip.utterance), rejected)


def read_dialogue(root: Path, name: str, policy: str) -> Reading:
    """Read the label file of one dialogue; `name` is its path below `root`."""
    place, dialogue = PurePosixPath(name).parents[2], PurePosixPath(name).stem
    match = NAME.fullmatch(f"{dialogue}_F000")
    if match is None or place.name != f"Session{match['session']}":
        return Reading([], [Rejection(name, "label", NOT_A_DIALOGUE)])
    clips: list[tuple[int, str, Clip]] = []
    rejected: list[Rejection] = []
    # Evaluators' remarks are in any encoding; what is read of a line is plain ASCII, or the line is none.
    for turn in _turns(read_text(root, name, encoding="latin-1")):
        found = read_turn(turn, name, place, dialogue, policy)
        if isinstance(found, Clip):
            clips.append((turn.number, found.utterance, found))
        else:
            rejected.append(found)
    kept, repeated = once(name, clips)
    texts, unread = _texts(root, f"{place}/{TRANSCRIPTS}/{dialogue}.txt")
    worded = [replace(clip, text=texts.get(clip.utterance, "")) for clip in kept.values()]
    return Reading(worded, rejected + repeated + unread)


def read_turn(turn: Turn, name: str, place: PurePosixPath, dialogue: str, policy: str) -> Clip | Rejection:
    """Return the clip of a turn in the label file `name`, or why there is none."""
    match = SUMMARY.fullmatch(turn.summary)
    if match is None:
        return Rejection(name, "label", f"cannot be read: line {turn.number}")
    utterance, code = match["utterance"], match["code"]
    named = NAME.fullmatch(utterance)
    if named is None:
        return Rejection(name, "label", f"{NOT_A_NAME}, line {turn.number} has none", utterance)
    if named["dialogue"] != dialogue:
        return Rejection(name, "label", f"turn of another dialogue: line {turn.number}", utterance)
    if code not in CODES and code != NO_AGREEMENT:
        return Rejection(name, "label", f"unknown label: {code} in line {turn.number}", utterance)
    label, reason = _label(code, policy)
    return Clip(
        utterance=utterance,
        path=f"{place}/{AUDIO}/{dialogue}/{utterance}.wav",
        speaker=f"iemocap_Ses0{named['session']}{named['speaker']}",
        gender=GENDERS[named["speaker"]],
        session=f"Ses0{named['session']}",
        scenario=named["scenario"],
        raw_label=code,
        label=label,
        reason=reason,
        votes=_votes(turn.judged, policy),
        **_ratings(match, turn.judged),
    )


def _texts(root: Path, name: str) -> tuple[dict[str, str], list[Rejection]]:
    """Return what is said by turn, as the file `name` transcribes it; none where it is missing or cannot be read.

    Blank is a turn without words, one that is transcribed in two ways, one with another's line behind it, and a last
    line without its end, in which the file may break off.
    """
    if not (root / name).is_file():
        return {}, []
    try:
        text = read_text(root, name, encoding="latin-1").removeprefix(BYTE_ORDER_MARK)
    except CorpusError as error:
        said = str(error).removeprefix(f"{root / name}: ")
        return {}, [Rejection(name, "label", f"transcripts not usable: {said}")]
    lines: list[tuple[int, str, str]] = []
    for number, line in enumerate(text.split("\n")[:-1], 1):
        match = TRANSCRIBED.fullmatch(line.rstrip())
        if match:
            words = "" if NAME.search(match["words"]) else wording(NO_WORDS.sub(" ", decoded(match["words"])))
            lines.append((number, match["utterance"], words))
    if not lines:
        return {}, [Rejection(name, "label", "transcripts not usable: no line names a turn and what is said")]
    texts, repeated = once(name, lines)
    return {str(utterance): words for utterance, words in texts.items()}, repeated


def _release(root: Path) -> str:
    """Return where below the corpus folder the sessions lie, with a slash at its end: in it, or one folder deeper."""
    if _holds_sessions(root):
        return ""
    inside = sorted(folder.name for folder in root.iterdir() if not folder.name.startswith(".") and folder.is_dir())
    releases = [name for name in inside if _holds_sessions(root / name)]
    if len(releases) != 1:
        several = f"holds IEMOCAP {len(releases)} times, in {', '.join(releases)}; give the path of one of them"
        raise CorpusError(f"{root}: {several if releases else 'neither it nor a folder in it holds Session1'}")
    return f"{releases[0]}/"


def _holds_sessions(folder: Path) -> bool:
    return any((folder / session).is_dir() for session in SESSIONS)


def _inside(session: Path) -> list[str]:
    return files(session, ".txt", ".wav") if session.is_dir() else []


def _is_label_file(path: str) -> bool:
    """Tell the label files of dialogues from those of single raters, which lie in folders below."""
    file = PurePosixPath(path)
    return file.match(f"{LABELS}/*.txt") and not file.name.startswith("._")


def _turns(text: str) -> list[Turn]:
    """Split a label file into turns; a line that names a turn begins one, however damaged it is."""
    turns: list[Turn] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("[") or "\tSes0" in line:
            turns.append(Turn(number, line, []))
        elif turns:
            turns[-1].judged.append(line)
    return turns


def _label(code: str, policy: str) -> tuple[str, str]:
    """Return a label in the common code, and why there is none."""
    if code == NO_AGREEMENT:
        return "", "no agreement"
    if code == "exc" and policy == "excited_left_out":
        return "", "excited, left out by the label policy"
    return _merge(CODES[code], policy), ""


def _merge(emotion: str, policy: str) -> str:
    return "happiness" if emotion == "excitement" and policy == "excited_merged" else emotion


def _votes(judged: Sequence[str], policy: str) -> dict[str, float]:
    """Count the evaluators who name an emotion; what the actors say of themselves, in lines C-F and C-M, is no vote.

    An evaluator may name several emotions, and is one vote for each. Where the lines are not all there, which
    shows in the ratings that follow them, there are no votes.
    """
    matches = [EVALUATOR.fullmatch(line) for line in judged if line.startswith("C-E")]
    said = {match["who"]: match["said"].split(";") for match in matches if match}
    whole = FEWEST_VOTERS <= len(said) == len(matches) and any(line.startswith("A-") for line in judged)
    votes: dict[str, float] = {}
    for words in said.values() if whole else ():
        emotions = {WORDS.get(word.strip().casefold(), "") for word in words}
        if "" in emotions:
            return {}
        for emotion in {_merge(emotion, policy) for emotion in emotions}:
            votes[emotion] = votes.get(emotion, 0) + 1
    return votes


def _ratings(summary: re.Match[str], judged: Iterable[str]) -> dict[str, Any]:
    """Return the mean ratings of the summary, those left blank that are not to be trusted.

    Where an evaluator gives no dominance, which happens in some forty turns, the summary counts a zero into the
    mean: it has means of 0.5 on a scale that begins at 1.
    """
    lines = [line.partition("(")[0] for line in judged if line.startswith("A-E")]
    ratings: dict[str, float | None] = {}
    for dimension, code in DIMENSIONS.items():
        try:
            mean = rating(summary[code], LOWEST, HIGHEST)
        except ValueError:
            mean = None
        whole = len(lines) >= FEWEST_RATERS and all(code in ATTRIBUTE.findall(line) for line in lines)
        ratings[dimension] = mean if whole else None
    return ratings


def _unlabelled(path: str, release: str) -> Rejection:
    """Say why a recording is no clip."""
    file = PurePosixPath(path)
    if file.name.startswith("._"):
        return Rejection(path, "audio", "macOS resource fork")
    if file.match(f"{DIALOGUES}/*"):
        return Rejection(path, "filter", "whole dialogue")
    match = NAME.fullmatch(file.stem)
    if match is None:
        return Rejection(path, "label", NOT_A_NAME)
    place, dialogue = f"{release}Session{match['session']}", match["dialogue"]
    home = f"{place}/{AUDIO}/{dialogue}/{file.stem}.wav"
    if path != home:
        return Rejection(path, "label", f"not where its name belongs: {home}", file.stem)
    return Rejection(path, "label", f"no usable line in its label file: {place}/{LABELS}/{dialogue}.txt", file.stem)
