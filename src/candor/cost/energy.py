"""Meters of energy, where the machine exposes any: RAPL of the processor, NVML of a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows the counters of the processor."""


class Meter(Protocol):
    """Tells how much energy was spent."""

    @property
    def name(self) -> str:
        """Return what it is called."""
        ...

    def read(self) -> int:
        """Return the counter."""
        ...

    def joules(self, before: int, after: int) -> float:
        """Return what was spent between two readings."""
        ...


@dataclass(frozen=True)
class Rapl:
    """The counter of a processor's package: all its cores and caches, whoever uses them.

    Parameters
    ----------
    name
        What it is called.
    file
        Where microjoules are read.
    range
        Where the counter begins anew.

    References
    ----------
    .. [1] https://docs.kernel.org/power/powercap/powercap.html
    """

    name: str
    file: Path
    range: int

    def read(self) -> int:
        """Return microjoules."""
        return int(self.file.read_text(encoding="ascii"))

    def joules(self, before: int, after: int) -> float:
        """Return joules; a counter that is behind has begun anew once."""
        return (after - before + (self.range if after < before else 0)) / 1e6


@dataclass(frozen=True)
class Gpu:
    """The counter of a whole GPU, whoever uses it.

    Parameters
    ----------
    name
        What it is called.
    total
        Returns millijoules since the driver was loaded.
    """

    name: str
    total: Callable[[], int]

    def read(self) -> int:
        """Return millijoules."""
        return self.total()

    def joules(self, before: int, after: int) -> float:
        """Return joules."""
        return (after - before) / 1e3


@dataclass(frozen=True)
class Meters:
    """All meters there are, and what is said of them.

    Parameters
    ----------
    meters
        The meters.
    source
        Which they are, or why there is none.
    """

    meters: Sequence[Meter]
    source: str

    def read(self) -> list[int]:
        """Return all counters."""
        return [meter.read() for meter in self.meters]

    def joules(self, before: Sequence[int], after: Sequence[int]) -> float | None:
        """Return what was spent between two readings, None without a meter."""
        if not self.meters:
            return None
        return sum(meter.joules(*ends) for meter, *ends in zip(self.meters, before, after, strict=True))


def find_meters(uuid: str | None = None, root: Path = POWERCAP, nvml: Any = None) -> Meters:
    """Return the meters that this process may read.

    Where a GPU is used that tells nothing, there is none: the processor alone would be a part for the whole.

    Parameters
    ----------
    uuid
        The GPU that is used; None for none.
    root
        Where the counters of the processor are.
    nvml
        The module `pynvml`; None to import it.
    """
    packages, why_no_package = _packages(root)
    if uuid is None:
        return Meters(packages, _named(packages) or why_no_package)
    gpu, why_no_gpu = _gpu(uuid, nvml)
    if gpu is None:
        return Meters([], why_no_gpu)
    alone = f"; without the processor: {why_no_package}" if not packages else ""
    return Meters([gpu, *packages], _named([gpu, *packages]) + alone)


def _named(meters: Sequence[Meter]) -> str:
    return " + ".join(meter.name for meter in meters)


def _packages(root: Path) -> tuple[list[Meter], str]:
    """Return the counters of packages, or why there are none; parts of packages would be counted twice."""
    found: list[Meter] = []
    locked = False
    for zone in sorted(root.glob("intel-rapl:*")):  # the kernel calls AMD's so too
        try:
            name = (zone / "name").read_text(encoding="ascii").strip()
            if zone.name.count(":") > 1 or not name.startswith("package"):
                continue
            meter = Rapl(f"RAPL {name}", zone / "energy_uj", int((zone / "max_energy_range_uj").read_text("ascii")))
            meter.read()
        except PermissionError:
            locked = True
            continue
        except (OSError, ValueError):
            continue
        found.append(meter)
    why = f"the counters below {root} may be read by root only" if locked else f"no counter below {root}"
    return found, "" if found else why


def _gpu(uuid: str, nvml: Any) -> tuple[Gpu | None, str]:
    if nvml is None:
        import pynvml

        nvml = pynvml
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(uuid)
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except nvml.NVMLError as error:
        return None, f"NVML tells nothing of the GPU: {error}"
    return Gpu("NVML GPU", lambda: int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))), ""
