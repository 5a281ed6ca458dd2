"""Put the headline figures of all audits together, a row for each backbone and recipe."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from candor.attack.figures import method_name
from candor.attack.names import TRANSFER
from candor.performance.verdicts import SOUND, doubt
from candor.privacy.names import BACKBONE, EMBEDDING, GENDER, MEMBERSHIP, OUTPUTS, VERIFICATION, read_off
from candor.tables.attack import NOT_APPLICABLE
from candor.trust.axes import Axis, axes_for

NAMES = ["dataset", "backbone", "recipe"]
MISSING = (math.nan, math.nan, math.nan)

Row = dict[str, Any]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Found:
    """What the audits of a dataset have found: their tables over all systems.

    Parameters
    ----------
    performance, fairness, privacy, robustness, cost
        Rows of `Summary`, `FairnessSummary`, `PrivacySummary`, `RobustnessSummary` and `CostSummary`.
    attack
        Rows of `AttackSummary`; None where ratings are predicted, which have no attack.
    """

    performance: pd.DataFrame
    fairness: pd.DataFrame
    attack: pd.DataFrame | None
    privacy: pd.DataFrame
    robustness: pd.DataFrame
    cost: pd.DataFrame


def profiles(found: Found, fairness_by: str) -> list[Row]:
    """Return the rows of `TrustProfile`, the best recognising system first.

    Parameters
    ----------
    found
        What the audits have found.
    fairness_by
        Between which groups the gap is: an axis of the audit of fairness.
    """
    rows = found.performance[found.performance["metric"].isin(["uar", "ccc"])]
    rows = rows.sort_values("value", ascending=False, kind="stable")
    return [_profile(row, found, fairness_by) for row in rows.to_dict("records")]


def axis_rows(profile: Mapping[Any, Any]) -> Iterator[Row]:
    """Yield the rows of `TrustAxes` of a row of `TrustProfile`."""
    for axis in axes_of(profile):
        ends = (profile.get(f"{axis.name}_{end}", math.nan) for end in ("low", "high"))  # a count has no interval
        value, low, high = map(float, (profile[axis.name], *ends))
        beside, what = _beside(profile, axis)
        yield {
            **{name: profile[name] for name in NAMES},
            "axis": axis.name,
            "quantity": quantity(profile, axis.name),
            **{"value": value, "value_low": low, "value_high": high},
            **{"better": axis.better, "centre": axis.centre, "rim": axis.rim},
            "scale": "logarithmic" if axis.logarithmic else "linear",
            "place": axis.place(value),
            "place_low": min(axis.place(low), axis.place(high)),
            "place_high": max(axis.place(low), axis.place(high)),
            "beside": beside,
            "beside_place": axis.place(beside),
            "beside_what": what,
            "note": note(profile, axis.name),
        }


def axes_of(profile: Mapping[Any, Any]) -> tuple[Axis, ...]:
    """Return the axes that a profile is drawn on."""
    return axes_for(profile["metric"], float(profile["chance"]))


def quantity(profile: Mapping[Any, Any], axis: str) -> str:
    """Return in words what an axis shows of a profile."""
    metric = str(profile["metric"]).upper()
    return {
        "performance": metric,
        "fairness": f"widest gap in {metric} by {profile['fairness_by'].replace('+', ' and ')}",
        "attack": f"fooled by {profile['attack_by'] or 'an attack'}",
        "privacy": "UAR of gender read from the emotion embedding",
        "robustness": "predictions unchanged under disturbance",
        "cost": "FLOPs per second of speech",
    }[axis]


def note(profile: Mapping[Any, Any], axis: str) -> str:
    """Return the verdict of an axis, or why there is no figure."""
    mark = str(profile["interpretable"])
    own = {"performance": "", "cost": profile["cost_note"]}
    told = str(own.get(axis, profile.get(f"{axis}_verdict", "")))
    return told if mark == SOUND or axis in ("performance", "cost") else doubt(mark)


def missing(profiles: Iterable[Mapping[Any, Any]]) -> Iterator[tuple[Mapping[Any, Any], Axis, str]]:
    """Yield each profile and axis without a figure, and why there is none."""
    for profile in profiles:
        for axis in axes_of(profile):
            if math.isnan(float(profile[axis.name])):
                yield profile, axis, note(profile, axis.name)


def _beside(profile: Mapping[Any, Any], axis: Axis) -> tuple[float, str]:
    """Return what chance or the control shows, and what it is."""
    none = math.isnan(float(profile[axis.name]))
    match axis.name:
        case "fairness" if not none:
            return float(profile["fairness_random"]), "95 of 100 models that hear nothing show less"
        case "attack" if not none:
            return float(profile["attack_control"]), "random signs as loud"
    return math.nan, ""


def _profile(row: Mapping[Any, Any], found: Found, fairness_by: str) -> Row:
    return {
        **{name: row[name] for name in (*NAMES, "metric", "interpretable", "chance", "utterances", "speakers")},
        **_figure("performance", _triple(row)),
        **_fairness(_of(found.fairness, row), row["metric"], fairness_by),
        **_attack(None if found.attack is None else _of(found.attack, row)),
        **_privacy(_of(found.privacy, row)),
        **_robustness(_of(found.robustness, row)),
        **_cost(_of(found.cost, row)),
    }


def _fairness(rows: pd.DataFrame, metric: str, by: str) -> Row:
    chosen = (rows["axis"] == by) & (rows["metric"] == metric) & (rows["aggregate"] == "max")
    row = _only(rows[chosen & (rows["variant"] == "as spoken")])
    if row is None:
        return {
            **{"fairness_by": by, "fairness_random": math.nan},
            **{"fairness_verdict": f"no audit by {by}", **_figure("fairness", MISSING)},
        }
    return {
        **{"fairness_by": by, "fairness_random": row["random_high"]},
        **{"fairness_verdict": row["verdict"], **_figure("fairness", _triple(row))},
    }


def _attack(rows: pd.DataFrame | None) -> Row:
    """Return the first attack at the headline ratio: the one that was asked for first."""
    shown = None if rows is None else rows[rows["headline"] == "yes"]
    if shown is None or shown.empty:
        why = f"{NOT_APPLICABLE}: ratings are no classes" if rows is None else f"{NOT_APPLICABLE}: no attack was made"
        blank = {"attack_by": "", "attack_transfer": "", "attack_control": math.nan, "attack_verdict": why}
        return {**blank, **_figure("attack", MISSING)}
    row = shown.iloc[0]
    name = transfer = ""
    if not row["verdict"].startswith(NOT_APPLICABLE):
        name = f"{method_name(row['method'], row['source'], row['target'])} at {row['snr']:g} dB"
        transfer = "yes" if row["method"].startswith(TRANSFER) else "no"
    return {
        **{"attack_by": name, "attack_transfer": transfer},
        **{"attack_control": row["control"], "attack_verdict": row["verdict"]},
        **_figure("attack", _triple(row, "success")),
    }


PRIVACY = {
    "privacy": (GENDER, EMBEDDING),
    "privacy_layers": (GENDER, BACKBONE),
    "privacy_speaker": (VERIFICATION, EMBEDDING),
    "privacy_membership": (MEMBERSHIP, OUTPUTS),
}
"""The headline rows of the audit of privacy: attribute, and what it is read off."""


def _privacy(rows: pd.DataFrame) -> Row:
    profile: Row = {"privacy_verdict": "not asked for"}
    shown = rows[rows["headline"] == "yes"]
    for name, (attribute, part) in PRIVACY.items():
        row = _only(shown[(shown["attribute"] == attribute) & (shown["source"].map(read_off) == part)])
        profile |= _figure(name, MISSING if row is None else _triple(row))
        if name == "privacy" and row is not None:
            profile["privacy_verdict"] = row["verdict"]
    return profile


def _robustness(rows: pd.DataFrame) -> Row:
    row = _only(rows[rows["test"] == "all"])
    if row is None:
        blank = {"tests_passed": None, "tests_made": None, "robustness_verdict": "no test was made"}
        return {**blank, **_figure("robustness", MISSING)}
    passed, made = (None if pd.isna(row[name]) else int(row[name]) for name in ("tests_passed", "tests_made"))
    return {
        **{"tests_passed": passed, "tests_made": made, "robustness_verdict": row["verdict"]},
        **_figure("robustness", _triple(row, "unchanged", "unchanged_low", "unchanged_high")),
    }


def _cost(rows: pd.DataFrame) -> Row:
    row = _only(rows)
    if row is None:
        blank = dict.fromkeys(("parameters", "trainable"))
        return {**blank, "cost": math.nan, "cost_note": "not counted"}
    return {
        **{name: None if pd.isna(row[name]) else int(row[name]) for name in ("parameters", "trainable")},
        **{
            "cost": float(row["flops_per_second"]),
            "cost_note": row["note"] if pd.isna(row["flops_per_second"]) else "",
        },
    }


def _of(rows: pd.DataFrame, system: Mapping[Any, Any]) -> pd.DataFrame:
    own: pd.DataFrame = rows[(rows["backbone"] == system["backbone"]) & (rows["recipe"] == system["recipe"])]
    return own


def _only(rows: pd.DataFrame) -> pd.Series[Any] | None:
    if len(rows) > 1:
        raise ValueError(f"one row was meant, and there are {len(rows)}")
    return None if rows.empty else rows.iloc[0]


def _triple(
    row: Mapping[Any, Any] | pd.Series[Any], value: str = "value", low: str = "low", high: str = "high"
) -> Triple:
    return float(row[value]), float(row[low]), float(row[high])


def _figure(name: str, triple: Sequence[float]) -> Row:
    return dict(zip((name, f"{name}_low", f"{name}_high"), triple, strict=True))
