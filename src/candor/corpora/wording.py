"""Texts whose typography went through wrong encodings, and which of them are the same sentence.

A right quote is the byte 0x92 in cp1252. Copies of a text have it as that stray byte, as the control character
U+0092, or as ``â€™``, which is UTF-8 taken for cp1252.
"""

from __future__ import annotations

import re
import unicodedata

_CP1252 = {byte: bytes([byte]).decode("cp1252", errors="ignore") or chr(byte) for byte in range(0x80, 0xA0)}
_STRAY = {0xDC00 + byte: _CP1252[byte] for byte in (0x85, *range(0x91, 0x98))}
"""Only punctuation: what else a stray byte may be is not known."""

_MENDABLE = "‘’“”–—…" + "".join(map(chr, range(0xC0, 0x100)))
_MENDED = {"".join(_CP1252.get(byte, chr(byte)) for byte in char.encode()): char for char in _MENDABLE}
_MOJIBAKE = re.compile("|".join(map(re.escape, _MENDED)))

_APOSTROPHE = re.compile("['’‘`´]")
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def decoded(cell: str) -> str:
    """Return in UTF-8 what was read as Latin-1, where each byte is a character.

    So a stray byte spoils one cell and not the file; it becomes a surrogate, which no text holds.

    >>> decoded("cafÃ©")
    'café'
    """
    return cell.encode("latin-1").decode("utf-8", errors="surrogateescape")


def mended(text: str) -> str:
    """Return a text with the typographic characters that it had before encodings were mixed up.

    >>> mended("Richardâ€™s Date")
    'Richard’s Date'
    """
    return _MOJIBAKE.sub(lambda found: _MENDED[found[0]], text.translate(_CP1252))


def is_text(text: str) -> bool:
    """Tell whether all characters are known: no stray byte, no replacement for one, no control character."""
    return all((char.isprintable() or char.isspace()) and char != "\ufffd" for char in text)


def wording(text: str) -> str:
    """Return the words of a sentence, the same for all its spellings; blank if a character of it is not known.

    >>> wording("No-no, I can’t…")
    'no no i cant'
    """
    text = mended(text).translate(_STRAY)
    if not is_text(text):
        return ""
    words = _APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).casefold())
    return _BETWEEN_WORDS.sub(" ", words).strip()
