"""Made-up people: speakers of two genders who say sentences, dealt into folds."""

import numpy as np
import pandas as pd

from candor.privacy.people import People

SPEAKERS, SENTENCES, TAKES = 12, 4, 3


def manifest(speakers=SPEAKERS, sentences=SENTENCES, takes=TAKES, **columns) -> pd.DataFrame:
    rows = [
        {
            "utterance": f"u{speaker:02}_{sentence}_{take}",
            "speaker": f"s{speaker:02}",
            "session": "",
            "gender": "female" if speaker % 2 else "male",
            "text": f"t{sentence}",
        }
        for speaker in range(speakers)
        for sentence in range(sentences)
        for take in range(takes)
    ]
    return pd.DataFrame(rows).assign(**columns)


def folds(table: pd.DataFrame, number=3) -> dict[int, pd.DataFrame]:
    """Return folds in which every speaker is tested once, and dev are those tested in the next fold."""
    place = table["speaker"].str[1:].astype(int) // 2 % number
    told = {}
    for fold in range(number):
        part = np.select([place == fold, place == (fold + 1) % number], ["test", "dev"], "train")
        told[fold + 1] = table[["utterance", "speaker", "gender", "session"]].assign(label="", value=np.nan, part=part)
    return told


def crowd(table: pd.DataFrame | None = None, number=3) -> People:
    table = manifest() if table is None else table
    return People.of(table, folds(table, number))


def one_hot(people: People, noise=0.01, seed=0) -> np.ndarray:
    """Return states that carry the speaker, and so the gender, and nothing else; numbers of a gender are near."""
    random = np.random.default_rng(seed)
    codes = np.unique(people.speakers, return_inverse=True)[1]
    gender = (people.genders == "female").astype(float)
    voices = random.normal(size=(codes.max() + 1, 24))
    states = np.column_stack([voices[codes], 3 * gender])
    return states + noise * random.normal(size=states.shape)


def gender(people: People, noise=0.3, seed=0) -> np.ndarray:
    """Return states that carry the gender alone."""
    random = np.random.default_rng(seed)
    side = np.where(people.genders == "female", 1.0, -1.0)
    return side[:, None] + noise * random.normal(size=(len(people), 4))


def nothing(people: People, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(people), 8))
