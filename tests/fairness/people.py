"""Made-up predictions: speakers of two groups, recognised as well as a test wants."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

CLASSES = ["anger", "happiness", "neutral", "sadness"]


def predictions(
    skill: Mapping[str, float],
    *,
    speakers: int = 12,
    each: int = 40,
    seeds: int = 2,
    folds: int = 3,
    shares: Mapping[str, list[float]] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return predictions of `speakers` women and men in turn, right as often as `skill` of their gender says."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(speakers):
        gender = ("female", "male")[number % 2]
        spoken = (shares or {}).get(gender, [0.25] * 4)
        labels = rng.choice(CLASSES, each, p=spoken)
        for place, label in enumerate(labels):
            for trained in range(seeds):
                guess = CLASSES[rng.integers(4)]
                said = label if rng.random() < skill[gender] else guess
                rows.append(
                    {
                        **{"utterance": f"s{number:02}_{place:02}", "speaker": f"s{number:02}", "gender": gender},
                        **{"session": "ab"[number // 2 % 2], "fold": number // 2 % folds + 1, "seed": trained},
                        **{"label": label, "predicted": said, **{f"p_{name}": 0.25 for name in CLASSES}},
                    }
                )
    return pd.DataFrame(rows)


def manifest(predictions: pd.DataFrame, **columns: object) -> pd.DataFrame:
    """Return the manifest of these utterances, with the columns that a test sets."""
    rows = predictions.drop_duplicates("utterance")[["utterance", "speaker", "gender", "session"]]
    blank = {"age": np.nan, "race": "", "ethnicity": "", "language": "", "scenario": "", "text": ""}
    return rows.assign(**{**blank, **columns}).reset_index(drop=True)
