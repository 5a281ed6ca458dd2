"""From a corpus folder to the manifest of a dataset: who takes part, who does not, and why."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from candor.corpora import registry
from candor.corpora.choice import Choice, choose, make_choice
from candor.corpora.counts import Comparison, Row, compare, tally
from candor.corpora.emotions import EMOTIONS
from candor.corpora.inspection import Inspection, Limits, Memory, inspect
from candor.corpora.reader import Card, Clip, CorpusError, Reading, Rejection
from candor.corpora.reasons import gist, listed

logger = logging.getLogger(__name__)

OWN_COLUMNS = [field.name for field in fields(Clip) if field.name not in ("reason", "votes", "excluded")]
NOT_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class TooManyRejects(CorpusError):  # noqa: N818 - the rejects are the news
    """So many recordings are broken that something is wrong with the corpus folder as a whole.

    `rejected` holds the rows that `rejected.tsv` would have.
    """

    def __init__(self, message: str, rejected: list[Row]) -> None:
        super().__init__(message)
        self.rejected = rejected


@dataclass(frozen=True)
class Manifest:
    """The rows of the three tables of a dataset, and what there is to say about the corpus."""

    utterances: list[Row]
    rejected: list[Row]
    counts: list[Row]
    comparison: Comparison


def build(
    root: Path,
    *,
    dataset: str,
    corpus: str,
    pred: str = "emotion",
    label_policy: str = "",
    classes: str | Sequence[str] = "default",
    filter: Mapping[str, Sequence[str]] | None = None,
    parity: str | None = None,
    options: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
    max_rejected: float = 0.1,
    workers: int = 1,
    ledger: Memory | None = None,
) -> Manifest:
    """Read a corpus, inspect the recordings that may take part, and list all the others with a reason.

    Parameters
    ----------
    root
        The corpus folder.
    dataset, corpus
        Name of the dataset, and of the reader.
    pred
        ``emotion``, or the rating that every clip must have to take part.
    label_policy
        One of the reader's policies; its first if empty.
    classes
        ``default``, ``all`` or a list of emotions. By default all clips with the rating that is predicted take
        part, whatever their emotion, and those without.
    filter
        Allowed values of the columns `candor.corpora.choice.FILTER_COLUMNS`.
    parity
        Name of a system to read as it does; then clips with equal samples all stay, as they do there.
    options
        What else the config says to the reader.
    limits
        What a recording must keep to.
    max_rejected
        Largest share of the recordings that may be broken. Files that are not there count as broken unless
        the corpus has published counts: then what is there is a part of it, and is called so.
    workers
        Number of processes.
    ledger
        Remembers inspections between runs.

    Raises
    ------
    CorpusError
        When the folder, a label file or a choice of the config is wrong.
    TooManyRejects
        When more than `max_rejected` of the recordings are broken.
    """
    try:
        registry.locate(root, corpus)
    except CorpusError as error:
        raise CorpusError(f"{root}: {error}") from None
    reader = registry.load(corpus)
    policy = _policy(reader.CARD, label_policy, dataset)
    reading = reader.read(root, policy, parity, {**(options or {}), "dataset": dataset, "pred": pred})
    _refuse_namesakes(reading.clips, dataset)
    present = {path for path in {clip.path for clip in reading.clips} if os.path.isfile(os.path.join(root, path))}
    comparison = compare(reading.clips, present, reader.CARD.published, policy, parity)
    logger.log(
        logging.WARNING if comparison.verdict == "differs" else logging.INFO, "%s: %s", dataset, comparison.sentence
    )
    reading = _settle_genders(reading, dataset)
    if not reading.clips:
        raise CorpusError(f"{dataset}: no clip can be used. {_summary(_rejected_rows(reading.rejected))}")
    choice = make_choice(reader.CARD, policy, reading, dataset=dataset, pred=pred, classes=classes, wanted=filter or {})
    chosen, left_out = choose(reading, choice, dataset)
    if chosen and not any(clip.path in present for clip in chosen):
        raise CorpusError(f"{dataset}: none of the {len(chosen)} recordings is there, such as {root / chosen[0].path}")
    found = inspect(root, [clip.path for clip in chosen], workers=workers, ledger=ledger, limits=limits)
    sound, broken = _sort_out(chosen, found)
    sound, notes, repeated = _without_duplicates(sound, found, choice, keep=parity is not None)
    rejected = _rejected_rows([*reading.rejected, *left_out, *broken, *repeated])
    partial = reader.CARD.published is not None
    _refuse_too_many([*broken, *repeated], len(chosen), present if partial else None, max_rejected, rejected, dataset)
    if not sound:
        raise CorpusError(f"{dataset}: nothing is left of {len(reading.clips)} clips. {_summary(rejected)}")
    rows = [_row(clip, found[clip.path], notes[clip.utterance]) for clip in sound]
    _tell(dataset, rows, rejected)
    return Manifest(rows, rejected, comparison.rows + tally(rows, rejected), comparison)


def _policy(card: Card, wanted: str, dataset: str) -> str:
    if wanted and wanted not in card.policies:
        raise CorpusError(f"{dataset}: label_policy is {wanted!r}; {card.title} has {', '.join(card.policies)}")
    return wanted or card.policies[0]


def _refuse_namesakes(clips: Iterable[Clip], dataset: str) -> None:
    name, count = Counter(clip.utterance for clip in clips).most_common(1)[0] if clips else ("", 0)
    if count > 1:
        raise CorpusError(f"{dataset}: {count} clips are called {name!r}; names must be unique within a dataset")


def _settle_genders(reading: Reading, dataset: str) -> Reading:
    """Fill in what is known of a speaker's gender from other clips; leave out speakers who are given two."""
    known: dict[str, set[str]] = defaultdict(set)
    for clip in reading.clips:
        known[clip.speaker] |= {clip.gender} - {""}
    contradictory = sorted(speaker for speaker, genders in known.items() if speaker and len(genders) > 1)
    if contradictory:
        logger.warning("%s: left out, as their lines differ about gender: %s", dataset, ", ".join(contradictory))
    clips: list[Clip] = []
    rejected: list[Rejection] = []
    for clip in reading.clips:
        genders = sorted(known[clip.speaker]) if clip.speaker else []
        if len(genders) > 1:
            reason = f"contradictory gender: {' and '.join(genders)}"
            rejected.append(Rejection(clip.path, "label", reason, clip.utterance))
        else:
            clips.append(replace(clip, gender=genders[0]) if genders and not clip.gender else clip)
    return Reading(clips, [*reading.rejected, *rejected])


def _sort_out(clips: Iterable[Clip], found: Mapping[str, Inspection]) -> tuple[list[Clip], list[Rejection]]:
    """Split clips into those with sound recordings and those with broken ones."""
    sound: list[Clip] = []
    broken: list[Rejection] = []
    for clip in clips:
        problem = "file name: holds a tab, a line break or a byte that is no text" if NOT_TEXT.search(clip.path) else ""
        problem = problem or found[clip.path].problem
        if problem:
            broken.append(Rejection(clip.path, "audio", problem, clip.utterance))
        else:
            sound.append(clip)
    return sound, broken


def _without_duplicates(
    clips: Sequence[Clip], found: Mapping[str, Inspection], choice: Choice, *, keep: bool
) -> tuple[list[Clip], dict[str, list[str]], list[Rejection]]:
    """Leave out recordings that occur twice, and note recordings with a rate of their own.

    Of clips with equal samples the first by name stays if all agree on speaker and label. If they do not,
    one of them at least is wrong, nothing tells which, and none stays: the copies would put the same sound
    under two labels, or one speaker's sound on both sides of a split.
    """
    notes: dict[str, list[str]] = defaultdict(list)
    same: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        same[found[clip.path].audio].append(clip)
    rejected: list[Rejection] = []
    for copies in same.values():
        first = copies[0]
        agree = len({(clip.speaker, choice.truth(clip)) for clip in copies}) == 1
        for clip in copies if len(copies) > 1 else ():
            other = next(copy for copy in copies if copy is not clip)
            if keep:
                notes[clip.utterance].append(f"same samples as {other.utterance}")
            elif not agree:
                what = f"{choice.truth(other)} by {other.speaker or 'someone not known'}"
                reason = f"contradiction: same samples as {other.utterance}, which is {what}"
                rejected.append(Rejection(clip.path, "audio", reason, clip.utterance))
            elif clip is not first:
                reason = f"duplicate: same samples as {first.utterance}"
                rejected.append(Rejection(clip.path, "audio", reason, clip.utterance))
    out = {rejection.utterance for rejection in rejected}
    rates = Counter(found[clip.path].rate for clip in clips)
    usual = max(rates, key=lambda rate: (rates[rate], rate), default=0)
    for clip in clips:
        if found[clip.path].rate != usual:
            notes[clip.utterance].append(f"{found[clip.path].rate} Hz where most have {usual} Hz, resampled")
    return [clip for clip in clips if clip.utterance not in out], notes, rejected


def _refuse_too_many(
    broken: Sequence[Rejection],
    total: int,
    present: set[str] | None,
    limit: float,
    rejected: list[Row],
    dataset: str,
) -> None:
    """Stop if the share of broken recordings is beyond the limit; `present` is None where missing ones count."""
    if present is not None:
        missing = sum(rejection.path not in present for rejection in broken)
        broken = [rejection for rejection in broken if rejection.path in present]
        total -= missing
    if not broken or len(broken) <= limit * total:
        return
    rows = _rejected_rows(broken)
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(gist(row["reason"]), f"{row['path']}: {row['reason']}")
    raise TooManyRejects(
        f"{dataset}: {len(broken)} of {total} recordings ({len(broken) / total:.1%}) are broken, more than "
        f"corpora.max_rejected allows ({limit:.1%}). {_summary(rows)}. For example {'; '.join(first.values())}",
        rejected,
    )


def _tell(dataset: str, rows: Sequence[Row], rejected: Sequence[Row]) -> None:
    """Log how many take part, what is odd about them, and what was left out for which reasons."""
    odd = Counter(note for row in rows for note in str(row["note"]).split("; ") if note)
    logger.info("%s: %d utterances take part%s", dataset, len(rows), f"; {listed(odd)}" if odd else "")
    if rejected:
        logger.warning("%s: %d left out and listed in rejected.tsv: %s", dataset, len(rejected), _summary(rejected))


def _summary(rejected: Iterable[Row]) -> str:
    return listed(Counter(f"{row['kind']}, {gist(row['reason'])}" for row in rejected))


def _rejected_rows(rejections: Iterable[Rejection]) -> list[Row]:
    rows = [
        {
            "path": _printable(rejection.path),
            "utterance": _printable(rejection.utterance),
            "kind": rejection.kind,
            "reason": _printable(rejection.reason),
        }
        for rejection in rejections
    ]
    return sorted(rows, key=lambda row: (row["path"], row["utterance"], row["kind"], row["reason"]))


def _printable(text: str) -> str:
    """Return a text that a table can hold; bytes of a file name that are no text are spelled out."""
    return text.encode(errors="backslashreplace").decode()


def _row(clip: Clip, found: Inspection, notes: Sequence[str]) -> Row:
    votes = [f"{emotion}:{clip.votes[emotion]:g}" for emotion in EMOTIONS if clip.votes.get(emotion)]
    own = {name: getattr(clip, name) for name in OWN_COLUMNS}
    measured = {name: getattr(found, name) for name in ("duration", "rate", "channels", "audio")}
    note = "; ".join([*filter(None, [found.note]), *notes])
    return {**own, "votes": " ".join(votes), **measured, "note": note}
