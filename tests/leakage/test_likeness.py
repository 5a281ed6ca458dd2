"""Pairs of reconstructions and truths, against a search through all pairings."""

from itertools import permutations

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity

from candor.leakage.likeness import compare, without_inversion


def test_a_planted_order_is_found_whatever_the_lengths():
    truth = torch.randn(6, 10, generator=torch.Generator().manual_seed(1))
    order = [3, 0, 5, 1, 4, 2]
    match = compare(7 * truth[order], truth)
    assert [order[place] for place in match.assignment] == list(range(6))
    assert match.cosines == pytest.approx(np.ones(6))
    assert (match.mean, match.share_above(0.9)) == (pytest.approx(1), 1)


def test_no_other_pairing_has_a_greater_sum():
    generator = torch.Generator().manual_seed(2)
    truth, found = (torch.randn(5, 3, generator=generator) for _ in range(2))
    cosines = cosine_similarity(truth.numpy(), found.numpy())
    best = max(sum(cosines[row, column] for row, column in enumerate(own)) for own in permutations(range(5)))
    match = compare(found, truth)
    assert match.cosines.sum() == pytest.approx(best, abs=1e-6)
    assert match.share_above(0.5) == (match.cosines > 0.5).mean()


def test_a_reconstruction_of_nothing_is_like_nothing():
    truth = torch.randn(3, 4, generator=torch.Generator().manual_seed(3))
    assert compare(torch.zeros(3, 4), truth).cosines.tolist() == [0, 0, 0]


def test_other_numbers_of_examples_are_refused():
    with pytest.raises(ValueError, match=r"\[2, 4\] and \[3, 4\] cannot be compared"):
        compare(torch.zeros(2, 4), torch.zeros(3, 4))


@pytest.mark.parametrize("examples", [3, 12])
def test_guesses_without_inversion_are_others_and_the_mean(examples):
    shadow = torch.randn(8, 4, generator=torch.Generator().manual_seed(4))
    embedding = torch.tensor([1.0, -2.0, 0.5, 3.0])
    errors = torch.tensor([0.3, -0.2, 0.0])
    gradients = {"dense.0.weight": torch.outer(errors, embedding), "dense.0.bias": errors}
    guesses = without_inversion(gradients, examples, shadow, seed=1)
    assert guesses["mean"].numpy() == pytest.approx(np.tile(embedding.numpy(), (examples, 1)))
    rows = {tuple(row) for row in shadow.tolist()}
    taken = [tuple(row) for row in guesses["others"].tolist()]
    assert set(taken) <= rows
    assert len(set(taken)) == min(examples, len(shadow))
