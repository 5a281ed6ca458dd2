"""The tests that models are put to: what each is called, at which strength it is passed or failed, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SMALL, BACKGROUND, PHONE, ROOM, TILT = "small changes", "background noise", "phone", "room", "spectral tilt"

OURS = "Candor's own"


@dataclass(frozen=True)
class Battery:
    """A test: speech is disturbed in one way, at several strengths.

    Parameters
    ----------
    title
        What it is called in figures.
    unit
        Of the strengths.
    headline
        The strength at which it is passed or failed.
    kind
        The kind of tests of ser-tests [1]_ whose thresholds it takes.
    origin
        Where its headline comes from: `ser-tests`, or `Candor's own`.

    References
    ----------
    .. [1] J. Wagner et al., "Testing speech emotion recognition machine learning models", arXiv:2312.06270, and
       https://audeering.github.io/ser-tests.
    """

    title: str
    unit: str
    headline: float
    kind: str
    origin: str = OURS

    @property
    def least_unchanged(self) -> float:
        """Return the share of predictions that has to be exceeded by those that stay the same."""
        return {SMALL: 0.95, BACKGROUND: 0.90, PHONE: 0.50, ROOM: 0.80, TILT: 0.80}[self.kind]

    def least_change(self, metric: str) -> float | None:
        """Return the change of the UAR or CCC that has to be exceeded; None where it has no part in the test."""
        if metric == "ccc" and self.kind == TILT:
            return -0.05
        return {BACKGROUND: -0.05, PHONE: -0.05, TILT: -0.02}.get(self.kind)


SER_TESTS = "ser-tests"

TESTS: dict[str, Battery] = {
    "white_noise": Battery("White noise", "dB SNR", 20.0, BACKGROUND, SER_TESTS),
    "pink_noise": Battery("Pink noise", "dB SNR", 20.0, BACKGROUND),
    "babble": Battery("Babble", "dB SNR", 20.0, BACKGROUND, SER_TESTS),
    "room": Battery("Room", "s T60", 0.4, ROOM),
    "clipping": Battery("Clipping", "% of samples", 0.2, SMALL, SER_TESTS),
    "gain": Battery("Gain", "dB", -2.0, SMALL, SER_TESTS),
    "low_pass": Battery("Low pass", "Hz", 7000.0, SMALL, SER_TESTS),
    "high_pass": Battery("High pass", "Hz", 100.0, SMALL, SER_TESTS),
    "tilt_down": Battery("Tilt down", "dB/octave", 3.0, TILT),
    "tilt_up": Battery("Tilt up", "dB/octave", 3.0, TILT),
    "crop_start": Battery("Start cut off", "s", 0.03, SMALL, SER_TESTS),
    "crop_end": Battery("End cut off", "s", 0.03, SMALL, SER_TESTS),
    "silence_before": Battery("Silence before", "s", 0.03, SMALL, SER_TESTS),
    "resampling": Battery("Resampling", "Hz", 8000.0, PHONE),
    "mu_law": Battery("μ-law", "levels", 256.0, SMALL),
    "telephone": Battery("Telephone", "levels", 256.0, PHONE),
}

FALLING = ("white_noise", "pink_noise", "babble", "low_pass", "resampling", "mu_law", "telephone")
"""Tests that are the harder, the lower the strength."""


def with_headline(test: str, strengths: Sequence[float]) -> list[float]:
    """Return the strengths in the order in which a test gets harder, that of the verdict among them.

    >>> with_headline("white_noise", [0, 10]), with_headline("gain", [6])
    ([20.0, 10.0, 0.0], [-2.0, 6.0])
    """
    every = sorted({TESTS[test].headline, *map(float, strengths)})
    return every[::-1] if test in FALLING else every
