"""Write folds down: as tables, at a glance, and as trust-ser's JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from candor.corpora.emotions import classes_in
from candor.splits.folds import Fold, Part, speaker_folds, trust_ser_folds

if TYPE_CHECKING:
    import pandas as pd

PARTS: tuple[Part, ...] = ("train", "dev", "test")


def make_folds(utterances: pd.DataFrame, *, folds: int, seed: int, parity: str | None) -> list[Fold]:
    """Return the folds of a manifest under the scheme that its dataset asks for."""
    genders = dict(zip(utterances["speaker"], utterances["gender"], strict=True))
    if parity == "trust-ser":
        return trust_ser_folds(sorted(genders), folds)
    return speaker_folds(genders, folds, seed)


def fold_rows(fold: Fold, utterances: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one fold's table."""
    rows = utterances[["utterance", "speaker", "gender", "label"]].copy()
    rows["part"] = rows["speaker"].map(dict(fold.parts))
    return rows


def overview_rows(folds: list[Fold], utterances: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row per fold and part with counts, and what is missing there."""
    rows = []
    classes = classes_in(utterances["label"])
    genders = utterances.drop_duplicates("speaker").set_index("speaker")["gender"]
    for fold in folds:
        for part in PARTS:
            speakers = fold.speakers(part)
            own = utterances[utterances["speaker"].isin(speakers)]
            labels = own["label"].value_counts()
            present = genders[speakers].value_counts()
            missing = [name for name in classes if not labels.get(name, 0)]
            missing += [name for name in ("female", "male") if name in set(genders) and not present.get(name, 0)]
            rows.append(
                {
                    "fold": fold.number,
                    "part": part,
                    "speakers": len(speakers),
                    "female": int(present.get("female", 0)),
                    "male": int(present.get("male", 0)),
                    "utterances": len(own),
                    **{f"n_{name}": int(labels.get(name, 0)) for name in classes},
                    "warning": f"no {', no '.join(missing)}" if missing else "",
                }
            )
    return rows


def trust_ser_lists(fold: Fold, utterances: pd.DataFrame, raw: Path) -> dict[Part, list[list[str]]]:
    """Return a fold as trust-ser writes it: lists of ``[key, speaker, gender, path, label]``.

    Parameters
    ----------
    fold
        The fold.
    utterances
        The manifest.
    raw
        The corpus folder; paths are given in full, and labels as the corpus has them.
    """
    lists: dict[Part, list[list[str]]] = {part: [] for part in PARTS}
    fields = utterances[["utterance", "speaker", "gender", "path", "raw_label"]]
    for utterance, speaker, gender, path, label in fields.itertuples(index=False, name=None):
        lists[fold.parts[speaker]].append([utterance, speaker, gender, str(raw / path), label])
    return lists
