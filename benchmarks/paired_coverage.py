"""How often the interval of a paired difference holds the truth, and the test says "better" where nothing is.

    python benchmarks/paired_coverage.py [--repetitions 1000] [--out FILE]

Each repetition draws speakers as `benchmarks/interval_coverage.py` does, with four classes, and lets two systems hear
the same utterances. Of a speaker's deviation from the mean recall of a class, 0.64 of the variance is common to both
systems: who is hard for one is hard for the other. Half of the utterances are easy or hard for both alike, because one
uniform number decides on both. The systems differ by `gap` in the UAR of the population.

Shapes of the data:

- `even`, `uneven`, `few`: as there;
- `groups`: the first system recognises three speakers in ten worse by one logit, the second does not;
- `crossed`: the first system is better than the second by one logit in two classes, and worse in the other two.

Methods: the shipped interval (`candor.stats.paired`); the same with S - 1 degrees of freedom; a bootstrap that draws
speakers, by percentiles; and the interval of two systems tested on different and independent utterances. The swap
test's row gives how often its p is at most 0.05 where there is no difference. The test above 14 speakers and the
bootstrap are run for a quarter of the repetitions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri, stdtrit

from candor.performance.metrics import METRICS
from candor.stats.intervals import FloatArray, Statistic
from candor.stats.paired import EXACT_SPEAKERS, paired_interval, swap_test
from interval_coverage import CLASSES, Limits, Population, taken_for
from table import text

Numbers = NDArray[np.int64]

POPULATION = 100_000
RESAMPLES = 500


@dataclass(frozen=True)
class Contest:
    """Two systems and the speakers they hear."""

    level: float
    gap: float
    sd: float
    shape: str = "even"

    @property
    def people(self) -> Population:
        """Speakers as one system hears them, without what sets the systems apart."""
        return Population(self.level, self.sd, self.shape if self.shape in ("uneven", "few") else "even")

    def deviations(self, speakers: tuple[int, ...], rng: np.random.Generator) -> list[FloatArray]:
        """Draw how far each speaker's recalls with each system deviate, in logits."""
        common = self.people.deviations(speakers, rng)
        both = [0.8 * common + 0.6 * self.people.deviations(speakers, rng) for _ in range(2)]
        if self.shape == "groups":
            both[0] -= rng.random((*speakers, 1)) < 0.3
        if self.shape == "crossed":
            both[0] += np.array([0.5, -0.5, -0.5, 0.5])
            both[1] -= np.array([0.5, -0.5, -0.5, 0.5])
        return both


@cache
def whole(contest: Contest) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return the classes' logits with each system that bring its UAR to its level, and the recalls in the population.

    The population has a seed of its own, so that it is the same whoever is drawn from it.
    """
    everybody = contest.deviations((POPULATION,), np.random.default_rng(1))
    levels = (contest.level, contest.level - contest.gap)
    centres = [Population(level, contest.sd).centres(own) for level, own in zip(levels, everybody, strict=True)]
    return centres, [expit(centre + own).mean(axis=0) for centre, own in zip(centres, everybody, strict=True)]


def simulate(
    contest: Contest, repetitions: int, speakers: int, rng: np.random.Generator
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return both systems' confusion counts `[repetitions, speakers, classes, classes]`, and what to expect of them."""
    utterances, confusions = contest.people.utterances, taken_for()
    # How much people say has no part in how well they are recognised.
    plain = contest.shape in ("uneven", "few")
    centres, means = whole(replace(contest, shape="even") if plain else contest)
    expected = [utterances[:, None] * ((1 - mean)[:, None] * confusions + np.diag(mean)) for mean in means]

    number = spoken(contest, repetitions, speakers, rng)
    drawn = contest.deviations((repetitions, speakers), rng)
    recalls_of = [expit(centre + deviation) for centre, deviation in zip(centres, drawn, strict=True)]
    counts = []
    for right in recognised(number, recalls_of[0], recalls_of[1], rng):
        own = np.empty((repetitions, speakers, CLASSES, CLASSES))
        for label in range(CLASSES):
            own[..., label, :] = rng.multinomial(number[..., label] - right[..., label], confusions[label])
            own[..., label, label] = right[..., label]
        counts.append(own)
    return counts, expected


def spoken(contest: Contest, repetitions: int, speakers: int, rng: np.random.Generator) -> Numbers:
    """Draw how many utterances of each class each speaker has."""
    uneven = contest.shape == "uneven"
    talk = np.exp((0.8 if uneven else 0.3) * rng.standard_normal((repetitions, speakers, 1)))
    number = rng.poisson(talk * contest.people.utterances)
    return number * (rng.random(number.shape) >= 0.3) if uneven else number


def recognised(
    number: Numbers, first: FloatArray, second: FloatArray, rng: np.random.Generator
) -> tuple[Numbers, Numbers]:
    """Draw how many of `number` utterances each system recognises, half of them by one uniform number for both."""
    alike = rng.binomial(number, 0.5)
    lesser = np.minimum(first, second)
    both = rng.binomial(alike, lesser)
    one = rng.binomial(alike - both, np.abs(first - second) / np.maximum(1 - lesser, 1e-12))
    return (
        both + one * (first > second) + rng.binomial(number - alike, first),
        both + one * (second > first) + rng.binomial(number - alike, second),
    )


def shipped(first: FloatArray, second: FloatArray, statistic: Statistic) -> Limits:
    """Give the interval that Candor reports."""
    found = [paired_interval(a[:, None], b[:, None], statistic) for a, b in zip(first, second, strict=True)]
    return np.array([one.low for one in found]), np.array([one.high for one in found])


def fixed_freedom(first: FloatArray, second: FloatArray, statistic: Statistic) -> Limits:
    """Use S - 1 degrees of freedom however unequal the speakers."""
    speakers = first.shape[1]
    totals = first.sum(axis=1), second.sum(axis=1)
    without = statistic(totals[0][:, None] - first) - statistic(totals[1][:, None] - second)
    deviations = without - without.mean(axis=1, keepdims=True)
    reach = stdtrit(speakers - 1, 0.975) * np.sqrt((speakers - 1) / speakers * (deviations**2).sum(axis=1))
    value = statistic(totals[0]) - statistic(totals[1])
    return value - reach, value + reach


def percentile(first: FloatArray, second: FloatArray, statistic: Statistic, rng: np.random.Generator) -> Limits:
    """Take quantiles of the bootstrap distribution, for a quarter of the repetitions."""
    ends = []
    for a, b in zip(first[: len(first) // 4], second, strict=False):
        draws = rng.multinomial(len(a), np.full(len(a), 1 / len(a)), size=RESAMPLES).astype(float)
        totals = [(draws @ own.reshape(len(own), -1)).reshape(-1, CLASSES, CLASSES) for own in (a, b)]
        ends.append(np.quantile(statistic(totals[0]) - statistic(totals[1]), [0.025, 0.975]))
    low, high = np.array(ends).T
    return low, high


def independent_utterances(first: FloatArray, second: FloatArray, statistic: Statistic) -> Limits:
    """Take the systems for tested on different utterances, and these for independent of each other."""
    value, variance = np.zeros(len(first)), np.zeros(len(first))
    for sign, counts in ((1, first), (-1, second)):
        total = counts.sum(axis=1)
        value += sign * statistic(total)
        for row, column in np.ndindex(CLASSES, CLASSES):
            less = total.copy()
            less[:, row, column] = np.maximum(less[:, row, column] - 1, 0)
            variance += total[:, row, column] * (statistic(less) - statistic(total)) ** 2
    reach = ndtri(0.975) * np.sqrt(variance)
    return value - reach, value + reach


def rejections(first: FloatArray, second: FloatArray, statistic: Statistic) -> FloatArray:
    """Say where the swap test's p is at most 0.05."""
    repetitions = len(first) if first.shape[1] <= EXACT_SPEAKERS else len(first) // 4
    pairs = zip(first[:repetitions], second, strict=False)
    return np.array([swap_test(a[:, None], b[:, None], statistic, draws=999) <= 0.05 for a, b in pairs])


def methods(speakers: int, rng: np.random.Generator) -> dict[str, Callable[..., Limits]]:
    """Return the methods to compare at this number of speakers."""
    chosen: dict[str, Callable[..., Limits]] = {"shipped": shipped, "jackknife t, S-1 df": fixed_freedom}
    if speakers == 10:
        chosen["percentile"] = lambda first, second, statistic: percentile(first, second, statistic, rng)
        chosen["independent utterances"] = independent_utterances
    return chosen


def rows(repetitions: int, seed: int = 0) -> Iterator[dict[str, object]]:
    rng = np.random.default_rng(seed)
    cells = [(speakers, "even") for speakers in (5, 10, 24, 91)]
    cells += [(10, shape) for shape in ("uneven", "few", "groups", "crossed")] + [(24, "uneven")]
    for speakers, shape in cells:
        for level in (0.4, 0.6, 0.8, 0.95):
            for sd in (0.3, 0.6, 1.0):
                for gap in (0.0, 0.05):
                    print(f"{speakers} speakers, {shape}, UAR {level}, sd {sd}, gap {gap}", file=sys.stderr)
                    yield from cell(Contest(level, gap, sd, shape), repetitions, speakers, rng)


def cell(contest: Contest, repetitions: int, speakers: int, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    """Yield the rows of one population and number of speakers."""
    (first, second), expected = simulate(contest, repetitions, speakers, rng)
    about = {"speakers": speakers, "shape": contest.shape, "level": contest.level, "sd": contest.sd, "gap": contest.gap}
    for metric, statistic in METRICS.items():
        truth = float(statistic(expected[0]) - statistic(expected[1]))
        for name, method in methods(speakers, rng).items():
            low, high = method(first, second, statistic)
            held = round(float(np.mean((low <= truth) & (truth <= high))), 4)
            width = round(float(np.mean(high - low)), 4)
            yield {
                "method": name, **about, "metric": metric, "truth": round(truth, 4), "repetitions": len(low),
                "coverage": held, "width": width, "rejected": "",
            }  # fmt: skip
        # Only the UAR is set: of systems with different confusions the other metrics differ, if by little.
        if contest.gap == 0 and (metric == "uar" or contest.shape in ("even", "uneven", "few")):
            rejected = rejections(first, second, statistic)
            yield {
                "method": "swap test", **about, "metric": metric, "truth": 0.0, "repetitions": len(rejected),
                "coverage": "", "width": "", "rejected": round(float(rejected.mean()), 4),
            }  # fmt: skip


def report(table: list[dict[str, object]]) -> None:
    """Print coverage or rejections by method, speakers and shape: mean, least and greatest over the rest."""
    print(f"{'speakers':>8} {'shape':8} {'method':22} {'what':9} {'mean':>6} {'least':>6} {'most':>6} {'width':>6}")
    for speakers, shape, method in dict.fromkeys((row["speakers"], row["shape"], row["method"]) for row in table):
        mine = [row for row in table if (row["speakers"], row["shape"], row["method"]) == (speakers, shape, method)]
        what = "rejected" if method == "swap test" else "coverage"
        share = 100 * np.array([row[what] for row in mine], dtype=float)
        width = "" if method == "swap test" else f"{np.mean([float(str(row['width'])) for row in mine]):6.3f}"
        figures = f"{share.mean():6.1f} {share.min():6.1f} {share.max():6.1f} {width}"
        print(f"{speakers:>8} {shape:8} {method:22} {what:9} {figures}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/paired_coverage.tsv"))
    options = parser.parse_args()
    table = list(rows(options.repetitions))
    options.out.write_text(text(table), encoding="utf-8")
    report(table)


if __name__ == "__main__":
    main()
