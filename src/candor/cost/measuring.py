"""How fast a system answers on this machine, and with how much memory and energy."""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from candor.audio.conversion import RATE
from candor.cost.energy import Meters, find_meters
from candor.cost.rates import per_hour

SAMPLED = 64
"""Utterances that are run one after the other, again and again until the time is up."""

WARM_UP = 3
"""Utterances before the clock starts."""

Row = dict[str, Any]
Answer = Callable[[torch.Tensor, torch.Tensor], Any]


@dataclass(frozen=True)
class Measured:
    """What a run took: by the clock, on the processors, in joules; and how much speech that was."""

    seconds: float
    processor: float
    audio: float
    joules: float | None


def sample(samples: Sequence[int], most: int = SAMPLED) -> list[int]:
    """Return the numbers of utterances whose lengths are spread as those of all, in an order drawn once and for all.

    Parameters
    ----------
    samples
        How long each utterance is.
    most
        How many are returned at most.
    """
    by_length = np.argsort(np.asarray(samples), kind="stable")
    count = min(most, len(by_length))
    # The middle of each of so many parts of equal size: mean and spread are those of all.
    places = ((np.arange(count) + 0.5) * len(by_length) / count).astype(int)
    order = np.random.default_rng(0).permutation(by_length[places])
    return [int(number) for number in order]


def measure(
    answer: Answer,
    waveforms: Sequence[torch.Tensor],
    seconds: float,
    meters: Meters,
    wait: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
    processor_clock: Callable[[], float] = time.process_time,
) -> Measured:
    """Run a system for so many seconds and to the end of the utterance.

    Parameters
    ----------
    answer
        The system; takes a waveform [1, samples] and its length.
    waveforms
        What it is given, one after the other.
    seconds
        How long it is run at least.
    meters
        What tells energy.
    wait
        Returns when a device has done all that it was given.
    clock
        Tells the time in seconds.
    processor_clock
        Tells the seconds that all threads of this process have had a processor.
    """
    given = [(waveform[None], torch.tensor([len(waveform)])) for waveform in waveforms]
    with torch.no_grad():
        for number in range(WARM_UP):
            answer(*given[number % len(given)])
        wait()
        before, began, worked, audio, number = meters.read(), clock(), processor_clock(), 0, 0
        while number == 0 or clock() - began < seconds:
            waveform, length = given[number % len(given)]
            answer(waveform, length)
            wait()
            audio += waveform.shape[1]
            number += 1
        ended, worked, after = clock(), processor_clock() - worked, meters.read()
    return Measured(ended - began, worked, audio / RATE, meters.joules(before, after))


def measured_row(answer: Answer, waveforms: Sequence[torch.Tensor], seconds: float, device: str) -> Row:
    """Return what `SystemTiming` says of the run here and of the machine."""
    cuda = device.startswith("cuda")
    meters = find_meters(f"GPU-{torch.cuda.get_device_properties(device).uuid}" if cuda else None)
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    on_device = [waveform.to(device) for waveform in waveforms]
    took = measure(answer, on_device, seconds, meters, torch.cuda.synchronize if cuda else lambda: None)
    return {
        "device": torch.cuda.get_device_name(device) if cuda else "cpu",
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "inference_seconds": per_hour(took.seconds, took.audio),
        "inference_cpu_seconds": per_hour(took.processor, took.audio),
        "inference_audio": took.audio,
        "inference_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_MEGABYTE,
        "gpu_memory": torch.cuda.max_memory_allocated(device) / 2**20 if cuda else None,
        "joules": None if took.joules is None else per_hour(took.joules, took.audio),
        "energy_source": meters.source,
    }


_PER_MEGABYTE = 2**20 if platform.system() == "Darwin" else 2**10
"""What the system counts memory in."""


def processor(info: Path = Path("/proc/cpuinfo")) -> str:
    """Return the name of the processor."""
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
