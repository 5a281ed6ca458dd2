"""What was read, counted, and held against what the corpus's authors publish."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from candor.corpora.emotions import EMOTIONS
from candor.corpora.reader import Clip, Published

Row = dict[str, Any]
Verdict = Literal["as published", "partial", "differs", ""]

SHOWN = 5
NOT_KNOWN = "not known"


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

    A corpus with fewer files is partial if speakers are missing or if less than half of the files is there;
    any other deviation is one that its user should know of.

    Parameters
    ----------
    clips
        All clips of the corpus.
    present
        Paths of those whose file is there.
    published, policy
        The published counts, and the label policy to look up.
    parity
        When set, labels are left as that system has them and not compared.
    """
    here = [clip for clip in clips if clip.path in present]
    labels = Counter(clip.label for clip in clips if clip.label)
    got = [("files", "", len(here)), ("speakers", "", len({clip.speaker for clip in here}))]
    got += [("labelled", emotion, labels[emotion]) for emotion in EMOTIONS if labels[emotion]]
    expected: dict[tuple[str, str], int] = {}
    if published is not None:
        expected = {("files", ""): published.files, ("speakers", ""): published.speakers}
        table = {} if parity else published.labels.get(policy, {})
        expected |= {("labelled", emotion): count for emotion, count in table.items()}
        got += [("labelled", emotion, 0) for emotion in table if not labels[emotion]]
    partial = _partial(got[0][2], got[1][2], published)
    rows = [
        {"what": what, "value": value, "got": count, "published": number, "verdict": _verdict(count, number, partial)}
        for what, value, count in got
        for number in [expected.get((what, value))]
    ]
    verdicts = {row["verdict"] for row in rows} - {""}
    verdict: Verdict = "differs" if "differs" in verdicts else "partial" if "partial" in verdicts else "as published"
    verdict = verdict if published else ""
    return Comparison(rows, verdict, _sentence(rows, verdict, clips, present))


def tally(rows: Sequence[Row], rejected: Sequence[Row]) -> list[Row]:
    """Count the manifest by label, gender, speaker and session, and the rejects by kind and reason."""
    counted: list[tuple[str, str, int]] = [("utterances", "", len(rows))]
    labels = Counter(row["label"] for row in rows)
    counted += [("label", emotion, labels[emotion]) for emotion in EMOTIONS if labels[emotion]]
    for column in ("gender", "session", "speaker"):
        found = Counter(row[column] or NOT_KNOWN for row in rows)
        if set(found) != {NOT_KNOWN} or column == "gender":
            counted += [(column, value, found[value]) for value in sorted(found)]
    kinds = Counter(row["kind"] for row in rejected)
    counted += [("rejected", kind, kinds[kind]) for kind in sorted(kinds)]
    reasons = Counter(f"{row['kind']}: {gist(row['reason'])}" for row in rejected)
    counted += [("rejected", reason, reasons[reason]) for reason in sorted(reasons)]
    return [
        {"what": what, "value": value, "got": got, "published": None, "verdict": ""} for what, value, got in counted
    ]


def gist(reason: str) -> str:
    """Return a reason without what differs from file to file.

    >>> gist("truncated: the header says 3.20 s, 1.10 s are there")
    'truncated'
    >>> gist("tie A:D")
    'tie'
    """
    return re.split(r": | (?=[A-Z]:)", reason, maxsplit=1)[0]


def _partial(files: int, speakers: int, published: Published | None) -> bool:
    if published is None or files >= published.files:
        return False
    return speakers < published.speakers or 2 * files < published.files


def _verdict(got: int, expected: int | None, partial: bool) -> Verdict:
    if expected is None:
        return ""
    if got == expected:
        return "as published"
    return "partial" if partial and got < expected else "differs"


def _sentence(rows: Sequence[Row], verdict: Verdict, clips: Sequence[Clip], present: Collection[str]) -> str:
    files, speakers = rows[0], rows[1]
    if verdict == "":
        return f"{files['got']} files of {speakers['got']} speakers; there are no published counts to compare with"
    if verdict == "as published":
        return f"{files['got']} files of {speakers['got']} speakers, as published"
    if verdict == "partial":
        return (
            f"partial: {files['got']} of {files['published']} published files, "
            f"{speakers['got']} of {speakers['published']} speakers"
        )
    wrong = [
        f"{row['value'] or row['what']}: got {row['got']}, published {row['published']}"
        for row in rows
        if row["verdict"] == "differs"
    ]
    return f"DIFFERS from what its authors publish: {'; '.join(wrong)}{_whereabouts(clips, present)}"


def _whereabouts(clips: Sequence[Clip], present: Collection[str]) -> str:
    """Name the files that are missing; where no list says so, the speakers with another number than most."""
    missing = sorted(clip.path for clip in clips if clip.path not in present)
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        return f". Missing: {', '.join(missing[:SHOWN])}{more}"
    speakers = Counter(clip.speaker for clip in clips)
    usual, share = Counter(speakers.values()).most_common(1)[0] if speakers else (0, 0)
    odd = sorted(speaker for speaker, count in speakers.items() if count != usual)
    if not odd or 2 * share <= len(speakers):
        return ""
    named = ", ".join(f"{speaker} has {speakers[speaker]}" for speaker in odd[:SHOWN])
    return f". Most speakers have {usual} files, but {named}"
