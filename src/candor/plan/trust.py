"""What a trust profile is made of, and what cannot be asked for."""

from __future__ import annotations

from candor.config.loading import ConfigError
from candor.config.root import Config

USUAL = "gender"


def fairness_axis(config: Config) -> str:
    """Return what the audit of fairness calls the groups whose gap is in the profile."""
    groups = config.fairness.groups
    by = config.trust.fairness_by or (USUAL if USUAL in groups else groups[0])
    return by if isinstance(by, str) else "+".join(by)


def check_trust(config: Config) -> None:
    """Refuse groups that the audit of fairness does not compare."""
    asked = config.trust.fairness_by
    if asked is not None and asked not in config.fairness.groups:
        allowed = ", ".join(by if isinstance(by, str) else f"[{', '.join(by)}]" for by in config.fairness.groups)
        shown = asked if isinstance(asked, str) else f"[{', '.join(asked)}]"
        raise ConfigError(
            f"config: trust.fairness_by is {shown}; allowed is what fairness.groups lists: {allowed}. "
            "Add it there, or choose one of these"
        )
