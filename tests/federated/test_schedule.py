"""Which batches clients take: passes, n batches per round, what is left at the end."""

import itertools

import pytest

from candor.federated.clients import Client
from candor.federated.schedule import WHOLE_AT_ONCE, Schedule
from candor.federated.settings import Settings

CLIENTS = [Client("a", "a", tuple(range(50)), ()), Client("b", "b", tuple(range(50, 57)), ())]


def flat(batches):
    return list(itertools.chain.from_iterable(batches))


def test_a_round_is_so_many_whole_passes_each_in_an_order_of_its_own():
    schedule = Schedule(Settings(local_epochs=3), CLIENTS)
    batches = schedule.batches(0, round=5)
    assert [len(batch) for batch in batches] == [20, 20, 10] * 3
    passes = [flat(batches[start : start + 3]) for start in (0, 3, 6)]
    assert all(sorted(own) == list(range(50)) for own in passes)
    assert len({tuple(own) for own in passes}) == 3
    assert batches == Schedule(Settings(local_epochs=3), CLIENTS).batches(0, round=5)
    assert batches != schedule.batches(0, round=6)
    assert batches != Schedule(Settings(local_epochs=3, seed=9), CLIENTS).batches(0, round=5)


def test_without_shuffle_batches_come_in_order_and_the_last_one_may_be_dropped():
    schedule = Schedule(Settings(shuffle=False, drop_last=True), CLIENTS)
    assert schedule.batches(0, 1) == [list(range(20)), list(range(20, 40))]
    assert schedule.batches(1, 1) == []
    assert schedule.exhausted(1)
    assert not schedule.exhausted(0)


def rounds_of(schedule, client, rounds):
    """Return the batches of a client, round by round, as a federation asks for them."""
    for number in range(1, rounds + 1):
        batches = schedule.batches(client, number)
        schedule.took(client, len(batches))
        yield batches


def test_clients_go_on_in_their_own_pass_and_begin_another_one_when_it_is_over():
    schedule = Schedule(Settings(federate_after_n_batches=2, on_exhausted="wrap"), CLIENTS)
    batches = [batch for own in rounds_of(schedule, 0, 6) for batch in own]
    assert [len(batch) for batch in batches] == [20, 20, 10] * 4
    passes = [flat(batches[start : start + 3]) for start in (0, 3, 6, 9)]
    assert all(sorted(own) == list(range(50)) for own in passes)
    assert len({tuple(own) for own in passes}) == 4
    assert not schedule.exhausted(0)


def test_a_pass_that_is_over_may_end_a_clients_part_and_what_is_left_counts():
    schedule = Schedule(Settings(federate_after_n_batches=2, on_exhausted="stop", local_epochs=1), CLIENTS)
    rounds = list(rounds_of(schedule, 0, 4))
    assert [[len(batch) for batch in own] for own in rounds] == [[20, 20], [10], [], []]
    assert sorted(flat(flat(rounds))) == list(range(50))
    assert schedule.exhausted(0)
    assert not schedule.exhausted(1)


def test_two_passes_are_what_a_client_has_with_two_local_epochs():
    schedule = Schedule(Settings(federate_after_n_batches=4, on_exhausted="stop", local_epochs=2), CLIENTS)
    rounds = list(rounds_of(schedule, 0, 3))
    assert [len(own) for own in rounds] == [4, 2, 0]
    assert sorted(flat(flat(rounds))) == sorted([*range(50), *range(50)])


def test_a_slow_client_goes_on_behind_what_it_got_done():
    whole = Schedule(Settings(federate_after_n_batches=3), CLIENTS)
    slow = Schedule(Settings(federate_after_n_batches=3), CLIENTS)
    slow.took(0, 1)
    assert slow.batches(0, 2)[:2] == whole.batches(0, 1)[1:]


def test_clients_that_send_a_gradient_take_it_of_all_they_have_or_of_one_batch():
    many = [Client("a", "", tuple(range(WHOLE_AT_ONCE + 1)), ())]
    assert [len(batch) for batch in Schedule(Settings(optimizer="none", batch_size=None), many).batches(0, 1)] == [
        WHOLE_AT_ONCE,
        1,
    ]
    one = Schedule(Settings(optimizer="none", batch_size=20), CLIENTS)
    assert [len(batch) for batch in one.batches(0, 1)] == [20]
    assert one.batches(0, 1) != one.batches(0, 2)


@pytest.mark.parametrize("client", [0, 1])
def test_an_order_does_not_depend_on_who_else_was_asked(client):
    schedule = Schedule(Settings(), CLIENTS)
    schedule.batches(1 - client, 3)
    assert schedule.batches(client, 3) == Schedule(Settings(), CLIENTS).batches(client, 3)
