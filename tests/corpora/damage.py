"""Damage the bytes of label files as downloads, spreadsheets and scripts do, and tell right rows from wrong ones."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from candor.corpora.reader import Clip, CorpusError, Reading

ABSURD = [b"1e9", b"-5", b"99999999999999999999", b"inf", b"nan", b"0x10", b"3,7", b""]
NUMBER = re.compile(rb"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
BLANK = ("", None, {})


@st.composite
def damaged(draw: st.DrawFn, data: bytes, *, numbers: bool = True, delimiter: bytes = b"", most: int = 3) -> bytes:
    """Return `data` after one to `most` mishaps.

    Parameters
    ----------
    data
        A label file as it should be.
    numbers
        Whether numbers that stand alone may be replaced by absurd ones.
    delimiter
        Of a table, to which a column is then added now and then.
    most
        How many mishaps there are at most. Of two, one may cover what gives the other away.
    """
    mishaps = [_truncate, _repeat_line, _swap_lines, _other_encoding, _damage_byte, _line_ends]
    mishaps += [_absurd_number] if numbers else []
    for mishap in draw(st.lists(st.sampled_from(mishaps), min_size=1, max_size=most)):
        data = mishap(draw, data)
    if delimiter and draw(st.booleans()):
        lines = data.split(b"\n")
        data = b"\n".join(line + delimiter + b"more" if line.strip() else line for line in lines)
    return data


def assert_never_wrong(read: Callable[[], Reading], right: Mapping[str, Clip]) -> None:
    """Read, and accept a sentence, or rows whose every cell is either right or blank, the others being listed."""
    try:
        reading = read()
    except CorpusError as error:
        reading, said = Reading([]), str(error)
    else:
        said = "read"
    assert said
    assert "\n" not in said
    names = [clip.utterance for clip in reading.clips]
    assert len(names) == len(set(names))
    for clip in reading.clips:
        assert clip.utterance in right, f"made up: {clip}"
        for field in dataclasses.fields(Clip):
            value, truth = getattr(clip, field.name), getattr(right[clip.utterance], field.name)
            assert field.name == "reason" or value == truth or value in BLANK, (field.name, value, truth)
        assert clip.label or clip.reason or not right[clip.utterance].label
    for rejection in reading.rejected:
        assert rejection.reason
        assert "\n" not in rejection.reason


def _truncate(draw: st.DrawFn, data: bytes) -> bytes:
    return data[: draw(st.integers(0, len(data)))]


def _repeat_line(draw: st.DrawFn, data: bytes) -> bytes:
    lines = data.split(b"\n")
    line = draw(st.sampled_from(lines))
    lines.insert(draw(st.integers(0, len(lines))), line)
    return b"\n".join(lines)


def _swap_lines(draw: st.DrawFn, data: bytes) -> bytes:
    lines = data.split(b"\n")
    first, second = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _other_encoding(draw: st.DrawFn, data: bytes) -> bytes:
    encoding = draw(st.sampled_from(["utf-16", "utf-16-le", "utf-8-sig", "utf-32"]))
    return data.decode("utf-8", errors="replace").encode(encoding)


def _damage_byte(draw: st.DrawFn, data: bytes) -> bytes:
    """Put a byte in that no label, name or number has; a letter for a letter nobody could notice."""
    place = draw(st.integers(0, len(data)))
    return data[:place] + draw(st.sampled_from([b"\xff", b"\x00", b"\x92", b"\x1a"])) + data[place:]


def _line_ends(draw: st.DrawFn, data: bytes) -> bytes:
    return data.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\n\n"])))


def _absurd_number(draw: st.DrawFn, data: bytes) -> bytes:
    places = [match.span() for match in NUMBER.finditer(data)]
    if not places:
        return data
    start, end = draw(st.sampled_from(places))
    return data[:start] + draw(st.sampled_from(ABSURD)) + data[end:]
