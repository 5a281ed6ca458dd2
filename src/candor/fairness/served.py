"""How well each group is served: its figures with intervals, its recalls and confusions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtri

from candor.fairness.groups import Axis
from candor.fairness.measures import common_classes, measures_for, own_uar
from candor.fairness.metrics import mae_of_sums
from candor.fairness.samples import ClassSample, RatingSample, Sample
from candor.fairness.spread import utterance_variance
from candor.performance.evaluate import recall_interval
from candor.performance.ratings import METRICS, rating_interval
from candor.stats.confusions import accuracy, count_confusions, recall
from candor.stats.intervals import FloatArray, Interval, speaker_interval

NOT_KNOWN = "not known"

Row = dict[str, Any]


@dataclass
class Served:
    """Rows of `Groups`, `GroupRecalls` and `GroupConfusions`."""

    groups: list[Row] = field(default_factory=list)
    recalls: list[Row] = field(default_factory=list)
    confusions: list[Row] = field(default_factory=list)


def served_rows(sample: Sample, axis: Axis, classes: list[str]) -> Served:
    """Return how well the groups of an axis are served.

    Parameters
    ----------
    sample
        All test utterances.
    axis
        The groups.
    classes
        The emotions; none where ratings are predicted.
    """
    made = Served()
    if isinstance(sample, ClassSample):
        _add_classes(made, sample, axis, classes)
    elif isinstance(sample, RatingSample):
        _add_ratings(made, sample, axis)
    values = [row["value"] for row in made.groups]
    worst = int(np.nanargmin(values)) if values and len(axis.groups) > 1 else None
    for place, row in enumerate(made.groups):
        row["worst"] = "yes" if place == worst else "no"
        row["compared"] = "yes" if len(axis.groups) > 1 else axis.nothing
    blank = dict.fromkeys(["value", "low", "high", "accuracy", "mae"])
    metric = "uar" if isinstance(sample, ClassSample) else "ccc"
    common = {"axis": axis.name, "metric": metric, "worst": "no", **blank}
    for out in axis.left_out:
        sizes = {"utterances": out.utterances, "speakers": out.speakers}
        made.groups.append({**common, "group": out.group, **sizes, "compared": f"left out: {out.reason}"})
    if axis.unknown:
        sizes = {"utterances": axis.unknown, "speakers": axis.unknown_speakers}
        made.groups.append({**common, "group": NOT_KNOWN, **sizes, "compared": "left out: nobody's group"})
    return made


def _add_classes(made: Served, sample: ClassSample, axis: Axis, classes: list[str]) -> None:
    groups = len(axis.groups)
    if not groups:
        return
    chosen = axis.codes >= 0
    compared, codes = sample.only(chosen), axis.codes[chosen]
    sums = compared.sums(codes, groups)
    of_group = measures_for(compared, sums, of_speakers=axis.kind == "speaker")[0].rates
    if not common_classes(sums).any():  # nobody can be compared, but each can be looked at
        of_group = own_uar
    values = of_group(sums)[:, 0, 0]
    alone = utterance_variance(compared, codes, groups, of_group)[:, 0, 0] if axis.kind == "speaker" else None
    for place, group in enumerate(axis.groups):
        own = sample.only(axis.codes == place)
        counts = by_speaker(own)
        mean = counts.sum(axis=0).mean(axis=0)
        speakers = int((counts.sum(axis=(1, 2, 3)) > 0).sum())
        interval = (
            interval_of_one(float(values[place]), float(alone[place]))
            if alone is not None
            else speaker_interval(counts, lambda total: np.asarray(of_group(total)[..., 0, 0]))
        )
        made.groups.append(
            {
                **{"axis": axis.name, "group": group, "metric": "uar", "value": float(values[place])},
                **{"low": interval.low, "high": interval.high, "accuracy": float(accuracy(mean)), "mae": None},
                **{"utterances": len(own), "speakers": speakers},
            }
        )
        _add_recalls(made, axis.name, group, counts, classes)


def _add_recalls(made: Served, axis: str, group: str, counts: FloatArray, classes: list[str]) -> None:
    mean = counts.sum(axis=0).mean(axis=0)
    said = mean.sum(axis=0) / mean.sum()
    for place, name in enumerate(classes):
        spoken = mean[place].sum()
        interval = recall_interval(counts, place) if spoken else Interval(np.nan, np.nan, np.nan, 0)
        made.recalls.append(
            {
                **{"axis": axis, "group": group, "class": name, "low": interval.low, "high": interval.high},
                **{"recall": float(recall(mean)[place]) if spoken else None, "said": float(said[place])},
                **{"utterances": round(float(spoken)), "speakers": interval.speakers},
            }
        )
        made.confusions.extend(
            {
                **{"axis": axis, "group": group, "label": name, "predicted": other},
                **{"count": float(count), "share": float(count / spoken) if spoken else None},
            }
            for other, count in zip(classes, mean[place], strict=True)
        )


def _add_ratings(made: Served, sample: RatingSample, axis: Axis) -> None:
    for place, group in enumerate(axis.groups):
        own = sample.only(axis.codes == place)
        cluster = pd.factorize(own.speaker)[0]
        interval = rating_interval(own.said, own.true, cluster, METRICS["ccc"])
        error = float(mae_of_sums(own.sums(np.zeros(len(own), dtype=np.intp), 1))[0, 0, 0])
        made.groups.append(
            {
                **{"axis": axis.name, "group": group, "metric": "ccc", "value": interval.value},
                **{"low": interval.low, "high": interval.high, "accuracy": None, "mae": error},
                **{"utterances": len(own), "speakers": interval.speakers},
            }
        )


def by_speaker(sample: ClassSample) -> FloatArray:
    """Return confusion counts `[speakers, seeds, classes, classes]` of those who speak."""
    people, place = np.unique(sample.speaker, return_inverse=True)
    seeds, size = len(sample.predicted), sample.classes
    seed = np.repeat(np.arange(seeds), len(sample))
    codes = [np.tile(place, seeds), seed, np.tile(sample.label, seeds), sample.predicted.ravel()]
    return count_confusions(codes, [len(people), seeds, size, size])


def interval_of_one(value: float, variance: float) -> Interval:
    """Return the interval of a speaker for other utterances of the same person, on the logit scale."""
    inside = min(max(value, 1e-3), 1 - 1e-3)
    reach = float(ndtri(0.975)) * np.sqrt(variance) / (inside * (1 - inside))
    low, high = (float(expit(logit(inside) + side * reach)) for side in (-1, 1))
    return Interval(value, min(low, value), max(high, value), 1)
