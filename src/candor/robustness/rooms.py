"""Rooms that recordings are played in: their responses, by the image-source method."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyroomacoustics
from numpy.typing import NDArray

from candor.audio.conversion import RATE

ROOMS = 8
"""Rooms per reverberation time. Each recording has one of them, by its name: a room of its own would take longer to
compute than all the rest."""

SMALLEST, LARGEST = (3.6, 3.2, 2.6), (5.2, 4.4, 3.4)
"""Length, width and height in metres of living rooms and offices."""

FROM_WALL, APART = 0.5, 1.0
"""Metres that a speaker and a microphone keep from walls and from each other, at least."""

REFLECTIONS = 70
"""The most that are followed of a sound: as many as it takes to measure 30 dB of the fading of 0.9 s. Longer T60 would
need more, and each takes longer to compute than the one before."""

BETWEEN_WALLS = 2.0
"""Metres from one reflection to the next, at least on average."""

RINGS_LONGER = 1.08
"""By how much rooms of these shapes ring longer than Eyring's formula says: measured by Schroeder's method."""


@dataclass(frozen=True)
class Response:
    """The response of a room.

    Parameters
    ----------
    samples
        What is heard of a click, at 16 kHz.
    arrival
        The sample at which its sound arrives straight from the speaker.
    """

    samples: NDArray[np.float32]
    arrival: int


@cache
def rooms(seconds: float) -> tuple[Response, ...]:
    """Return the responses of rooms in which sound fades by 60 dB within so many seconds (T60).

    They have the same shapes and positions for every T60; what differs is how much walls absorb.
    """
    return tuple(response(seconds, np.random.default_rng([ROOMS, number])) for number in range(ROOMS))


def response(seconds: float, draws: np.random.Generator) -> Response:
    r"""Return the response of a room whose size and places are drawn at random.

    The share :math:`a` of the energy that walls absorb follows from Eyring's formula with volume :math:`V` and surface
    :math:`S`, and the speed of sound :math:`c`: :math:`T_{60} = 24\ln 10\,V / (-c\,S\ln(1-a))`.

    Parameters
    ----------
    seconds
        The reverberation time T60.
    draws
        Where size and places are drawn from.

    References
    ----------
    .. [1] J. B. Allen, D. A. Berkley, "Image method for efficiently simulating small-room acoustics", JASA 65, 1979.
    .. [2] C. F. Eyring, "Reverberation time in 'dead' rooms", JASA 1, 1930.
    """
    size = draws.uniform(SMALLEST, LARGEST)
    speaker = microphone = draws.uniform(FROM_WALL, size - FROM_WALL)
    while (distance := float(np.linalg.norm(speaker - microphone))) < APART:
        microphone = draws.uniform(FROM_WALL, size - FROM_WALL)
    speed, asked = float(pyroomacoustics.constants.get("c")), seconds / RINGS_LONGER
    length, width, height = size
    surface = 2 * (length * width + length * height + width * height)
    lost = 24 * np.log(10) * size.prod() / (speed * surface * asked)
    pyroomacoustics.constants.set("num_threads", 1)  # sums shared out among threads would differ in their last digits
    box = pyroomacoustics.ShoeBox(
        size,
        fs=RATE,
        materials=pyroomacoustics.Material(1 - float(np.exp(-lost))),
        max_order=min(int(np.ceil(speed * seconds / BETWEEN_WALLS)), REFLECTIONS),
    )
    box.add_source(speaker)
    box.add_microphone(microphone)
    box.compute_rir()
    delay = distance / speed * RATE
    filters = pyroomacoustics.constants.get("frac_delay_length") // 2
    return Response(box.rir[0][0].astype(np.float32), round(delay) + filters)
