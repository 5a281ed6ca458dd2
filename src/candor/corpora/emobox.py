"""What EmoBox's lists leave to the file names: who speaks.

An EmoBox line has a key, a path, an emotion and the name of its corpus, but no speaker. For the corpora below
the name of the recording tells; lists of other corpora need a column with the speaker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from candor.corpora.readers import emodb, esd, savee


@dataclass(frozen=True)
class Rule:
    """How a corpus's file names, without their suffix, tell the speaker.

    Parameters
    ----------
    name
        Its group ``speaker`` is the speaker; where there is a group ``gender``, F or M, the speaker ends in it.
    genders
        Of the speakers, where they are few and known.
    labels
        The corpus's own spellings of emotions that elsewhere mean something else.
    """

    name: re.Pattern[str]
    genders: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


RULES = {
    "cremad": Rule(re.compile(r"(?P<speaker>1\d{3})_.*")),
    "emodb": Rule(emodb.NAME, {speaker: gender for speaker, (gender, _) in emodb.SPEAKERS.items()}),
    "esd": Rule(esd.NAME, esd.GENDERS),
    # The letter after the session names who wears the markers; who speaks is the letter of the last field.
    "iemocap": Rule(re.compile(r"(?P<speaker>Ses0[1-5])[FM]_.*_(?P<gender>[FM])\d{3}")),
    "ravdess": Rule(
        re.compile(r"03-0[12](?:-\d{2}){4}-(?P<speaker>\d{2})"),
        {f"{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 25)},
    ),
    "savee": Rule(savee.NAME, dict.fromkeys(("DC", "JE", "JK", "KL"), "male"), savee.EMOTION_CODES),
    # One name of the older actress, OAF, lacks its last letter.
    "tess": Rule(re.compile(r"(?P<speaker>OA|YA)F?_.*"), dict.fromkeys(("OA", "YA"), "female")),
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
    letter = match.groupdict().get("gender", "")
    gender = {"F": "female", "M": "male"}.get(letter) or rule.genders.get(match["speaker"], "")
    return match["speaker"] + letter, gender
