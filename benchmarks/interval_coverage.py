"""How often a 95 % interval holds the true value: kinds of intervals compared by simulation.

    python benchmarks/interval_coverage.py [--repetitions 2000] [--resamples 500] [--out FILE]

Each repetition draws speakers, each with recalls of their own, and counts their confusions among four classes. The
recall of class c by speaker s is logit-normal, logit p = m_c + sd (sqrt(1/2) b_s + sqrt(1/2) e_sc): half of the
variance of a speaker's deviation is common to all classes. The m_c differ by up to 1.2 logits between classes and are
set such that the UAR in the population has the stated level; a median speaker has 40, 25, 20 and 8 utterances of the
classes. The true value of a metric is that of the expected confusion counts of the population, from 200,000 speakers.

Shapes of the data:

- `even`: speakers differ little in how much they say (log-normal, sd 0.3);
- `uneven`: they differ much (sd 0.8), and each class is missing for each speaker with a probability of 0.3;
- `few`: a median speaker has 6, 5, 4 and 3 utterances of the classes;
- `groups`: three speakers in ten are recognised worse by one logit.

Methods: the shipped interval (`candor.stats.intervals`), its variants, and three bootstraps that draw speakers (these
at ten speakers and for a quarter of the repetitions, because each resample costs as much as a repetition).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

from candor.performance.metrics import METRICS
from candor.stats.intervals import FloatArray, Statistic, speaker_interval
from table import text

CLASSES = 4
POPULATION = 200_000
Limits = tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class Population:
    """Speakers to draw from, and how much they say."""

    level: float
    sd: float
    shape: str = "even"

    @property
    def utterances(self) -> FloatArray:
        """Utterances of each class that a median speaker has."""
        return np.array([6, 5, 4, 3] if self.shape == "few" else [40, 25, 20, 8], dtype=np.float64)

    def deviations(self, speakers: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
        """Draw how far each speaker's recalls deviate, in logits."""
        common = rng.standard_normal((*speakers, 1))
        own = rng.standard_normal((*speakers, CLASSES))
        worse = (rng.random((*speakers, 1)) < 0.3) * (self.shape == "groups")
        deviations: FloatArray = self.sd * np.sqrt(0.5) * (common + own) - worse
        return deviations

    def centres(self, deviations: FloatArray) -> FloatArray:
        """Return m_c such that the mean recall is `level`, by bisection."""
        offsets = np.array([0.6, 0.2, -0.2, -0.6])
        low, high = -10.0, 15.0
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if expit(middle + offsets + deviations).mean() < self.level else (low, middle)
        return offsets + low


def taken_for() -> FloatArray:
    """Return how the wrongly recognised utterances of each class are shared out among the others."""
    shares = np.ones((CLASSES, CLASSES)) - np.eye(CLASSES)
    shares[np.arange(CLASSES), (np.arange(CLASSES) + 1) % CLASSES] += 2
    shares[1:, 0] += 1
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def simulate(
    population: Population, repetitions: int, speakers: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return confusion counts `[repetitions, speakers, classes, classes]` and their expectation in the population."""
    wanted = population.deviations((POPULATION,), rng)
    centres = population.centres(wanted)
    recalls = expit(centres + wanted).mean(axis=0)
    confusions = taken_for()
    expected = population.utterances[:, None] * ((1 - recalls)[:, None] * confusions + np.diag(recalls))

    spread = 0.8 if population.shape == "uneven" else 0.3
    talk = np.exp(spread * rng.standard_normal((repetitions, speakers, 1)))
    number = rng.poisson(talk * population.utterances)
    if population.shape == "uneven":
        number *= rng.random(number.shape) >= 0.3
    right = rng.binomial(number, expit(centres + population.deviations((repetitions, speakers), rng)))
    counts = np.empty((repetitions, speakers, CLASSES, CLASSES))
    for label in range(CLASSES):
        counts[..., label, :] = rng.multinomial(number[..., label] - right[..., label], confusions[label])
        counts[..., label, label] = right[..., label]
    return counts, expected


def shipped(counts: FloatArray, statistic: Statistic) -> Limits:
    """Give the interval that Candor reports."""
    found = [speaker_interval(sample[:, None], statistic) for sample in counts]
    return np.array([one.low for one in found]), np.array([one.high for one in found])


def jackknifed(counts: FloatArray, statistic: Statistic) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return value, standard error and the values without each speaker."""
    total, speakers = counts.sum(axis=1), counts.shape[1]
    without = statistic(total[:, None] - counts)
    deviations = without - without.mean(axis=1, keepdims=True)
    return statistic(total), np.sqrt((speakers - 1) / speakers * (deviations**2).sum(axis=1)), without


def jackknife_plain(counts: FloatArray, statistic: Statistic) -> Limits:
    """Use no scale: value ± t · error, with S - 1 degrees of freedom."""
    value, error, _ = jackknifed(counts, statistic)
    reach = stdtrit(counts.shape[1] - 1, 0.975) * error
    return value - reach, value + reach


def jackknife_logit(counts: FloatArray, statistic: Statistic) -> Limits:
    """Use the logit scale, but S - 1 degrees of freedom however unequal the speakers."""
    value, error, _ = jackknifed(counts, statistic)
    inside = np.clip(value, 1e-9, 1 - 1e-9)
    reach = stdtrit(counts.shape[1] - 1, 0.975) * error / (inside * (1 - inside))
    return expit(logit(inside) - reach), expit(logit(inside) + reach)


def jackknife_arcsine(counts: FloatArray, statistic: Statistic) -> Limits:
    """Use the arcsine scale, with S - 1 degrees of freedom."""
    angle, error, _ = jackknifed(counts, lambda total: np.arcsin(np.sqrt(statistic(total))))
    reach = stdtrit(counts.shape[1] - 1, 0.975) * error
    return np.sin(np.maximum(angle - reach, 0)) ** 2, np.sin(np.minimum(angle + reach, np.pi / 2)) ** 2


def resampled(
    counts: FloatArray, resamples: int, rng: np.random.Generator
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Yield blocks of samples, how often each speaker is drawn in each resample, and the resamples' counts."""
    speakers = counts.shape[1]
    for block in np.array_split(counts, max(1, len(counts) // 50)):
        draws = rng.multinomial(speakers, np.full(speakers, 1 / speakers), size=(len(block), resamples)).astype(float)
        totals = draws @ block.reshape(len(block), speakers, -1)
        yield block, draws, totals.reshape(len(block), resamples, CLASSES, CLASSES)


def percentile(counts: FloatArray, statistic: Statistic, resamples: int, rng: np.random.Generator) -> Limits:
    """Take quantiles of the bootstrap distribution."""
    ends = [
        np.quantile(statistic(totals), [0.025, 0.975], axis=1) for _, _, totals in resampled(counts, resamples, rng)
    ]
    low, high = np.concatenate(ends, axis=1)
    return low, high


def bca(counts: FloatArray, statistic: Statistic, resamples: int, rng: np.random.Generator) -> Limits:
    """Take quantiles corrected for bias and acceleration (Efron 1987)."""
    ends = []
    for block, _, totals in resampled(counts, resamples, rng):
        value, _, without = jackknifed(block, statistic)
        values = statistic(totals)
        below = (values < value[:, None]).mean(axis=1) + 0.5 * (values == value[:, None]).mean(axis=1)
        bias = ndtri(np.clip(below, 1 / resamples, 1 - 1 / resamples))
        pulls = without.mean(axis=1, keepdims=True) - without
        acceleration = (pulls**3).sum(axis=1) / np.maximum(6 * (pulls**2).sum(axis=1) ** 1.5, 1e-12)
        for sample in range(len(block)):
            shifted = bias[sample] + ndtri([0.025, 0.975])
            at = ndtr(bias[sample] + shifted / (1 - acceleration[sample] * shifted))
            ends.append(np.quantile(values[sample], at))
    low, high = np.array(ends).T
    return low, high


def bootstrap_t(counts: FloatArray, statistic: Statistic, resamples: int, rng: np.random.Generator) -> Limits:
    """Take quantiles of the studentised bootstrap on the logit scale, with a jackknife in each resample."""
    ends = []
    for block, draws, totals in resampled(counts, resamples, rng):
        value, error, _ = jackknifed(block, statistic)
        centre, scale = on_logit(value, error)
        values, weighted, squared = statistic(totals), np.zeros(draws.shape[:2]), np.zeros(draws.shape[:2])
        for speaker in range(draws.shape[2]):
            times = draws[:, :, speaker]
            without = totals - (times > 0)[..., None, None] * block[:, None, speaker]
            shift = (statistic(without) - values) * (times > 0)
            weighted, squared = weighted + times * shift, squared + times * shift**2
        number = draws.shape[2]
        errors = np.sqrt((number - 1) / number * np.maximum(squared - weighted**2 / number, 0))
        centres, scales = on_logit(values, errors)
        ratios = (centres - centre[:, None]) / np.maximum(scales, 1e-6)
        upper, lower = np.quantile(ratios, [0.975, 0.025], axis=1)
        ends.append(np.stack([expit(centre - upper * scale), expit(centre - lower * scale)]))
    low, high = np.concatenate(ends, axis=1)
    return low, high


def on_logit(value: FloatArray, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    inside = np.clip(value, 1e-6, 1 - 1e-6)
    return logit(inside), error / (inside * (1 - inside))


def methods(speakers: int, resamples: int, rng: np.random.Generator) -> dict[str, Callable[..., Limits]]:
    """Return the methods to compare at this number of speakers."""
    chosen: dict[str, Callable[..., Limits]] = {
        "shipped": shipped,
        "jackknife t, logit": jackknife_logit,
        "jackknife t, arcsine": jackknife_arcsine,
        "jackknife t, plain": jackknife_plain,
    }
    if speakers == 10:
        for name, method in (("percentile", percentile), ("BCa", bca), ("bootstrap-t, logit", bootstrap_t)):
            chosen[name] = lambda counts, statistic, method=method: method(
                counts[: max(1, len(counts) // 4)], statistic, resamples, rng
            )
    return chosen


def rows(repetitions: int, resamples: int, seed: int = 0) -> Iterator[dict[str, object]]:
    rng = np.random.default_rng(seed)
    cells = [(speakers, "even") for speakers in (5, 10, 24, 91)]
    cells += [(10, "uneven"), (10, "few"), (10, "groups"), (24, "uneven")]
    for speakers, shape in cells:
        for level in (0.4, 0.6, 0.8, 0.95):
            for sd in (0.3, 0.6, 1.0):
                print(f"{speakers} speakers, {shape}, UAR {level}, sd {sd}", file=sys.stderr)
                counts, expected = simulate(Population(level, sd, shape), repetitions, speakers, rng)
                for name, method in methods(speakers, resamples, rng).items():
                    for metric, statistic in METRICS.items():
                        low, high = method(counts, statistic)
                        truth = float(statistic(expected))
                        yield {
                            "method": name,
                            "speakers": speakers,
                            "shape": shape,
                            "level": level,
                            "sd": sd,
                            "metric": metric,
                            "truth": round(truth, 4),
                            "repetitions": len(low),
                            "coverage": round(float(np.mean((low <= truth) & (truth <= high))), 4),
                            "width": round(float(np.mean(high - low)), 4),
                        }


def report(table: list[dict[str, object]]) -> None:
    """Print coverage by method, speakers and shape: mean, least and greatest over levels, sds and metrics."""
    print(f"{'speakers':>8} {'shape':8} {'method':22} {'mean':>6} {'least':>6} {'most':>6} {'width':>6}")
    groups = dict.fromkeys((row["speakers"], row["shape"], row["method"]) for row in table)
    for speakers, shape, method in groups:
        mine = [row for row in table if (row["speakers"], row["shape"], row["method"]) == (speakers, shape, method)]
        coverage = 100 * np.array([row["coverage"] for row in mine], dtype=float)
        width = np.mean(np.array([row["width"] for row in mine], dtype=float))
        figures = f"{coverage.mean():6.1f} {coverage.min():6.1f} {coverage.max():6.1f} {width:6.3f}"
        print(f"{speakers:>8} {shape:8} {method:22} {figures}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/interval_coverage.tsv"))
    options = parser.parse_args()
    table = list(rows(options.repetitions, options.resamples))
    options.out.write_text(text(table), encoding="utf-8")
    report(table)


if __name__ == "__main__":
    main()
