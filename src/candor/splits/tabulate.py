"""Write folds down: as tables, at a glance, and as trust-ser's JSON."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from candor.corpora.emotions import classes_in
from candor.splits.folds import PARTS, Fold, Part
from candor.splits.units import genders_of

if TYPE_CHECKING:
    import pandas as pd

ASIDE = "aside"
RATINGS = ("arousal", "valence")
Folder = str | os.PathLike[str]


class Clip(NamedTuple):
    """What the overview counts."""

    utterance: str
    speaker: str
    session: str
    label: str
    text: str


def fold_rows(fold: Fold, utterances: pd.DataFrame, pred: str) -> pd.DataFrame:
    """Return the rows of one fold's table.

    Parameters
    ----------
    fold
        The fold.
    utterances
        The manifest.
    pred
        What is predicted: ``emotion``, or the rating whose values the table is to have.
    """
    rows = utterances[["utterance", "speaker", "gender", "session", "label"]].copy()
    rows["value"] = utterances[pred] if pred in RATINGS else ""
    rows["part"] = rows["utterance"].map(dict(fold.parts))
    return rows[rows["part"].notna()]


def overview_rows(folds: Sequence[Fold], utterances: pd.DataFrame, *, by_text: bool = False) -> list[dict[str, Any]]:
    """Return one row per fold and part with counts, what the part shares with train, and what it lacks.

    Parameters
    ----------
    folds, utterances
        The folds, and the manifest.
    by_text
        Whether the folds keep sentences apart: clips whose sentence is not known are then a warning.
    """
    clips = [Clip._make(row) for row in utterances[list(Clip._fields)].itertuples(index=False, name=None)]
    classes = classes_in(utterances["label"])
    genders = genders_of(utterances[utterances["speaker"] != ""])
    rows = []
    for fold in folds:
        members: dict[str, list[Clip]] = {part: [] for part in (*PARTS, ASIDE)}
        for clip in clips:
            members[fold.parts.get(clip.utterance, ASIDE)].append(clip)
        trained = {clip.speaker for clip in members["train"]}
        for part, own in members.items():
            counts, warnings = _at_a_glance(own, trained if part in ("dev", "test") else set(), genders, classes)
            if part != ASIDE:
                warnings += _lacking(counts, genders, classes)
                wordless = sum(not clip.text for clip in own) if by_text else 0
                warnings += [f"{wordless} {'clip' if wordless == 1 else 'clips'} of unknown text"] if wordless else []
            if own:
                rows.append({"fold": fold.number, "part": part, **counts, "warning": "; ".join(warnings)})
    return rows


def _at_a_glance(
    clips: Sequence[Clip], trained: set[str], genders: Mapping[str, str], classes: Sequence[str]
) -> tuple[dict[str, int], list[str]]:
    """Return the counts of one part, and who in it is known from train or not known at all."""
    speakers = {clip.speaker for clip in clips} - {""}
    shared = len(speakers & trained)
    unknown = sum(not clip.speaker for clip in clips)
    present = Counter(genders[speaker] for speaker in speakers)
    labels = Counter(clip.label for clip in clips)
    counts = {
        "speakers": len(speakers),
        "speakers_in_train": shared,
        "sessions": len({clip.session for clip in clips} - {""}),
        "female": present["female"],
        "male": present["male"],
        "utterances": len(clips),
        **{f"n_{name}": labels[name] for name in classes},
    }
    warnings = []
    if shared:
        warnings.append(f"{shared} of {len(speakers)} speakers {'is' if shared == 1 else 'are'} also in train")
    if unknown:
        warnings.append(f"{unknown} {'clip' if unknown == 1 else 'clips'} of unknown speakers")
    return counts, warnings


def _lacking(counts: Mapping[str, int], genders: Mapping[str, str], classes: Sequence[str]) -> list[str]:
    missing = [name for name in classes if not counts[f"n_{name}"]]
    missing += [name for name in ("female", "male") if name in set(genders.values()) and not counts[name]]
    return [f"no {', no '.join(missing)}"] if missing else []


def trust_ser_lists(
    fold: Fold, utterances: pd.DataFrame, raw: Folder | Mapping[str, Folder]
) -> dict[Part, list[list[str]]]:
    """Return a fold as trust-ser writes it: lists of ``[key, speaker, gender, path, label]``.

    Parameters
    ----------
    fold
        The fold.
    utterances
        The manifest.
    raw
        The corpus folder, or those of joined datasets by the names with which paths begin. Paths are given in full,
        and labels as the corpus has them.
    """
    lists: dict[Part, list[list[str]]] = {part: [] for part in PARTS}
    fields = utterances[["utterance", "speaker", "gender", "path", "raw_label"]]
    fields = fields.assign(path=_full_paths(utterances["path"], raw))
    for utterance, speaker, gender, path, label in fields.itertuples(index=False, name=None):
        if utterance in fold.parts:
            lists[fold.parts[utterance]].append([utterance, speaker, gender, path, label])
    return lists


def _full_paths(paths: Iterable[str], raw: Folder | Mapping[str, Folder]) -> list[str]:
    if isinstance(raw, Mapping):
        of_part = (path.split("/", 1) for path in paths)
        return [os.path.join(raw[name], inside) for name, inside in of_part]
    folder = os.path.join(raw, "")
    return [folder + path for path in paths]
