"""What was read, counted, and held against what the corpus's authors publish."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from candor.corpora.emotions import EMOTIONS
from candor.corpora.reader import Clip, Published
from candor.corpora.reasons import gist

Row = dict[str, Any]
Key = tuple[str, str]
"""What is counted, and of which value."""

Verdict = Literal["as published", "partial", "differs", ""]

SHOWN = 5
NOT_KNOWN = "not known"
NO_LABEL = "no label"
_ORDER = {value: place for place, value in enumerate((*EMOTIONS, "train", "dev"))}
_COMPARED = ("files", "speakers", "sessions", "labelled", "partition")


@dataclass(frozen=True)
class Comparison:
    """A corpus beside its published counts: rows of the table, a verdict, and a sentence that says it."""

    rows: list[Row]
    verdict: Verdict
    sentence: str


def compare(
    clips: Sequence[Clip], present: Collection[str], published: Published | None, policy: str, parity: str | None
) -> Comparison:
    """Hold what was read, before anything is left out, against the published counts.

    A corpus with fewer files is partial if speakers, a class or a part of the partition are missing, or more than
    half of the files; any other deviation is one that its user should know of. Speakers who are not known do not count.

    Parameters
    ----------
    clips
        All clips of the corpus.
    present
        Paths of those whose file is there.
    published, policy
        The published counts, and the label policy to look up.
    parity
        When set, labels and partition are left as that system has them and not compared.
    """
    got = _found(clips, present)
    expected = _expected(published, policy, parity) if published else {}
    got |= {key: 0 for key in expected if key not in got}
    partial = _partial(got, expected)
    keys = sorted(got, key=lambda key: (_COMPARED.index(key[0]), in_order(key[1])))
    rows = [_compared(key, got[key], expected.get(key), partial) for key in keys]
    verdict = overall(rows)
    whereabouts = _whereabouts(clips, present) if verdict == "differs" else ""
    return Comparison(rows, verdict, sentence_of(rows) + whereabouts)


def overall(rows: Iterable[Row]) -> Verdict:
    """Return the verdict on a whole corpus: the worst of its rows' verdicts; blank if nothing is published."""
    verdicts = {row["verdict"] for row in rows}
    worst: tuple[Verdict, ...] = ("differs", "partial", "as published")
    return next((verdict for verdict in worst if verdict in verdicts), "")


def sentence_of(rows: Sequence[Row], thousands: Literal["", ","] = "") -> str:
    """Say how a corpus compares with its published counts.

    Parameters
    ----------
    rows
        Those of `Comparison`, also as `counts.tsv` has them.
    thousands
        What stands between the thousands of a number.
    """

    def number(row: Row, column: str) -> str:
        return f"{int(row[column]):{thousands}}"

    verdict = overall(rows)
    files, speakers = (next(row for row in rows if row["what"] == what) for what in ("files", "speakers"))
    here = f"{number(files, 'got')} files of {number(speakers, 'got')} speakers"
    if verdict == "":
        return f"{here}; there are no published counts to compare with"
    if verdict == "as published":
        return f"{here}, as published"
    if verdict == "partial":
        without = [_called(row) for row in rows if row["published"] and not row["got"]]
        return (
            f"partial: {number(files, 'got')} of {number(files, 'published')} published files, "
            f"{number(speakers, 'got')} of {number(speakers, 'published')} speakers"
            + (f", without {', '.join(without)}" if without else "")
        )
    wrong = [
        f"{_called(row)}: got {number(row, 'got')}, published {number(row, 'published')}"
        for row in rows
        if row["verdict"] == "differs"
    ]
    return f"DIFFERS from what its authors publish: {'; '.join(wrong)}"


def headline(dataset: str, rows: Iterable[Row]) -> str:
    """Say in a few words what takes part.

    Parameters
    ----------
    dataset
        Its name.
    rows
        Those of the table `Counts`.
    """
    rows = list(rows)
    clips = next(row for row in rows if row["what"] == "utterances")
    speakers = sum(row["what"] == "speaker" and row["value"] != NOT_KNOWN for row in rows)
    unit = unit_of(clips["seconds"])
    length = f"{lengths([clips['seconds']], unit)[0]} {unit}"
    people = many(speakers, "speaker") if speakers else "speakers not known"
    return f"{dataset}: {many(clips['got'], 'clip')}, {length}, {people}"


def many(number: int, what: str) -> str:
    """Say how many there are.

    >>> many(1, "clip"), many(7442, "clip")
    ('1 clip', '7,442 clips')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def unit_of(seconds: float) -> Literal["hours", "minutes"]:
    """Return the unit in which something of this length, and its parts, are told."""
    return "hours" if seconds >= 3600 else "minutes"


def lengths(seconds: Sequence[float], unit: Literal["hours", "minutes"]) -> list[str]:
    """Write lengths in one unit, with as many digits as the least of them needs.

    >>> lengths([5400, 3600], "hours"), lengths([5400, 60], "hours")
    (['1.5', '1.0'], ['1.50', '0.02'])
    """
    amounts = [length / {"hours": 3600, "minutes": 60}[unit] for length in seconds]
    digits = 1 if min(amounts, default=1) >= 0.1 else 2
    return [f"{amount:,.{digits}f}" for amount in amounts]


def tally(rows: Sequence[Row], rejected: Sequence[Row]) -> list[Row]:
    """Count the manifest by class, gender and so on, and the rejects by kind and reason.

    Parameters
    ----------
    rows, rejected
        The rows of the tables `Utterances` and `Rejected`.

    Returns
    -------
    list of dict
        Rows of the table `Counts`. Of split, scenario, language and session there are none where the corpus has none.
    """
    seconds = [float(row["duration"]) for row in rows]
    labels = [row["label"] or NO_LABEL for row in rows]
    genders = [row["gender"] or NOT_KNOWN for row in rows]
    counted = _sums("utterances", [""] * len(rows), seconds)
    counted += _sums("label", labels, seconds)
    counted += _sums("gender", genders, seconds)
    counted += _sums(
        "label by gender", [f"{label}, {gender}" for label, gender in zip(labels, genders, strict=True)], seconds
    )
    for column in ("split", "scenario", "language", "session", "speaker"):
        values = [row[column] or NOT_KNOWN for row in rows]
        if column == "speaker" or set(values) - {NOT_KNOWN}:
            counted += _sums(column, values, seconds)
    kinds = Counter(row["kind"] for row in rejected)
    reasons = Counter(f"{row['kind']}: {gist(row['reason'])}" for row in rejected)
    for found in (kinds, reasons):
        counted += [_counted("rejected", value, found[value], None) for value in sorted(found)]
    return counted


def in_order(value: str) -> tuple[tuple[int, str], ...]:
    """Return what values are sorted by: emotions and parts of a partition as usual, others by name, unknown ones last.

    >>> sorted(["not known", "test2", "test1", "dev", "train"], key=in_order)
    ['train', 'dev', 'test1', 'test2', 'not known']
    """
    last = len(_ORDER) + 1
    return tuple(
        (last if word in (NOT_KNOWN, NO_LABEL) else _ORDER.get(word, last - 1), word) for word in value.split(", ")
    )


def _sums(what: str, values: Sequence[str], seconds: Sequence[float]) -> list[Row]:
    """Return a row per value: how often it occurs, and how long that is together."""
    counts = Counter(values)
    lengths: defaultdict[str, float] = defaultdict(float)
    for value, length in zip(values, seconds, strict=True):
        lengths[value] += length
    # Rounded to the millisecond, so that no cell ends in the noise of a long sum.
    return [_counted(what, value, counts[value], round(lengths[value], 3)) for value in sorted(counts, key=in_order)]


def _counted(what: str, value: str, got: int, seconds: float | None) -> Row:
    return {"what": what, "value": value, "got": got, "seconds": seconds, "published": None, "verdict": ""}


def _found(clips: Sequence[Clip], present: Collection[str]) -> dict[Key, int]:
    """Count what a corpus folder holds; sessions and parts only where the corpus has some."""
    here = [clip for clip in clips if clip.path in present]
    sessions = {clip.session for clip in here} - {""}
    labels = Counter(clip.label for clip in clips if clip.label)
    parts = Counter(clip.split for clip in clips if clip.split)
    return {
        ("files", ""): len(here),
        ("speakers", ""): len({clip.speaker for clip in here} - {""}),
        **({("sessions", ""): len(sessions)} if sessions else {}),
        **{("labelled", emotion): count for emotion, count in labels.items()},
        **{("partition", part): count for part, count in parts.items()},
    }


def _expected(published: Published, policy: str, parity: str | None) -> dict[Key, int]:
    labels, parts = ({}, {}) if parity else (published.labels.get(policy, {}), published.splits)
    return {
        ("files", ""): published.files,
        ("speakers", ""): published.speakers,
        **({("sessions", ""): published.sessions} if published.sessions else {}),
        **{("labelled", emotion): count for emotion, count in labels.items()},
        **{("partition", part): count for part, count in parts.items()},
    }


def _compared(key: Key, got: int, published: int | None, partial: bool) -> Row:
    verdict: Verdict = "differs"
    if published is None:
        verdict = ""
    elif got == published:
        verdict = "as published"
    elif partial and got < published:
        verdict = "partial"
    return {"what": key[0], "value": key[1], "got": got, "published": published, "verdict": verdict}


def _partial(got: Mapping[Key, int], expected: Mapping[Key, int]) -> bool:
    """Tell a part of a corpus, taken on purpose, from a copy with holes: it lacks what has a name, or most files."""
    files, speakers = ("files", ""), ("speakers", "")
    if not expected or got[files] >= expected[files]:
        return False
    missing = any(not got[key] for key, number in expected.items() if number and key[0] in ("labelled", "partition"))
    return missing or got[speakers] < expected[speakers] or 2 * got[files] < expected[files]


def _called(row: Row) -> str:
    """Return the name of what a row counts, for a sentence."""
    return f"{row['what']} {row['value']}" if row["what"] == "partition" else row["value"] or row["what"]


def _whereabouts(clips: Sequence[Clip], present: Collection[str]) -> str:
    """Name the files that are missing; where no list says so, the speakers with another number than most."""
    missing = sorted(clip.path for clip in clips if clip.path not in present)
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        return f". Missing: {', '.join(missing[:SHOWN])}{more}"
    speakers = Counter(clip.speaker for clip in clips if clip.speaker)
    usual, share = Counter(speakers.values()).most_common(1)[0] if speakers else (0, 0)
    odd = sorted(speaker for speaker, count in speakers.items() if count != usual)
    if not odd or 2 * share <= len(speakers):
        return ""
    named = ", ".join(f"{speaker} has {speakers[speaker]}" for speaker in odd[:SHOWN])
    return f". Most speakers have {usual} files, but {named}"
