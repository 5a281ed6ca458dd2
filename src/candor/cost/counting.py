"""Operations and parameters of a single forward pass, from a waveform to the outputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from candor.cost.formulas import FORMULAS, FOURIER, works_uncounted
from candor.models.end_to_end import EndToEnd
from candor.runtime import Explained


class CostError(Explained, RuntimeError):
    """A system's cost cannot be told; the message says why."""


@dataclass(frozen=True)
class Operations:
    """What one forward pass does.

    Parameters
    ----------
    backbone, head
        Floating-point operations of both; a multiplication with its addition is two.
    fourier
        Those of both that are Fourier transforms.
    uncounted
        Kernels that do such work and have no formula; where there is one, the figures are too low.
    used
        Where the parameters that took part begin in memory.
    """

    backbone: int
    head: int
    fourier: int
    uncounted: tuple[str, ...]
    used: frozenset[int]

    @property
    def total(self) -> int:
        """Return the operations of both."""
        return self.backbone + self.head


def operations(model: EndToEnd, samples: int) -> Operations:
    """Return what a model does with a waveform of so many samples.

    What it hears does not matter, so it hears noise. It is run on a CPU and for real: what a backbone does depends on
    lengths that it finds on the way.

    Parameters
    ----------
    model
        On the CPU.
    samples
        How long the waveform is, at 16 kHz.
    """
    noise = 0.1 * torch.randn((1, samples), generator=torch.Generator().manual_seed(0))
    counter, seen = FlopCounterMode(display=False, custom_mapping=FORMULAS), Seen()
    with torch.no_grad(), spelled_out(), counter, seen:
        model(noise, torch.tensor([samples]))
    counts = counter.get_flop_counts()
    backbone = counts.get(f"{type(model).__name__}.backbone", {})
    whole = counts["Global"]
    inside = sum(backbone.values())
    return Operations(
        backbone=inside,
        head=sum(whole.values()) - inside,
        fourier=sum(whole.get(operator, 0) for operator in FOURIER),
        uncounted=tuple(sorted(map(str, filter(works_uncounted, seen.operators)))),
        used=frozenset(seen.places),
    )


@contextmanager
def spelled_out() -> Iterator[None]:
    """Have torch take the products one by one that it otherwise does in a single kernel of its own.

    Whole attention and transformer layers have no formula; what they are made of has. The arithmetic is the same.
    """
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


class Seen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes which kernels are called, and where the tensors that they are given lie in memory."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operators: set[Any] = set()
        self.places: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the kernel."""
        self.operators.add(func.overloadpacket)
        self.places.update(leaf.data_ptr() for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor))
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Parameters:
    """How many parameters take part in a forward pass, and how many of them were trained."""

    backbone: int
    head: int
    trained: int


def parameters(model: EndToEnd, tuned: frozenset[str], used: frozenset[int]) -> Parameters:
    """Return the number of parameters.

    Parameters
    ----------
    model
        The model.
    tuned
        Names of the tensors of the backbone that were trained with the head.
    used
        Where those begin in memory that take part, as `operations` tells.
    """

    def count(module: nn.Module, only: frozenset[str] | None = None) -> int:
        return sum(
            parameter.numel()
            for name, parameter in module.named_parameters()
            if parameter.data_ptr() in used and (only is None or name in only)
        )

    head = count(model.head)
    return Parameters(count(model.backbone), head, head + count(model.backbone, tuned))
