"""Rooms ring as long as asked, by Schroeder's integration, and leave speech in its place."""

import numpy as np
import pytest
from pyroomacoustics.experimental import measure_rt60

from candor.audio.conversion import RATE
from candor.config.robustness import RANGES
from candor.robustness.rooms import rooms
from candor.robustness.transforms import TRANSFORMS, Recording, heard_in


@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.9])
def test_rooms_ring_as_long_as_asked(seconds):
    measured = [measure_rt60(room.samples.astype(np.float64), fs=RATE, decay_db=20) for room in rooms(seconds)]
    assert np.mean(measured) == pytest.approx(seconds, rel=0.05)
    assert max(np.abs(np.array(measured) / seconds - 1)) < 0.15
    assert len({room.samples.tobytes() for room in rooms(seconds)}) == len(rooms(seconds))


def test_the_longest_that_may_be_asked_for_fades_evenly_over_thirty_decibels():
    high = RANGES["room"][1]
    measured = [measure_rt60(room.samples.astype(np.float64), fs=RATE, decay_db=30) for room in rooms(high)]
    assert max(np.abs(np.array(measured) / high - 1)) < 0.15


def test_a_click_is_heard_in_its_place_at_its_level():
    click = np.zeros(RATE, np.float32)
    click[3000] = 0.5
    for room in rooms(0.2):
        heard = heard_in(room, click)
        assert int(np.argmax(np.abs(heard))) == 3000
        assert np.mean(heard**2) == pytest.approx(np.mean(click**2), rel=1e-4)
        # A filter takes away what is below 10 Hz, before the click too.
        assert np.abs(heard[:2950]).max() < 0.04 * np.abs(heard).max()


def test_recordings_are_shared_out_among_rooms_by_their_names():
    click = np.zeros(4000, np.float32)
    click[10] = 0.5
    heard = [next(iter(TRANSFORMS["room"](Recording(f"u{n}", click), [0.2]))).tobytes() for n in range(60)]
    assert len(set(heard)) == len(rooms(0.2))
