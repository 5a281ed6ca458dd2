"""What outcomes are called in tables; apart from the thresholds, an edit of which disturbs nothing anew."""

from __future__ import annotations

ALL = "all"
"""Stands in place of a test for all of them together."""

DISTURBED, SILENT = "disturbed", "silent"
TOO_SHORT, NO_OTHER_SPEAKER = "too short", "no other speaker"
"""What became of an utterance."""

LEFT_OUT = (TOO_SHORT, NO_OTHER_SPEAKER)
"""Why it has no answer."""
