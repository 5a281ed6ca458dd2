"""Which engine runs the clients of a run."""

from __future__ import annotations

from torch import nn

from candor.federated.engines.engine import Engine
from candor.federated.engines.loop import LoopEngine
from candor.federated.engines.stacked import StackedMlpEngine
from candor.federated.engines.vmapped import VmappedEngine
from candor.federated.local import Local
from candor.federated.workloads.workload import Workload

FASTER: tuple[tuple[type[Engine], tuple[str, ...]], ...] = (
    (StackedMlpEngine, ("cpu", "cuda")),
    (VmappedEngine, ("cuda",)),
)
"""Engines and what they are faster on than the loop, the fastest first.

torch.func on a CPU: 0.138 s for 10 clients with three batches of 20 digits each, the loop 0.132 s.
"""


def choose(
    workload: Workload, model: nn.Module, local: Local, asked: str, device: str = "cpu"
) -> tuple[type[Engine], str]:
    """Return the engine to run clients with, and in words why it is this one.

    Parameters
    ----------
    workload, model, local
        What is learned, by which model, and how.
    asked
        ``auto`` for the fastest that comes to the same as the loop, or ``loop``.
    device
        What to run on.
    """
    if asked == "loop":
        return LoopEngine, "one client after the other, as asked for"
    reasons = []
    for engine, devices in FASTER:
        reason = engine.lacks(workload, model, local)
        if not reason and device.split(":")[0] not in devices:
            reason = f"it is slower than the loop on {device}"
        if not reason:
            return engine, "many clients at once, which comes to the same as one after the other"
        reasons.append(f"not '{engine.name}': {reason}")
    return LoopEngine, "one client after the other; " + "; ".join(reasons)
