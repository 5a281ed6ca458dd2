"""The page of known corpora has a line for each of them, and the line says what the card says."""

import re

import pytest

from candor.corpora import registry
from paths import ROOT

PAGE = (ROOT / "docs" / "known-corpora.md").read_text(encoding="utf-8")
TABLE = PAGE.split("|---|", 1)[1].split("\n\n", 1)[0]
# The name may be a link to a section of its own.
LINES = dict(re.findall(r"^\| \[?(\w+)(?:\]\(#\w+\))? \| (.*) \|$", TABLE, re.MULTILINE))
KNOWN = sorted(set(registry.names()) - {"demo", "table", "folder"})


def test_every_known_corpus_has_a_line_and_no_other():
    assert sorted(LINES) == KNOWN


@pytest.mark.parametrize("name", KNOWN)
def test_a_line_says_what_the_card_says(name):
    card = registry.load(name).CARD
    counts = (f"{card.published.files:,}", str(card.published.speakers)) if card.published else ("by release",) * 2
    assert LINES[name].split(" | ") == [
        *counts,
        str(len(card.classes)),
        ", ".join(card.dimensions) or "–",
        card.schemes[0],
        card.licence,
        "yes" if card.redistributable else "no",
    ]
