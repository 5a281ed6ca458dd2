"""Meters are read as Linux and NVIDIA document them, and where there is none it is said."""

from pathlib import Path

import pytest

from candor.cost.energy import find_meters


class Powercap:
    """A folder such as /sys/class/powercap."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def zone(self, zone: str, name: str, energy: int, highest: int = 262_143_328_850) -> Path:
        folder = self.root / zone
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{highest}\n")
        (folder / "energy_uj").write_text(f"{energy}\n")
        return folder / "energy_uj"


@pytest.fixture
def powercap(tmp_path) -> Powercap:
    return Powercap(tmp_path)


def test_packages_are_summed_and_their_parts_and_the_whole_machine_are_not(powercap):
    files = [
        powercap.zone("intel-rapl:0", "package-0", 1_000_000),
        powercap.zone("intel-rapl:1", "package-1", 5_000_000),
    ]
    for zone, name in {
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "package-0-part",
        "intel-rapl:2": "psys",
        "intel-rapl-mmio:0": "package-0",
    }.items():
        powercap.zone(zone, name, 77)
    meters = find_meters(root=powercap.root)
    assert meters.source == "RAPL package-0 + RAPL package-1"
    before = meters.read()
    files[0].write_text("3500000")
    files[1].write_text("6000000")
    assert meters.joules(before, meters.read()) == pytest.approx(2.5 + 1.0)


def test_a_counter_that_begins_anew_is_noticed(powercap):
    file = powercap.zone("intel-rapl:0", "package-0", 9_000_000, highest=10_000_000)
    meters = find_meters(root=powercap.root)
    before = meters.read()
    file.write_text("2000000")
    assert meters.joules(before, meters.read()) == pytest.approx(3.0)


def test_without_a_counter_there_is_no_figure_and_a_reason(powercap, monkeypatch):
    assert find_meters(root=powercap.root).source == f"no counter below {powercap.root}"
    (powercap.root / "intel-rapl:0").mkdir()  # as in some containers
    assert find_meters(root=powercap.root).source == f"no counter below {powercap.root}"
    file = powercap.zone("intel-rapl:1", "package-0", 1)
    read = Path.read_text

    def locked(self, *arguments, **options):
        if self == file:
            raise PermissionError(13, "Permission denied")
        return read(self, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", locked)
    meters = find_meters(root=powercap.root)
    assert meters.source == f"the counters below {powercap.root} may be read by root only"
    assert meters.joules(meters.read(), meters.read()) is None


class Nvml:
    """What pynvml offers; a GPU that is too old tells nothing."""

    class NVMLError(Exception):
        pass

    def __init__(self, millijoules=(), known="GPU-1") -> None:
        self.readings, self.known = iter(millijoules), known

    def nvmlInit(self) -> None:  # noqa: N802
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        if uuid != self.known:
            raise self.NVMLError("Not Found")
        return uuid

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        assert handle == self.known
        found = next(self.readings, None)
        if found is None:
            raise self.NVMLError("Not Supported")
        return found


def test_a_gpu_and_the_processor_beside_it(powercap):
    file = powercap.zone("intel-rapl:0", "package-0", 0)
    meters = find_meters("GPU-1", powercap.root, Nvml([1, 1000, 61_000]))
    assert meters.source == "NVML GPU + RAPL package-0"
    before = meters.read()
    file.write_text("4000000")
    assert meters.joules(before, meters.read()) == pytest.approx(60 + 4)


def test_a_gpu_alone_says_what_is_missing(powercap):
    meters = find_meters("GPU-1", powercap.root, Nvml([1, 1000, 61_000]))
    assert meters.source == f"NVML GPU; without the processor: no counter below {powercap.root}"
    assert meters.joules(meters.read(), meters.read()) == pytest.approx(60)


@pytest.mark.parametrize(("nvml", "reason"), [(Nvml(), "Not Supported"), (Nvml([1], known="GPU-2"), "Not Found")])
def test_the_processor_alone_is_no_figure_for_a_run_on_a_gpu(powercap, nvml, reason):
    powercap.zone("intel-rapl:0", "package-0", 0)
    meters = find_meters("GPU-1", powercap.root, nvml)
    assert meters.source == f"NVML tells nothing of the GPU: {reason}"
    assert meters.joules([], []) is None
