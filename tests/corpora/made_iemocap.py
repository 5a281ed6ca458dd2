"""IEMOCAP as it is released, made up: true names and formats, and every count that is published."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

# Published: turns with one of the five labels of the usual task, by session.
FIVE = ("ang", "hap", "exc", "neu", "sad")
BY_SESSION = {
    1: (229, 135, 143, 384, 194),
    2: (137, 117, 210, 362, 197),
    3: (240, 135, 151, 320, 305),
    4: (327, 65, 238, 258, 143),
    5: (170, 143, 299, 384, 245),
}
SESSION_TOTALS = {1: 1085, 2: 1023, 3: 1151, 4: 1031, 5: 1241}
# The same turns by who speaks, and those that are improvised.
BY_SPEAKER = {
    "Ses01F": 528, "Ses01M": 557, "Ses02F": 481, "Ses02M": 542, "Ses03F": 522,
    "Ses03M": 629, "Ses04F": 528, "Ses04M": 503, "Ses05F": 590, "Ses05M": 651,
}  # fmt: skip
IMPROVISED = {"ang": 289, "hap": 284, "exc": 663, "neu": 1099, "sad": 608}
# The others, and in how many turns the first letter of the name is not who speaks: of the five labels, of all.
OTHERS = {"fru": 1849, "fea": 40, "sur": 107, "dis": 2, "oth": 3, "xxx": 2507}
CROSSED, CROSSED_OF_ALL = 2750, 4951

WORDS = {
    "ang": "Anger",
    "hap": "Happiness",
    "exc": "Excited",
    "neu": "Neutral",
    "sad": "Sadness",
    "fru": "Frustration",
    "fea": "Fear",
    "sur": "Surprise",
    "dis": "Disgust",
    "oth": "Other",
}
WORDING = {code: f"I feel [BREATHING] {word}" for code, word in WORDS.items()} | {"xxx": "I don't know"}
SCRIPTS = ("script01_1", "script01_2", "script01_3", "script02_1", "script02_2", "script03_1", "script03_2")
SCENES = ("impro01", "impro02", "impro03", "impro04", "impro05", "impro06", "impro07")
ODD_NAMES = {("3", "M"): ("impro05a", "impro05b"), ("5", "M"): ("script01_1b",)}
HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"


@dataclass
class Turn:
    """One turn of the generated corpus."""

    session: int
    speaker: str
    code: str
    improvised: bool
    crossed: bool

    @property
    def side(self) -> str:
        """Who wears the markers, the first letter of the name."""
        return {"F": "M", "M": "F"}[self.speaker] if self.crossed else self.speaker


def evenly(count: int, of: int) -> Iterator[bool]:
    """Yield `of` truth values of which `count` are true, spread evenly."""
    return ((place + 1) * count // of > place * count // of for place in range(of))


def mixed(counts: dict[str, int]) -> list[str]:
    """Return each key as often as it counts, all of them spread evenly."""
    places = [((place + 0.5) / count, key) for key, count in counts.items() for place in range(count)]
    return [key for _, key in sorted(places)]


def turns() -> Iterator[Turn]:
    """All 10,039 turns, with every margin that is published."""
    total = dict(zip(FIVE, map(sum, zip(*BY_SESSION.values(), strict=True)), strict=True))
    improvised = {code: evenly(IMPROVISED[code], total[code]) for code in FIVE}
    crossed = evenly(CROSSED, sum(total.values()))
    for session, counts in BY_SESSION.items():
        women = evenly(BY_SPEAKER[f"Ses0{session}F"], sum(counts))
        for code, woman in zip(mixed(dict(zip(FIVE, counts, strict=True))), women, strict=True):
            yield Turn(session, "F" if woman else "M", code, next(improvised[code]), next(crossed))
    rest = mixed(OTHERS)
    crossed = evenly(CROSSED_OF_ALL - CROSSED, len(rest))
    for place, (code, session, flag) in enumerate(zip(rest, cycle(BY_SESSION), crossed, strict=False)):
        yield Turn(session, "FM"[place // 5 % 2], code, place % 3 == 0, flag)


def block(place: int, utterance: str, code: str) -> str:
    """Lines of a label file about one turn: two of three evaluators agree, the actor says something else."""
    words = [WORDS.get(code, word) for word in ("Anger", "Neutral")] + ["Frustration; Anger"]
    first, second = 1 + place % 5, 1 + place // 5 % 5
    mean = f"[{(first + second) / 2:.4f}, {first:.4f}, {second:.4f}]"
    votes = "".join(f"C-E{who}:\t{word};\t()\n" for who, word in zip((2, 3, 4), words, strict=True))
    return (
        f"[{place + 0.25:.4f} - {place + 1:.4f}]\t{utterance}\t{code}\t{mean}\n{votes}C-F1:\tSurprise;\t(curious)\n"
        f"A-E3:\tval {first}; act {first}; dom  {second};\t()\n"
        f"A-E4:\tval {second}; act {first}; dom  {second};\t(staying polite, attitude)\n"
        f"A-F1:\tval 5; act 5; dom  5;\t()\n\n"
    )


def write_dialogue(root: Path, dialogue: str, spoken: list[tuple[str, str]]) -> None:
    """Write label file and recordings of one dialogue: pairs of turn and label."""
    session = root / f"Session{dialogue[4]}"
    labels, audio = session / "dialog" / "EmoEvaluation", session / "sentences" / "wav" / dialogue
    audio.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    blocks = [block(place, f"{dialogue}_{turn}", code) for place, (turn, code) in enumerate(spoken)]
    (labels / f"{dialogue}.txt").write_text(HEADER + "".join(blocks))
    (session / "dialog" / "transcriptions").mkdir(exist_ok=True)
    said = "".join(
        f"{dialogue}_{turn} [{place + 0.25:08.4f}-{place + 1:08.4f}]: {WORDING[code]}, {dialogue[7:]}.\n"
        for place, (turn, code) in enumerate(spoken)
    )
    transcripts_of(root, dialogue).write_text(said)
    for turn, _ in spoken:
        (audio / f"{dialogue}_{turn}.wav").touch()


def labels_of(root: Path, dialogue: str) -> Path:
    return root / f"Session{dialogue[4]}" / "dialog" / "EmoEvaluation" / f"{dialogue}.txt"


def transcripts_of(root: Path, dialogue: str) -> Path:
    return root / f"Session{dialogue[4]}" / "dialog" / "transcriptions" / f"{dialogue}.txt"


def write_raters(root: Path, dialogue: str, spoken: list[tuple[str, str]]) -> None:
    """Write what lies in folders below the label files: the same turns by single raters, and other labels."""
    labels = root / f"Session{dialogue[4]}" / "dialog" / "EmoEvaluation"
    single = {
        "Categorical": ("e2_cat", ":Sadness; ()"),
        "Attribute": ("e3_atr", ":act 1; :val 1; :dom 1; ()"),
        "Self-evaluation": ("f1_cat", ":Fear; ()"),
    }
    for folder, (ending, said) in single.items():
        (labels / folder).mkdir(exist_ok=True)
        lines = "".join(f"{dialogue}_{turn} {said}\n" for turn, _ in spoken)
        (labels / folder / f"{dialogue}_{ending}.txt").write_text(lines)
        summary = "".join(block(place, f"{dialogue}_{turn}", "sad") for place, (turn, _) in enumerate(spoken))
        (labels / folder / f"{dialogue}.txt").write_text(summary)


def write_release(root: Path) -> None:
    """Write the whole corpus with empty recordings."""
    spoken: dict[str, list[tuple[str, str]]] = defaultdict(list)
    number: Counter[tuple[str, str]] = Counter()
    for place, turn in enumerate(turns()):
        odd = ODD_NAMES.get((str(turn.session), turn.side), ())
        kind = "impro" if turn.improvised else "script"
        names = [name for name in (*SCENES, *SCRIPTS, *odd) if name.startswith(kind)]
        dialogue = f"Ses0{turn.session}{turn.side}_{names[place % len(names)]}"
        spoken[dialogue].append((f"{turn.speaker}{number[dialogue, turn.speaker]:03d}", turn.code))
        number[dialogue, turn.speaker] += 1
    for dialogue, lines in spoken.items():
        write_dialogue(root, dialogue, lines)
    write_raters(root, "Ses01F_impro01", spoken["Ses01F_impro01"])
