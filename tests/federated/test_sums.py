"""Sums of what clients send, against NumPy in double precision."""

import numpy as np
import pytest
import torch

from candor.federated.sums import add_weighted


@pytest.mark.parametrize(("clients", "numbers"), [(1, 7), (20, 100_003), (200, 5_000), (3, 0), (0, 5)])
def test_it_is_the_sum_in_double_precision_but_for_rounding(clients, numbers):
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((clients, numbers), dtype=np.float32) * np.float32(
        10.0 ** generator.integers(-3, 3)
    )
    weights = generator.uniform(0, 50, clients).astype(np.float32)
    before = generator.standard_normal(numbers, dtype=np.float32)
    total = torch.from_numpy(before.copy())
    add_weighted(total, torch.from_numpy(rows), torch.from_numpy(weights))
    exact = before + weights.astype(float) @ rows.astype(float)
    size = np.abs(before) + weights.astype(float) @ np.abs(rows.astype(float))
    # Adding n numbers one after the other errs by at most n roundings of their sizes' sum.
    assert (np.abs(total.numpy() - exact) <= (clients + 1) * 2.0**-24 * size).all()


def test_it_is_the_same_each_time_and_answers_may_come_in_parts():
    generator = torch.Generator().manual_seed(0)
    rows, weights = torch.randn(12, 4000, generator=generator), torch.rand(12, generator=generator)
    totals = torch.zeros(3, 4000)
    add_weighted(totals[0], rows, weights)
    add_weighted(totals[1], rows, weights)
    for first in range(0, 12, 5):
        add_weighted(totals[2], rows[first : first + 5], weights[first : first + 5])
    assert torch.equal(totals[0], totals[1])
    assert torch.allclose(totals[0], totals[2], atol=1e-5)
