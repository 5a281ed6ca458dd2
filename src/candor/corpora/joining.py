"""Join datasets for evaluation across corpora: some are trained on, the others tested, over the classes they share."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from candor.corpora.counts import Row, compare, many, tally
from candor.corpora.emotions import EMOTIONS, classes_in
from candor.corpora.reader import Clip, CorpusError
from candor.corpora.reasons import listed

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

Side = Literal["train", "test"]
COUNTED = ("duration", "label", "gender", "split", "scenario", "language", "session", "speaker")


@dataclass(frozen=True)
class Part:
    """A dataset that others are joined with.

    Parameters
    ----------
    name
        The dataset.
    key
        The entry of `data_dir` where its corpus is; two parts with the same one are of the same corpus.
    side
        Whether it is trained on or tested.
    utterances
        Its manifest.
    """

    name: str
    key: str
    side: Side
    utterances: pd.DataFrame


@dataclass(frozen=True)
class Joined:
    """The rows of the three tables of a joined dataset."""

    utterances: pd.DataFrame
    rejected: list[Row]
    counts: list[Row]


def joined_name(dataset: str, utterance: str) -> str:
    """Return the name of a dataset's utterance where datasets are joined, whose own names may collide.

    >>> joined_name("emodb", "03a01Fa")
    'emodb__03a01Fa'
    """
    return f"{dataset}__{utterance}"


def join(parts: Sequence[Part], *, dataset: str, classes: str | Sequence[str] = "default") -> Joined:
    """Join manifests over the classes they share; no recording is both trained on and tested, nor there twice.

    Parameters
    ----------
    parts
        The datasets.
    dataset
        The name of what they are joined to.
    classes
        ``default`` for the classes that all parts have, ``all`` for those that both sides have, or a list of such.

    Raises
    ------
    CorpusError
        When the sides share less than two classes, or most recordings.
    """
    import pandas as pd

    rows = pd.concat([_renamed(part) for part in parts]).sort_values("utterance", ignore_index=True)
    repeated = _repeated(rows)
    _refuse_the_same(rows, dataset)
    rest = rows[~rows["utterance"].isin(repeated)]
    kept, shared = _classes(parts, rest, classes, dataset)
    strange = rest[~rest["label"].isin(kept)]
    reasons = repeated | {
        utterance: ("filter", f"class not {'kept' if label in shared else 'shared'}: {label}")
        for utterance, label in zip(strange["utterance"], strange["label"], strict=True)
    }
    out = rows["utterance"].isin(reasons)
    rejected = _rejected_rows(rows[out], reasons)
    taking_part = rows[~out].reset_index(drop=True)
    _tell(dataset, taking_part, len(repeated))
    return Joined(taking_part, rejected, _counts(rows, taking_part, rejected))


def _renamed(part: Part) -> pd.DataFrame:
    """Return a manifest whose names cannot collide with those of another, apart from the speakers' of one corpus."""
    rows = part.utterances.copy()
    rows["utterance"] = [joined_name(part.name, utterance) for utterance in rows["utterance"]]
    rows["path"] = f"{part.name}/" + rows["path"]
    rows["split"] = part.side
    # Speakers bear their corpus's name anyway. Two datasets of one corpus share sessions and texts as well.
    for column in ("session", "text"):
        rows[column] = (f"{part.key}_" + rows[column]).where(rows[column] != "", "")
    return rows


def _repeated(rows: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return the clips whose recording is there more than once and that do not stay, each with kind and reason.

    What is tested is not trained on. Within one side the first by name stays if all copies bear the same label, and
    none if they do not, as within a corpus.
    """
    out: dict[str, tuple[str, str]] = {}
    for _, copies in rows[rows.duplicated("audio", keep=False)].groupby("audio"):
        clips = list(copies[["utterance", "label", "split"]].itertuples(index=False, name=None))
        tested = [(name, label) for name, label, side in clips if side == "test"]
        trained = [(name, label) for name, label, side in clips if side == "train"]
        if tested:
            reason = f"duplicate: same samples as {tested[0][0]}, which is tested"
            out |= {name: ("audio", reason) for name, _ in trained}
        out |= dict(_repeated_within(tested or trained))
    return out


def _repeated_within(copies: Sequence[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the names of equal recordings of one side that do not stay, with kind and reason."""
    agree = len({label for _, label in copies}) == 1
    for name, label in copies[1:] if agree else copies:
        if agree:
            yield name, ("audio", f"duplicate: same samples as {copies[0][0]}")
        else:
            other, its = next(copy for copy in copies if copy[1] != label)
            yield name, ("audio", f"contradiction: same samples as {other}, which is {its}")


def _refuse_the_same(rows: pd.DataFrame, dataset: str) -> None:
    trained = rows[rows["split"] == "train"]
    tested = int(trained["audio"].isin(set(rows["audio"][rows["split"] == "test"])).sum())
    if 2 * tested > len(trained):
        raise CorpusError(
            f"datasets.{dataset}: of the {len(trained):,} clips in train_on {tested:,} are in test_on too; name "
            "datasets without common recordings, by filters of speakers or sessions, say"
        )


def _classes(
    parts: Sequence[Part], rows: pd.DataFrame, classes: str | Sequence[str], dataset: str
) -> tuple[list[str], set[str]]:
    """Return the classes that are kept, and all that could be.

    Raises
    ------
    CorpusError
        When there are less than two, or one that is asked for is not on both sides.
    """
    of_part = rows["path"].str.split("/", n=1).str[0]
    have = {part.name: set(rows["label"][of_part == part.name]) for part in parts}
    sides = [set().union(*(have[part.name] for part in parts if part.side == side)) for side in ("train", "test")]
    both = sides[0] & sides[1]
    shared = set.intersection(*have.values()) if classes == "default" else both
    if not isinstance(classes, str):
        _refuse_absent(classes, sides, dataset)
    kept = [name for name in EMOTIONS if name in (shared if isinstance(classes, str) else classes)]
    if len(kept) < 2:
        there = "; ".join(f"{name} has {', '.join(classes_in(labels)) or 'none'}" for name, labels in have.items())
        wider = f". Set datasets.{dataset}.classes to all for those on both sides" if len(both) > 1 else ""
        count = f"only {kept[0]}" if kept else "none"
        raise CorpusError(f"datasets.{dataset}: two shared classes are needed, but there is {count}: {there}{wider}")
    return kept, shared


def _refuse_absent(classes: Sequence[str], sides: Sequence[Collection[str]], dataset: str) -> None:
    for key, there in zip(("train_on", "test_on"), sides, strict=True):
        for emotion in classes:
            if emotion not in there:
                have = ", ".join(classes_in(there))
                raise CorpusError(f"datasets.{dataset}.classes: {emotion!r} has no clip in {key}, which has {have}")


def _rejected_rows(rows: pd.DataFrame, reasons: Mapping[str, tuple[str, str]]) -> list[Row]:
    return [
        {"path": path, "utterance": utterance, "kind": reasons[utterance][0], "reason": reasons[utterance][1]}
        for path, utterance in sorted(zip(rows["path"], rows["utterance"], strict=True))
    ]


def _counts(rows: pd.DataFrame, taking_part: pd.DataFrame, rejected: list[Row]) -> list[Row]:
    clips = [Clip(**row) for row in _records(rows, ("utterance", "path", "speaker", "session", "label"))]
    read = compare(clips, {clip.path for clip in clips}, None, "", None)
    return read.rows + tally(_records(taking_part, COUNTED), rejected)


def _records(rows: pd.DataFrame, columns: Sequence[str]) -> list[Row]:
    values = zip(*(rows[column].tolist() for column in columns), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


def _tell(dataset: str, rows: pd.DataFrame, repeated: int) -> None:
    sides = rows["split"].value_counts()
    logger.info("%s: %s to train on, %s to test", dataset, many(sides["train"], "clip"), many(sides["test"], "clip"))
    logger.info("%s: classes %s", dataset, listed({str(k): int(v) for k, v in rows["label"].value_counts().items()}))
    if repeated:
        logger.warning("%s: %s left out, as their recordings are there twice", dataset, many(repeated, "clip"))
