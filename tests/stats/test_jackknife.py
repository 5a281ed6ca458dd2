"""The interval of any figure, against that of confusion counts, and how often it holds the truth."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from candor.stats.confusions import accuracy
from candor.stats.intervals import speaker_interval
from candor.stats.jackknife import jackknife_interval, paired_jackknife
from candor.stats.paired import paired_interval


def counts_of(shares, each=20):
    counts = np.zeros((len(shares), 1, 2, 2))
    counts[:, 0, 0, 0], counts[:, 0, 0, 1] = each * shares, each - each * shares
    return counts


def without_each(counts):
    return np.array([accuracy(counts.sum(axis=0) - own)[0] for own in counts])


def test_of_an_accuracy_it_is_the_interval_of_counts():
    counts = counts_of(np.array([0.5, 0.7, 0.8, 0.55, 0.9]))
    expected = speaker_interval(counts, accuracy)
    found = jackknife_interval(expected.value, without_each(counts), counts.sum(axis=(1, 2, 3)), 1 / 100)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_of_a_difference_it_is_the_paired_interval_of_counts():
    first, second = counts_of(np.array([0.5, 0.7, 0.8, 0.55])), counts_of(np.array([0.4, 0.7, 0.6, 0.6]))
    expected = paired_interval(first, second, accuracy)
    apart = without_each(first) - without_each(second)
    found = paired_jackknife(expected.value, apart, first.sum(axis=(1, 2, 3)), 1 / 80)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_figure_at_its_end_has_an_open_side(value):
    found = jackknife_interval(value, np.full(6, value), np.full(6, 10.0), 1 / 60)
    assert value in (found.low, found.high)
    assert 0.005 < found.high - found.low < 0.2


def test_one_speaker_gives_no_interval():
    assert np.isnan(jackknife_interval(0.4, np.array([np.nan]), np.array([5.0]), 0.2).low)


def test_it_holds_the_area_under_the_curve_of_other_speakers():
    """Speakers differ in how well they are told apart, as members of a training are."""
    random, held, runs = np.random.default_rng(0), 0, 200
    truth = 0.7365  # of N(1, 1.25) against N(0, 1.25): Φ(1 / √2.5)
    for _ in range(runs):
        speakers, shift = 12, random.normal(0, 0.5, (2, 12, 1))
        noise = random.normal(0, 1, (2, speakers, 15))
        scores = np.stack([1 + shift[0] + noise[0], shift[1] + noise[1]])
        flags = np.stack([np.ones((speakers, 15)), np.zeros((speakers, 15))])

        def area(kept, scores=scores, flags=flags):
            return roc_auc_score(flags[:, kept].ravel(), scores[:, kept].ravel())

        everybody = np.arange(speakers)
        without = np.array([area(np.delete(everybody, number)) for number in everybody])
        found = jackknife_interval(area(everybody), without, np.full(speakers, 30.0), 1 / 180)
        held += found.low <= truth <= found.high
    assert 0.91 <= held / runs <= 0.99
