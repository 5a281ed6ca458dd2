"""What EmoBox's lists leave to the file names: who speaks.

An EmoBox line has a key, a path, an emotion and the name of its corpus, but no speaker. For the corpora below
the name of the recording tells; lists of other corpora need a column with the speaker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rule:
    """How a corpus's file names, without their suffix, tell the speaker.

    Parameters
    ----------
    name
        Its groups, joined, are the speaker; a group called ``gender`` is F or M.
    male, female
        Speakers by gender, where they are few and known.
    labels
        The corpus's own spellings of emotions that elsewhere mean something else.
    """

    name: re.Pattern[str]
    male: frozenset[str] = frozenset()
    female: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)


RULES = {
    "cremad": Rule(re.compile(r"(1\d{3})_.*")),
    "emodb": Rule(
        re.compile(r"(03|08|09|1[0-6])[ab]\d{2}[WLEAFTN][a-f]"),
        male=frozenset({"03", "10", "11", "12", "15"}),
        female=frozenset({"08", "09", "13", "14", "16"}),
    ),
    "esd": Rule(re.compile(r"(00\d{2})_\d{6}")),
    # The letter after the session names who wears the markers; who speaks is the letter of the last field.
    "iemocap": Rule(re.compile(r"(Ses0[1-5])[FM]_.*_(?P<gender>[FM])\d{3}")),
    "ravdess": Rule(
        re.compile(r"03-0[12](?:-\d{2}){4}-(\d{2})"),
        male=frozenset(f"{actor:02d}" for actor in range(1, 25, 2)),
        female=frozenset(f"{actor:02d}" for actor in range(2, 25, 2)),
    ),
    "savee": Rule(
        re.compile(r"(DC|JE|JK|KL)_(?:sa|su|a|d|f|h|n)\d{2}"),
        male=frozenset({"DC", "JE", "JK", "KL"}),
        labels={
            "a": "anger",
            "d": "disgust",
            "f": "fear",
            "h": "happiness",
            "n": "neutral",
            "sa": "sadness",
            "su": "surprise",
        },
    ),
    "tess": Rule(re.compile(r"(OA|YA)F?_.*"), female=frozenset({"OA", "YA"})),
}


def speaker_of(corpus: str, stem: str) -> tuple[str, str] | None:
    """Return speaker and gender of a recording, or None where its name does not tell.

    >>> speaker_of("emodb", "03a01Wa")
    ('03', 'male')
    >>> speaker_of("iemocap", "Ses01F_impro04_M005")
    ('Ses01M', 'male')
    """
    rule = RULES.get(corpus)
    match = rule.name.fullmatch(stem) if rule else None
    if rule is None or match is None:
        return None
    speaker = "".join(match.groups())
    letter = match.groupdict().get("gender")
    if speaker in rule.male or letter == "M":
        return speaker, "male"
    return speaker, "female" if speaker in rule.female or letter == "F" else ""
