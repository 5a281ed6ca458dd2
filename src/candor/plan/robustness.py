"""Which tests disturbed speech is put to, at which strengths."""

from __future__ import annotations

from candor.config.root import Config
from candor.robustness.battery import with_headline


def tests_of(config: Config) -> dict[str, list[float]]:
    """Return each test that is asked for with its strengths, that of the verdict among them."""
    return {test: with_headline(test, strengths) for test, strengths in config.robustness.tests.items()}
