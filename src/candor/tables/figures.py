"""In which forms a figure is kept."""

from __future__ import annotations

from pathlib import PurePosixPath

FORMS = (".png", ".svg", ".pdf")
"""For the report and the screen; for pages; for papers."""


def forms_of(figure: str) -> list[str]:
    """Return the files that a figure is kept in, itself first.

    >>> forms_of("performance/demo/ranking.png")
    ['performance/demo/ranking.png', 'performance/demo/ranking.svg', 'performance/demo/ranking.pdf']
    """
    return [str(PurePosixPath(figure).with_suffix(form)) for form in FORMS]
