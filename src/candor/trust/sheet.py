"""The profiles as a table for a paper or a page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from candor.sheets import Cell, Sheet
from candor.trust.axes import BETTER, HEADS, Axis, units
from candor.trust.profile import axes_of, missing, quantity

Profile = Mapping[Any, Any]

NONE = "–"
"""What stands where there is no figure."""


def trust_sheet(profiles: pd.DataFrame) -> Sheet:
    """Lay out the profiles, a row for each backbone and recipe; the best figure of each dataset is bold.

    Parameters
    ----------
    profiles
        Rows of `TrustProfile` or `TrustOverview`.
    """
    datasets = list(dict.fromkeys(profiles["dataset"]))
    several = len(datasets) > 1
    lines = []
    for dataset in datasets:
        own = profiles[profiles["dataset"] == dataset]
        sound = own[own["interpretable"] == "yes"]
        alike = dict.fromkeys(HEADS, sound) | {"attack": sound[sound["attack_transfer"] != "yes"]}
        best = {axis: _best(alike[axis][axis], axis) for axis in HEADS}
        for profile in own.to_dict("records"):
            names = [Cell(profile["dataset"])] if several else []
            mark = "" if profile["interpretable"] == "yes" else "*"
            names += [Cell(profile["backbone"]), Cell(f"{profile['recipe']}{mark}")]
            lines.append(
                [
                    *names,
                    *(_cell(profile, axis, best[axis.name]) for axis in axes_of(profile)),
                    Cell(passed_text(profile)),
                ]
            )
    heads = [*(["dataset"] if several else []), "backbone", "recipe", *HEADS.values(), "tests"]
    caption = f"Trust profiles on {', '.join(datasets)}, in {units(profiles['metric'])}"
    return Sheet(heads, 3 if several else 2, lines, caption, _notes(profiles))


def figure_text(profile: Profile, axis: Axis, none: str = NONE) -> str:
    """Return a figure of a profile with its interval, in the unit of its axis; `none` where there is none."""
    return f"{_value(profile, axis, none)}{_after(profile, axis)}"


def _value(profile: Profile, axis: Axis, none: str) -> str:
    value = float(profile[axis.name])
    return none if math.isnan(value) else axis.number(value)


def _after(profile: Profile, axis: Axis) -> str:
    """Return what stands behind a figure: its interval, and that an attack is a transfer."""
    low, high = (float(profile.get(f"{axis.name}_{end}", math.nan)) for end in ("low", "high"))
    interval = "" if math.isnan(low) else f" [{axis.number(low)}, {axis.number(high)}]"
    return f"{interval} by transfer" if _is_lent(profile, axis) else interval


def _is_lent(profile: Profile, axis: Axis) -> bool:
    return axis.name == "attack" and profile["attack_transfer"] == "yes"


def _best(figures: pd.Series[float], axis: str) -> float:
    return float(figures.max() if BETTER[axis] == "higher" else figures.min())


def _cell(profile: Profile, axis: Axis, best: float) -> Cell:
    """Return a figure as a cell, bold where it prints as the best does and may be compared with it."""
    words = _value(profile, axis, NONE)
    sound = profile["interpretable"] == "yes" and not _is_lent(profile, axis)
    return Cell(words, _after(profile, axis), sound and not math.isnan(best) and words == axis.number(best))


def passed_text(profile: Profile, none: str = NONE) -> str:
    """Return how many tests of robustness are passed; `none` where there is no verdict on any."""
    passed, made = profile["tests_passed"], profile["tests_made"]
    return none if pd.isna(passed) or pd.isna(made) else f"{passed:.0f} of {made:.0f}"


def _notes(profiles: pd.DataFrame) -> list[str]:
    rows = profiles.to_dict("records")
    metrics = " or ".join(sorted({str(row["metric"]).upper() for row in rows}))
    attacks = " or ".join(sorted({row["attack_by"] for row in rows} - {""})) or "attack (none was made)"
    groups = " or ".join(sorted({quantity(row, "fairness") for row in rows}))
    notes = [
        f"In brackets: 95 % interval over speakers. Recognised: {metrics} (higher is better). Gap: {groups} (lower). "
        f"Fooled: by {attacks}, of those that were right (lower). Gender read: UAR from the emotion embedding, 50 is "
        "chance (lower). Unchanged: predictions under disturbance, mean of the tests (higher). FLOPs per second of "
        "speech (lower). Tests: of robustness, passed. Bold: best of the dataset."
    ]
    if (profiles["attack_transfer"] == "yes").any():
        notes.append(
            "By transfer: with another backbone's gradient, a weaker attack, not to be compared with the others."
        )
    marked = sorted({row["interpretable"] for row in rows} - {"yes"})
    if marked:
        notes.append(f"*: {' or '.join(marked)}, not to be interpreted.")
    reasons = {f"{row['backbone']}, {axis.head}: {why}" for row, axis, why in missing(rows)}
    return [*notes, *(f"{reason}." for reason in sorted(reasons))]
