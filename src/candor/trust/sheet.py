"""The profiles as a table for a paper or a page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from candor.cost.show import with_prefix
from candor.sheets import Cell, Sheet
from candor.trust.axes import BETTER, HEADS
from candor.trust.profile import missing, quantity

Profile = Mapping[Any, Any]


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
            lines.append([*names, *(_cell(profile, axis, best[axis]) for axis in HEADS), Cell(tests_text(profile))])
    heads = [*(["dataset"] if several else []), "backbone", "recipe", *HEADS.values(), "tests"]
    caption = f"Trust profiles on {', '.join(datasets)}, in per cent"
    return Sheet(heads, 3 if several else 2, lines, caption, _notes(profiles))


def figure_text(profile: Profile, axis: str) -> str:
    """Return a figure of a profile with its interval, in per cent; a dash where there is none."""
    low, high = (float(profile.get(f"{axis}_{end}", math.nan)) for end in ("low", "high"))
    interval = "" if math.isnan(low) else f" [{_words(low, axis)}, {_words(high, axis)}]"
    lent = " by transfer" if axis == "attack" and profile["attack_transfer"] == "yes" else ""
    return _words(float(profile[axis]), axis) + interval + lent


def _best(figures: pd.Series[float], axis: str) -> float:
    return float(figures.max() if BETTER[axis] == "higher" else figures.min())


def _words(value: float, axis: str) -> str:
    if math.isnan(value):
        return "–"
    return with_prefix(value) if axis == "cost" else f"{100 * value:.1f}".replace("-0.0", "0.0")


def _cell(profile: Profile, axis: str, best: float) -> Cell:
    words, _, after = figure_text(profile, axis).partition(" [")
    lent = axis == "attack" and profile["attack_transfer"] == "yes"
    bold = profile["interpretable"] == "yes" and not lent and not math.isnan(best) and words == _words(best, axis)
    return Cell(words, f" [{after}" if after else "", bold)


def tests_text(profile: Profile) -> str:
    """Return how many tests of robustness are passed; a dash where there is no verdict on any."""
    passed, made = profile["tests_passed"], profile["tests_made"]
    return "–" if pd.isna(passed) or pd.isna(made) else f"{passed:.0f} of {made:.0f}"


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
