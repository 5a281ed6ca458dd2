"""ESD, the Emotional Speech Dataset: ten speakers of Mandarin and ten of English say 350 sentences in five emotions.

A recording's emotion is told three times: by its folder, by its number and by the list of its speaker, which some
copies lack. Recordings of which these tell different things do not take part.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from candor.corpora.file_names import read_file_names
from candor.corpora.label_files import UNICODE_MARKS, once
from candor.corpora.listing import files
from candor.corpora.reader import Card, Clip, CorpusError, Published, Reading, Rejection

NAME = re.compile(r"(?P<speaker>00(?:0[1-9]|1[0-9]|20))_(?P<number>00[01][0-9]{3})")
PLACE = re.compile(
    r"(?:.*/)?(?P<speaker>[0-9]{4})/(?P<emotion>Neutral|Angry|Happy|Sad|Surprise)"
    r"(?:/(?P<part>train|evaluation|test))?/(?P<utterance>[^/]+)"
)
LIST = re.compile(r"(?:.*/)?(?P<speaker>[0-9]{4})/(?P=speaker)\.txt")
GENDER_LINE = re.compile(r"(?P<speaker>[0-9]{4})\s*:\s*(?:Chinese|English)\s+(?P<gender>female|male)", re.IGNORECASE)

EMOTION_FOLDERS = {
    "Neutral": "neutral",
    "Angry": "anger",
    "Happy": "happiness",
    "Sad": "sadness",
    "Surprise": "surprise",
}
"""In the order of the numbers: 350 neutral recordings come first."""

SPELLINGS = {name.casefold(): emotion for name, emotion in EMOTION_FOLDERS.items()} | {
    "中立": "neutral",
    "生气": "anger",
    "快乐": "happiness",
    "伤心": "sadness",
    "惊喜": "surprise",
}
SENTENCES = 350
PARTS = {"evaluation": "dev", "test": "test", "train": "train"}
DEV, TEST = 20, 30
"""Of each emotion, the first sentences are for evaluation, the next ones for test and the others for training."""

GENDERS = dict.fromkeys(
    ("0001", "0002", "0003", "0007", "0009", "0015", "0016", "0017", "0018"), "female"
) | dict.fromkeys(("0004", "0005", "0006", "0008", "0010", "0011", "0013", "0014", "0020"), "male")
"""Those on which all sources agree; of 0012 and 0019 only the corpus's own ReadMe.txt is believed."""

NOT_A_NAME = "not an ESD name: 0011/Angry/0011_000351.wav would be one"

_FIVE = ("neutral", "anger", "sadness", "happiness", "surprise")

CARD = Card(
    title="ESD",
    licence="for research, on a signed form",
    url="https://github.com/HLTSingapore/Emotional-Speech-Data",
    redistributable=False,
    layout="0001 to 0020, each with the folders Neutral, Angry, Happy, Sad and Surprise of 350 files each",
    markers=("00[012][0-9]/[AHNS]*", "*/00[012][0-9]/[AHNS]*"),
    classes=_FIVE,
    schemes=("speakers", "leave_one_speaker_out", "texts", "official"),
    published=Published(
        files=35000,
        speakers=20,
        labels={"default": dict.fromkeys(_FIVE, 7000)},
        splits={"train": 30000, "dev": 2000, "test": 3000},
    ),
)


@dataclass
class _Lists:
    """What the lists of the speakers say: where they lie, the emotions they tell, and lines that are of no use."""

    places: dict[str, str] = field(default_factory=dict)
    emotions: dict[str, str] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)


def read(root: Path, policy: str, parity: str | None, options: Mapping[str, Any]) -> Reading:
    """Read the paths of all recordings, and the lists of them where there are any."""
    texts = sorted(files(root, ".txt"), key=lambda path: (path.count("/"), path))
    genders, disagreeing = _settle_genders(root, texts)
    lists = _read_lists(root, texts)
    found = read_file_names(root, lambda path: _read_path(path, genders))
    absent, wrong = _absent(found, lists, genders)
    clips = sorted([*found.clips, *absent], key=lambda clip: clip.utterance)
    return Reading(clips, [*found.rejected, *lists.rejected, *wrong, *_outvoted(found.clips, lists), *disagreeing])


def clip_of(utterance: str, path: str = "", genders: Mapping[str, str] = GENDERS) -> Clip | None:
    """Return the clip that a number tells of, or None where it tells of none."""
    match = NAME.fullmatch(utterance)
    block, place = divmod(int(match["number"]) - 1, SENTENCES) if match else (-1, 0)
    if match is None or not 0 <= block < len(EMOTION_FOLDERS):
        return None
    folder, emotion = list(EMOTION_FOLDERS.items())[block]
    mandarin = match["speaker"] <= "0010"
    return Clip(
        utterance=utterance,
        path=path,
        speaker=f"esd_{match['speaker']}",
        gender=genders.get(match["speaker"], ""),
        text=f"{'zh' if mandarin else 'en'}_{place + 1:03d}",
        language="Mandarin" if mandarin else "English",
        split="dev" if place < DEV else "test" if place < DEV + TEST else "train",
        raw_label=folder,
        label=emotion,
    )


def _read_path(path: str, genders: Mapping[str, str]) -> Clip | Rejection:
    """Return the clip that a path tells of, or why it tells of none."""
    utterance = Path(path).stem
    match = PLACE.fullmatch(path.rpartition(".")[0])
    clip = clip_of(utterance, path, genders)
    if match is None or clip is None:
        return Rejection(path, "label", NOT_A_NAME, utterance)
    if clip.speaker != f"esd_{match['speaker']}":
        reason = (
            f"contradictory speaker: the folder says {match['speaker']}, the name {clip.speaker.removeprefix('esd_')}"
        )
        return Rejection(path, "label", reason, utterance)
    folder = EMOTION_FOLDERS[match["emotion"]]
    if clip.label != folder:
        reason = f"contradictory emotion: the folder says {folder}, the number {clip.label}"
        return Rejection(path, "label", reason, utterance)
    misplaced = match["part"] and PARTS[match["part"]] != clip.split
    return replace(clip, split="") if misplaced else clip


def _outvoted(clips: Iterable[Clip], lists: _Lists) -> list[Rejection]:
    """List the lines that say another emotion than folder and number, which agree: the published lists have slips."""
    return [
        Rejection(
            lists.places[clip.speaker.removeprefix("esd_")],
            "label",
            f"line not used: it says {lists.emotions[clip.utterance]}, folder and number {clip.label}",
            clip.utterance,
        )
        for clip in clips
        if lists.emotions.get(clip.utterance, clip.label) != clip.label
    ]


def _absent(found: Reading, lists: _Lists, genders: Mapping[str, str]) -> tuple[list[Clip], list[Rejection]]:
    """Return the clips that a list names and no recording has, where they should lie, and lines that cannot be."""
    there = {clip.utterance for clip in found.clips} | {rejection.utterance for rejection in found.rejected}
    in_parts = any(Path(clip.path).parent.name in PARTS for clip in found.clips)
    part_of = {split: f"{part}/" for part, split in PARTS.items()} if in_parts else {}
    clips: list[Clip] = []
    wrong: list[Rejection] = []
    for utterance, emotion in lists.emotions.items():
        clip = clip_of(utterance, genders=genders) if utterance not in there else None
        if clip is None:
            continue
        name = lists.places[clip.speaker.removeprefix("esd_")]
        if clip.label == emotion:
            folder = f"{name.rpartition('/')[0]}/{clip.raw_label}/{part_of.get(clip.split, '')}"
            clips.append(replace(clip, path=f"{folder}{utterance}.wav"))
        else:
            reason = f"contradictory emotion: the list says {emotion}, the number {clip.label}"
            wrong.append(Rejection(name, "label", reason, utterance))
    return clips, wrong


def _read_lists(root: Path, texts: Iterable[str]) -> _Lists:
    """Read the list of each speaker; of two of them, the one nearer to the corpus folder."""
    lists = _Lists()
    for path in texts:
        match = LIST.fullmatch(path)
        if match and match["speaker"] not in lists.places:
            lists.places[match["speaker"]] = path
            emotions, unused = _read_list(root, path, match["speaker"])
            lists.emotions |= emotions
            lists.rejected += unused
    return lists


def _read_list(root: Path, name: str, speaker: str) -> tuple[dict[str, str], list[Rejection]]:
    """Return the emotion of each recording that a speaker's list names, and the lines that are of no use.

    Some lines of the published lists lack a cell, so nothing is held against a recording of which there is no line.
    """
    lines: list[tuple[int, str, str]] = []
    rejected: list[Rejection] = []
    for number, line in enumerate(_read_text(root, name).split("\n"), 1):
        cells = [cell.strip() for cell in line.strip().split("\t")]
        clip = clip_of(cells[0])
        emotion = SPELLINGS.get(cells[2].casefold(), "") if len(cells) > 2 else ""
        if clip and emotion and clip.speaker == f"esd_{speaker}":
            lines.append((number, clip.utterance, emotion))
        elif cells != [""]:
            reason = f"line not used: {number} is not a name, a sentence and an emotion, with tabs between them"
            rejected.append(Rejection(name, "label", reason, clip.utterance if clip else ""))
    kept, repeated = once(name, lines)
    return {str(utterance): emotion for utterance, emotion in kept.items()}, rejected + repeated


def _settle_genders(root: Path, texts: Iterable[str]) -> tuple[dict[str, str], list[Rejection]]:
    """Return the genders that nothing speaks against, and where the corpus's ReadMe.txt and published lists differ."""
    told = _read_genders(root, texts)
    unsure = sorted(speaker for speaker in told if told[speaker] != GENDERS.get(speaker, told[speaker]))
    name = next((path for path in texts if path.lower().rpartition("/")[2] == "readme.txt"), "")
    disagreeing = [
        Rejection(name, "label", f"contradictory gender: of {speaker} it says {told[speaker]}, other lists do not")
        for speaker in unsure
    ]
    return {speaker: gender for speaker, gender in (told | GENDERS).items() if speaker not in unsure}, disagreeing


def _read_genders(root: Path, texts: Iterable[str]) -> dict[str, str]:
    """Return the genders that the corpus's own ReadMe.txt tells, where there is one."""
    told: dict[str, set[str]] = defaultdict(set)
    for path in texts:
        if path.lower().rpartition("/")[2] == "readme.txt":
            for line in _read_text(root, path).split("\n"):
                match = GENDER_LINE.fullmatch(line.strip())
                if match:
                    told[match["speaker"]].add(match["gender"].lower())
    return {speaker: genders.pop() for speaker, genders in told.items() if len(genders) == 1}


def _read_text(root: Path, name: str) -> str:
    """Return the text of a list. Their encodings differ: UTF-8, UTF-16, GB 2312 (which GBK extends), Latin-1."""
    try:
        data = (root / name).read_bytes()
    except OSError as error:
        raise CorpusError(f"{root / name}: cannot be read ({error.strerror or error})") from None
    for encoding in ("utf-16",) if data.startswith(UNICODE_MARKS) else ("utf-8-sig", "gbk", "latin-1"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise CorpusError(f"{root / name}: is damaged, or text in none of its encodings; fetch it again, or remove it")
