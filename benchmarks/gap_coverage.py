"""How often the 95 % interval of a gap holds the true gap, and how often the test calls chance a gap: by simulation.

    python benchmarks/gap_coverage.py [--repetitions 1000] [--draws 199] [--quick] [--out FILE]

Two groups of speakers are drawn from the populations of `interval_coverage.py`, whose recalls differ by the stated gap
in UAR on average; speakers deviate from their group. True gaps are those of the expected confusion counts of both
populations. `covered`: the share of intervals that hold the true gap; `above 0`: the share of lower ends above zero,
which where there is no gap may happen in one of twenty cases; `p ≤ 0.05`: how often the shuffling test says so;
`width`: the mean width of intervals, in points.

Spreads over speakers: the true value is that of 20,000 speakers with as many utterances.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from candor.fairness.audit import Compared
from candor.fairness.groups import Axis
from candor.fairness.inequality import SPREADS, spread_interval
from candor.fairness.measures import AS_SPOKEN, measures_for, own_uar
from candor.fairness.samples import ClassSample
from candor.stats.intervals import FloatArray
from interval_coverage import CLASSES, Population, simulate
from table import emit

LEVEL, SD = 0.6, 0.8
MEASURES = ("uar", "demographic_parity", "statistical_parity", "equality_of_opportunity", "equalised_odds")

Row = dict[str, str | float]


def sample_of(counts: FloatArray) -> ClassSample:
    """Return utterances with these confusion counts, `[speakers, classes, classes]`."""
    cells = np.repeat(np.arange(counts.size), counts.astype(int).ravel())
    speaker, label, said = np.unravel_index(cells, counts.shape)
    return ClassSample(label, said[None], speaker, CLASSES)


def gap_rows(speakers: int, apart: float, repetitions: int, draws: int, rng: np.random.Generator) -> Iterator[Row]:
    """Yield what becomes of two groups of half the speakers each, whose UARs differ by `apart` in truth."""
    groups = [Population(LEVEL + apart / 2, SD), Population(LEVEL - apart / 2, SD)]
    drawn, expected = zip(*(simulate(group, repetitions, speakers // 2, rng) for group in groups), strict=True)
    truth = np.stack(expected)
    codes = np.repeat([0, 1], speakers // 2)
    found: dict[tuple[str, str], list[tuple[float, float, float, float]]] = {}
    for repetition in range(repetitions):
        sample = sample_of(np.concatenate([counts[repetition] for counts in drawn]))
        axis = Axis("group", ["first", "second"], codes[sample.speaker].astype(np.intp), "nested")
        compared = Compared(sample, axis, draws)
        measures = [measure for measure in measures_for(sample, truth) if measure.variant == AS_SPOKEN]
        measured = {measure.metric: measure for measure in measures}
        for row, _ in compared.rows([""] * CLASSES):
            if row["variant"] == AS_SPOKEN:
                true = measured[row["metric"]].gap(truth, row["aggregate"])
                found.setdefault((row["metric"], row["aggregate"]), []).append(
                    (row["low"], row["high"], row["p"], true)
                )
    for metric in MEASURES:
        for aggregate in ("max", "mean"):
            low, high, p, true = np.array(found[metric, aggregate]).T
            yield {
                "speakers": f"{speakers // 2} + {speakers // 2}",
                "gap in UAR": f"{100 * apart:.0f}",
                "metric": metric,
                "aggregate": aggregate,
                "true": f"{100 * true[0]:.1f}",
                "covered": f"{100 * np.mean((low <= true) & (true <= high)):.1f}",
                "above 0": f"{100 * np.mean(low > 0):.1f}",
                "p ≤ 0.05": f"{100 * np.mean(p <= 0.05):.1f}",
                "width": f"{100 * np.mean(high - low):.1f}",
            }


def spread_rows(speakers: int, repetitions: int, rng: np.random.Generator) -> Iterator[Row]:
    """Yield what becomes of spreads over speakers."""
    population = Population(LEVEL, SD)
    (many,), _ = simulate(population, 1, 20_000, rng)
    true_uars = own_uar(many)[:, 0, 0]
    drawn, _ = simulate(population, repetitions, speakers, rng)
    for metric, spread in SPREADS.items():
        true = float(spread(true_uars[~np.isnan(true_uars)]))
        limits = np.array([spread_interval(own_uar(counts)[:, 0, 0], metric) for counts in drawn])
        low, high = limits.T
        yield {
            "speakers": str(speakers),
            "gap in UAR": "",
            "metric": metric,
            "aggregate": "max",
            "true": f"{100 * true:.1f}",
            "covered": f"{100 * np.mean((low <= true) & (true <= high)):.1f}",
            "above 0": "",
            "p ≤ 0.05": "",
            "width": f"{100 * np.mean(high - low):.1f}",
        }


def main() -> None:
    """Simulate, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=199)
    parser.add_argument("--quick", action="store_true", help="only to see that it works")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    repetitions = 5 if options.quick else options.repetitions
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    for speakers in (10,) if options.quick else (8, 10, 24):
        for apart in (0.0, 0.05, 0.2):
            print(f"{speakers} speakers, gap {apart}", file=sys.stderr)
            rows += gap_rows(speakers, apart, repetitions, options.draws, rng)
        rows += spread_rows(speakers, 4 * repetitions, rng)
    emit(rows, options.out)


if __name__ == "__main__":
    main()
