"""From predictions and the manifest to the tables of the stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from candor.fairness.chance import DRAWS, draws_for, guessed_sums, least_p, p_value, shuffled_sums
from candor.fairness.groups import Asked, Axis, axes_of, utterances_tested
from candor.fairness.inequality import SPREADS, spread_interval
from candor.fairness.measures import AS_SPOKEN, Measure, measures_for, own_uar, perfect, split_classes
from candor.fairness.samples import ClassSample, RatingSample, Sample
from candor.fairness.served import served_rows
from candor.fairness.spread import uncertainty
from candor.performance.evaluate import evaluate
from candor.performance.ratings import evaluate_ratings
from candor.performance.verdicts import NOT_INTERPRETABLE, SOUND
from candor.stats.gaps import How, gap_interval
from candor.stats.intervals import FloatArray
from candor.stats.paired import holm

LEVEL = 0.05
HOWS: tuple[How, How] = ("max", "mean")
SPEAKER = "speaker"

BEYOND, WITHIN = "beyond chance", "within chance"
TOO_FEW = "too few speakers"
CONFOUNDED, NOTHING = "cannot be told apart", "nothing to compare"

Row = dict[str, Any]


@dataclass
class Audit:
    """The tables of one backbone with one recipe, and the axes behind them.

    Parameters
    ----------
    classes
        The emotions; none where ratings are predicted.
    axes
        What utterances are grouped by.
    gaps, groups, recalls, confusions, folds
        Rows of `Gaps`, `Groups`, `GroupRecalls`, `GroupConfusions` and `FoldGaps`.
    """

    classes: list[str]
    axes: list[Axis]
    gaps: list[Row] = field(default_factory=list)
    groups: list[Row] = field(default_factory=list)
    recalls: list[Row] = field(default_factory=list)
    confusions: list[Row] = field(default_factory=list)
    folds: list[Row] = field(default_factory=list)


def audit_classes(
    predictions: pd.DataFrame, classes: list[str], utterances: pd.DataFrame, asked: Asked, draws: int = DRAWS
) -> Audit:
    """Audit models that tell emotions.

    Parameters
    ----------
    predictions
        Rows of `Predictions`, all folds and seeds.
    classes
        The emotions that the models choose from, in their order.
    utterances
        The manifest of the dataset.
    asked
        Which groups are compared.
    draws
        How many random samples p values and the random band come from, at most.
    """
    verdict = str(evaluate(predictions, classes).metrics["interpretable"].iloc[0])
    tested = utterances_tested(predictions)
    return _audit(ClassSample.of(predictions, tested, classes), tested, utterances, asked, classes, verdict, draws)


def audit_ratings(predictions: pd.DataFrame, utterances: pd.DataFrame, asked: Asked, draws: int = DRAWS) -> Audit:
    """Audit models that foretell a rating; see `audit_classes`."""
    verdict = str(evaluate_ratings(predictions).metrics["interpretable"].iloc[0])
    tested = utterances_tested(predictions)
    return _audit(RatingSample.of(predictions, tested), tested, utterances, asked, [], verdict, draws)


def _audit(
    sample: Sample,
    tested: pd.DataFrame,
    utterances: pd.DataFrame,
    asked: Asked,
    classes: list[str],
    verdict: str,
    draws: int,
) -> Audit:
    made = Audit(classes, axes_of(tested, utterances, asked))
    for axis in made.axes:
        tables = served_rows(sample, axis, classes)
        made.groups += tables.groups
        made.recalls += tables.recalls
        made.confusions += tables.confusions
        made.gaps += _gap_rows(sample, axis, classes, verdict, draws)
        made.folds += _fold_rows(sample, axis, tested["fold"].to_numpy())
    _add_folds(made)
    _judge(made.gaps)
    return made


def _gap_rows(sample: Sample, axis: Axis, classes: Sequence[str], verdict: str, draws: int) -> Iterator[Row]:
    chosen = axis.codes >= 0
    behind = {
        "groups": len(axis.groups),
        "utterances": int(chosen.sum()),
        "speakers": len(np.unique(sample.speaker[chosen])),
    }
    if axis.nothing:
        metric = "ccc" if isinstance(sample, RatingSample) else "uar"
        yield _row(axis, metric, AS_SPOKEN, "max") | behind | {"verdict": NOTHING, "note": axis.nothing}
        return
    compared = Compared(sample.only(chosen), Axis(axis.name, axis.groups, axis.codes[chosen], axis.kind), draws)
    split = split_classes(compared.sums, axis.groups, classes) if classes else ""
    possible = least_p(compared.sample, compared.axis) <= LEVEL
    for row, confounded in compared.rows(classes):
        note = split if row["variant"] == AS_SPOKEN else ""
        beforehand = _verdict_beforehand(row, verdict, confounded, bool(split), possible)
        yield row | behind | {"verdict": beforehand, "note": note}


class Compared:
    """The groups of one axis, and what chance shows with them.

    Parameters
    ----------
    sample
        The utterances of the groups that are compared, and no others.
    axis
        The groups, with a code for each of these utterances.
    draws
        How many random samples to draw, at most.
    """

    def __init__(self, sample: Sample, axis: Axis, draws: int = DRAWS) -> None:
        self.sample, self.axis = sample, axis
        self.sums = sample.sums(axis.codes, len(axis.groups))
        self.measures = measures_for(sample, self.sums, of_speakers=axis.kind == "speaker")
        each = sum(measure.rates(self.sums)[0].size for measure in self.measures)
        draws = min(draws, draws_for(len(axis.groups), each))
        # A seed of its own for each axis, so that one more axis changes nothing in the others.
        random = np.random.default_rng([*axis.name.encode(), 0])
        # Where speakers are dealt out, groups change in how many utterances of a class they have; else they do not.
        self._in_errors = axis.kind == "nested"
        self._shuffled = self._of_draws(shuffled_sums(sample, axis, draws, random), in_errors=self._in_errors)
        self._guessed = self._of_draws(guessed_sums(sample, axis, draws, random))

    def rows(self, classes: Sequence[str]) -> Iterator[tuple[Row, bool]]:
        """Yield rows of `Gaps` without what is behind them, and whether what groups speak shows in them."""
        for measure in self.measures:
            rates, norm = measure.for_intervals(len(self.axis.groups))
            sure = uncertainty(self.sample, self.axis, rates)
            for how in HOWS:
                found = gap_interval(rates(self.sums), sure.variance, sure.freedom, how, norm, measure.most)
                in_errors = float(measure.gap_in_errors(self.sums, how)) if self._in_errors else found.value
                row = self._row(measure.metric, measure.variant, how, found.value, in_errors)
                row |= {"low": found.low, "high": found.high, "truth": self._truth(measure, how)}
                if found.widest is not None:
                    higher, lower, label = found.widest
                    row |= {"higher": self.axis.groups[higher], "lower": self.axis.groups[lower]}
                    row["class"] = classes[label] if measure.of_classes else ""
                yield row, measure.confounded
        if self.axis.kind == "speaker" and isinstance(self.sample, ClassSample):
            for metric in SPREADS:
                yield self._spread_row(metric), False

    def _row(self, metric: str, variant: str, how: str, value: float, tested: float) -> Row:
        row = _row(self.axis, metric, variant, how) | {"value": value}
        if not np.isnan(value):
            guessed = self._guessed[metric, variant, how]
            row["p"] = p_value(tested, self._shuffled[metric, variant, how])
            row["random_mean"] = float(np.nanmean(guessed))
            row["random_high"] = float(np.nanquantile(guessed, 1 - LEVEL))
        return row

    def _spread_row(self, metric: str) -> Row:
        of_speakers = own_uar(self.sums)[:, 0, 0]
        value = float(SPREADS[metric](of_speakers))
        row = self._row(metric, AS_SPOKEN, "max", value, value)
        row["low"], row["high"] = spread_interval(of_speakers, metric)
        ends = (of_speakers.argmax(), of_speakers.argmin())
        row["higher"], row["lower"] = (self.axis.groups[int(place)] for place in ends)
        return row

    def _truth(self, measure: Measure, how: How) -> float | None:
        return float(measure.gap(perfect(self.sums), how)) if isinstance(self.sample, ClassSample) else None

    def _of_draws(
        self, blocks: Iterator[FloatArray], *, in_errors: bool = False
    ) -> dict[tuple[str, str, str], FloatArray]:
        """Return the gaps that random sums show, by metric, variant and aggregate."""
        drawn: dict[tuple[str, str, str], list[FloatArray]] = {}
        for sums in blocks:
            for measure in self.measures:
                for how in HOWS:
                    found = (measure.gap_in_errors if in_errors else measure.gap)(sums, how)
                    drawn.setdefault((measure.metric, measure.variant, how), []).append(found)
            if self.axis.kind == "speaker" and isinstance(self.sample, ClassSample):
                of_speakers = own_uar(sums)[..., 0, 0]
                for metric, spread in SPREADS.items():
                    drawn.setdefault((metric, AS_SPOKEN, "max"), []).append(spread(of_speakers))
        return {key: np.concatenate(parts) for key, parts in drawn.items()}


def _fold_rows(sample: Sample, axis: Axis, fold: np.ndarray) -> Iterator[Row]:
    """Yield the gaps among the utterances of each fold; groups that a fold lacks have no part in it."""
    if axis.nothing:
        return
    names = ("variant", "metric", "aggregate", "value")
    for number in np.unique(fold):
        chosen = (fold == number) & (axis.codes >= 0)
        present, codes = np.unique(axis.codes[chosen], return_inverse=True)
        if len(present) < 2:
            continue
        own = sample.only(chosen)
        sums = own.sums(codes, len(present))
        for measure in measures_for(own, sums, of_speakers=axis.kind == "speaker"):
            for how in HOWS:
                value = float(measure.gap(sums, how))
                if not np.isnan(value):
                    row = dict(zip(names, (measure.variant, measure.metric, how, value), strict=True))
                    behind = {"groups": len(present), "utterances": int(chosen.sum())}
                    yield {"axis": axis.name, "fold": int(number), **row, **behind}


def _add_folds(made: Audit) -> None:
    names = ("axis", "variant", "metric", "aggregate")
    values: dict[tuple[str, ...], list[float]] = {}
    for row in made.folds:
        values.setdefault(tuple(row[name] for name in names), []).append(row["value"])
    for row in made.gaps:
        own = values.get(tuple(row[name] for name in names), [])
        row["folds"] = len(own)
        row["fold_mean"] = float(np.mean(own)) if own else None
        row["fold_sd"] = float(np.std(own, ddof=1)) if len(own) > 1 else None


def _judge(rows: list[Row]) -> None:
    """Adjust the p values of each figure for the number of axes it is tested on, and give the verdicts that are left.

    That speakers differ is a question of its own, and no reason to doubt what is found between groups of them.
    """
    families: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = (row["axis"] == SPEAKER, row["variant"], row["metric"], row["aggregate"])
        families.setdefault(key, []).append(row)
    for family in families.values():
        adjusted = holm([np.nan if row["p"] is None else row["p"] for row in family])
        for row, p in zip(family, adjusted.tolist(), strict=True):
            row["p_holm"] = None if p != p else p
            row["verdict"] = row["verdict"] or _verdict(row)


def _row(axis: Axis, metric: str, variant: str, how: str) -> Row:
    blank = ("value", "low", "high", "p", "p_holm", "random_mean", "random_high", "truth", "fold_mean", "fold_sd")
    return {
        **{"axis": axis.name, "variant": variant, "metric": metric, "aggregate": how, "better": "lower"},
        **dict.fromkeys(blank),
        **{"higher": "", "lower": "", "class": "", "note": ""},
    }


def _verdict_beforehand(row: Row, verdict: str, confounded: bool, split: bool, possible: bool) -> str:
    """Return why no p value decides; blank where one does."""
    nothing = row["value"] is None or np.isnan(row["value"])
    if nothing and not split:
        return NOTHING
    if verdict != SOUND:
        return NOT_INTERPRETABLE
    if split and (nothing or confounded):
        return CONFOUNDED
    return "" if possible else TOO_FEW


def _verdict(row: Row) -> str:
    # The mean stands below in Gini's coefficient, and ratings that are foretold at random are far from any: models at
    # chance show more of both, whoever they serve.
    outside = row["value"] > row["random_high"] or row["metric"] in ("uar_gini", "ccc", "mae")
    return BEYOND if row["p_holm"] <= LEVEL and outside else WITHIN
