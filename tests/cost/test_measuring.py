"""Times are those of the clock, over a fair sample of the corpus, and energy is what was spent meanwhile."""

import numpy as np
import pytest
import torch

from candor.cost.energy import Meters
from candor.cost.measuring import SAMPLED, WARM_UP, measure, measured_row, processor, sample


class Clock:
    """A system that takes a tenth of a second per second of speech and 20 watts, by a clock of its own."""

    name = "planted"

    def __init__(self) -> None:
        self.now, self.runs, self.lengths = 100.0, 0, []
        self.worked = 5.0

    def answer(self, waveforms, lengths) -> None:
        assert waveforms.shape == (1, int(lengths[0]))
        self.now += waveforms.shape[1] / 16000 / 10
        self.worked += waveforms.shape[1] / 16000 / 4
        self.runs += 1
        self.lengths.append(int(lengths[0]))

    def read(self) -> int:
        return int(20 * self.now * 1e6)

    def joules(self, before: int, after: int) -> float:
        return (after - before) / 1e6


@pytest.mark.parametrize("seconds", [0.01, 3.0])
def test_rates_are_those_of_the_run(seconds):
    clock = Clock()
    waveforms = [torch.zeros(16000 * number) for number in (1, 2, 3)]
    meters, clocks = Meters([clock], "planted"), {"clock": lambda: clock.now, "processor_clock": lambda: clock.worked}
    took = measure(clock.answer, waveforms, seconds, meters, **clocks)
    assert took.seconds == pytest.approx(took.audio / 10)
    assert took.processor == pytest.approx(took.audio / 4)
    assert took.joules == pytest.approx(20 * took.seconds, abs=1e-4)
    assert seconds <= took.seconds < seconds + 0.31, "it ends with an utterance"
    assert took.audio == sum(clock.lengths[WARM_UP:]) / 16000, "the warm-up does not count"


def test_without_a_meter_there_is_no_energy():
    clock = Clock()
    assert measure(clock.answer, [torch.zeros(800)], 0.1, Meters([], "none"), clock=lambda: clock.now).joules is None


def test_the_sample_is_as_long_as_the_corpus():
    lengths = np.random.default_rng(1).lognormal(10.5, 0.5, 5000).astype(int)
    chosen = sample(lengths.tolist())
    assert len(chosen) == len(set(chosen)) == SAMPLED
    assert lengths[chosen].mean() == pytest.approx(lengths.mean(), rel=0.02)
    assert lengths[chosen[: SAMPLED // 2]].mean() == pytest.approx(lengths.mean(), rel=0.15), "so is a part of it"
    assert chosen == sample(lengths.tolist())
    assert sorted(sample([5, 1, 3])) == [0, 1, 2]


def test_the_machine_is_named(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Some CPU @ 2 GHz\n")
    assert processor(info) == "Some CPU @ 2 GHz"
    assert processor(tmp_path / "absent")
    clock = Clock()
    row = measured_row(clock.answer, [torch.zeros(1600)], 0.05, "cpu")
    assert (row["device"], row["gpu_memory"]) == ("cpu", None)
    assert row["threads"] == torch.get_num_threads()
    assert row["inference_memory"] > 50
    assert row["energy_source"]
