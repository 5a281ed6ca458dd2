"""Manifests for the tests: made by hand, or at random by hypothesis."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from candor.splits.folds import Fold
from candor.splits.schemes import make_folds

LABELS = ("neutral", "anger", "sadness")
BLANK = dict.fromkeys(("speaker", "gender", "session", "text", "split", "raw_label", "label"), "")


def manifest(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """A manifest of these rows; what they do not say is blank."""
    return pd.DataFrame(
        {**BLANK, "utterance": f"u{number:05}", "path": f"wav/{number:05}.wav", "arousal": None, "valence": None} | row
        for number, row in enumerate(rows)
    )


def split(utterances: pd.DataFrame, scheme: str, folds: int, **options: Any) -> list[Fold]:
    """`make_folds` with the defaults of the config."""
    defaults = {"text_folds": 4, "seed": 0, "dyads": False, "parity": None}
    return make_folds(utterances, scheme=scheme, folds=folds, **{**defaults, **options})


def part(fold: Fold, utterances: pd.DataFrame, name: str, column: str = "speaker") -> set[str]:
    """The speakers of a part, or what else it has in `column`; blank cells do not count."""
    own = utterances["utterance"].map(lambda utterance: fold.parts.get(utterance) == name)
    return set(utterances[column][own]) - {""}


def parts_of(fold: Fold, utterances: pd.DataFrame, column: str) -> dict[str, set[str]]:
    """The parts in which each speaker is, or each other thing in `column`."""
    found: dict[str, set[str]] = {}
    for utterance, value in zip(utterances["utterance"], utterances[column], strict=True):
        if value and utterance in fold.parts:
            found.setdefault(value, set()).add(fold.parts[utterance])
    return found


def times_tested(folds: list[Fold]) -> Counter[str]:
    """How often each utterance is tested."""
    return Counter(utterance for fold in folds for utterance, own in fold.parts.items() if own == "test")


@st.composite
def manifests(draw: st.DrawFn) -> pd.DataFrame:
    """Speakers, some unknown, of sessions that may share people or be unknown, who say texts that may be unknown."""
    speakers = draw(st.sampled_from([8, 9, 12, 10, 11, 7, 6, 4, 2, 2, 1, 0]))
    sessions = draw(st.sampled_from(["pairs", "pairs with blanks", "own", "any", "none"]))
    texts = draw(st.sampled_from([8, 6, 4, 3, 0]))
    everything = draw(st.booleans())  # said by everyone, as in acted corpora
    blanks = draw(st.integers(2, 9))
    rows = []
    for speaker in range(speakers):
        gender = draw(st.sampled_from(["female", "male", "male", ""]))
        clips = texts if everything and texts else draw(st.integers(1, 9))
        for clip in range(clips):
            session = {"none": "", "own": f"d{speaker}"}.get(sessions, f"d{speaker // 2}")
            if sessions == "any":
                session = draw(st.sampled_from(["d0", "d1", "d2", "d3", ""]))
            elif sessions == "pairs with blanks" and clip % blanks == 1:
                session = ""
            text = f"t{clip if everything else draw(st.integers(1, texts))}" if texts else ""
            if not everything and clip % blanks == 1:
                text = ""
            rows.append({"speaker": f"s{speaker:02}", "gender": gender, "session": session, "text": text})
    unknown = draw(st.integers(0, 3)) if rows else 1
    rows += [{"session": draw(st.sampled_from(["", "d0"])), "text": "t1"} for _ in range(unknown)]
    utterances = manifest({**row, "label": LABELS[number % 3]} for number, row in enumerate(rows))
    return utterances.sample(frac=1, random_state=draw(st.integers(0, 9)))
