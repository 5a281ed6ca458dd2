"""Who takes part: the same everywhere, evenly, and as many as were asked for."""

import os
import subprocess
import sys

import numpy as np
import pytest

from candor.federated.errors import FederatedError
from candor.federated.sampling import check_asked, chosen, how_many


def test_it_does_not_hang_on_pythons_hash_seed():
    told = {
        subprocess.run(
            [sys.executable, "-c", "from candor.federated.sampling import chosen; print(chosen(72, 0.1, 8, 3))"],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }  # fmt: skip
    assert told == {f"{chosen(72, 0.1, 8, 3)}\n"}


def test_it_is_what_it_was():
    """Another numpy, another machine or an edit must not choose others without anybody's noticing."""
    assert chosen(72, 0.1, 8, 1) == [12, 22, 45, 52, 58, 59, 60]
    assert chosen(10, 3, 8, 2) == [0, 3, 5]


def test_it_depends_on_seed_and_round_and_never_on_what_was_drawn_before():
    first = chosen(50, 0.2, 1, 1)
    np.random.seed(0)
    assert chosen(50, 0.2, 1, 1) == first
    assert chosen(50, 0.2, 1, 2) != first != chosen(50, 0.2, 2, 1)


def test_nobody_is_chosen_twice_and_everybody_is_as_often():
    rounds = [chosen(20, 0.25, 5, round) for round in range(1, 4001)]
    assert all(places == sorted(set(places)) and len(places) == 5 for places in rounds)
    counts = np.bincount(np.concatenate(rounds), minlength=20)
    assert len(counts) == 20
    # A binomial of 4000 draws with p = .25 deviates by 27; the largest of twenty by less than four of these.
    assert abs(counts - 1000).max() < 4 * 27.4


@pytest.mark.parametrize(
    ("clients", "asked", "many"),
    [(72, 0.1, 7), (79, 0.1, 7), (5, 0.1, 1), (10, 1, 10), (10, 3, 3), (3, 3, 3), (2, 3, 2), (1, 0.5, 1)],
)
def test_a_share_is_cut_to_a_whole_number_and_a_number_is_taken_as_it_is(clients: int, asked: float, many: int):
    assert how_many(clients, asked) == many == len(chosen(clients, asked, 0, 1))


def test_a_run_that_asks_for_more_than_there_are_is_refused():
    with pytest.raises(FederatedError, match="asks for 12 clients, but there are 10; lower it to 10, or to 1 for all"):
        check_asked(10, 12)
    for asked in (10, 2, 1, 0.5):
        check_asked(10, asked)
