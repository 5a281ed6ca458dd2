"""Operations of kernels that torch's own counter has no formula for, and how to tell that one is missing.

Torch counts matrix products, convolutions and the attention kernels of GPUs. On a CPU attention is another kernel, and
a matrix times a vector yet another; Fourier transforms it counts nowhere. What works on single values, such as
activations, norms, sums and windows, is left out by torch and here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.flop_counter import flop_registry, sdpa_flop_count

aten = torch.ops.aten

Shape = Sequence[int]


def attention(query: Shape, key: Shape, value: Shape, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """Return what scaled dot-product attention does: the products of queries with keys, and of weights with values."""
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


def matrix_vector(matrix: Shape, vector: Shape, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """Return what the product of a matrix with a vector does."""
    return 2 * matrix[0] * matrix[1]


def matrix_vector_sum(start: Shape, matrix: Shape, vector: Shape, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """Return what a vector plus the product of a matrix with a vector does; the sum is not counted, as in torch."""
    return 2 * matrix[0] * matrix[1]


def inner_product(first: Shape, second: Shape, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """Return what the product of two vectors does."""
    return 2 * first[0]


def recurrent(inputs: Shape, of_input: Shape, of_state: Shape, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """Return what a recurrent layer of oneDNN does: per step, all gates' products with the input and with the state."""
    steps = inputs[0] * inputs[1]
    return 2 * steps * (of_input[0] * of_input[1] + of_state[0] * of_state[1])


def real_fourier(values: Shape, dimensions: Shape, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """Return what Fourier transforms of real values do: 2.5 n log2 n each.

    References
    ----------
    .. [1] M. Frigo, S. G. Johnson, "The design and implementation of FFTW3", Proceedings of the IEEE 93(2), 2005: the
       count by which speeds of such programs are compared.
    """
    return _fourier(2.5, values, [values[dimension] for dimension in dimensions])


def complex_fourier(values: Shape, dimensions: Shape, *_: Any, out_shape: Any = None, **__: Any) -> int:
    """Return what Fourier transforms of complex values do: 5 n log2 n each."""
    return _fourier(5.0, values, [values[dimension] for dimension in dimensions])


def back_to_real(
    values: Shape, dimensions: Shape, _: Any, last: int, *__: Any, out_shape: Any = None, **___: Any
) -> int:
    """Return what Fourier transforms back to real values do: 2.5 n log2 n each."""
    *others, final = dimensions
    whole = [*values]
    whole[final] = last
    return _fourier(2.5, whole, [*(values[dimension] for dimension in others), last])


def _fourier(factor: float, values: Shape, sizes: Shape) -> int:
    size = math.prod(sizes)
    return round(factor * math.prod(values) * math.log2(size)) if size > 1 else 0


FOURIER: dict[Any, Callable[..., int]] = {
    aten._fft_r2c: real_fourier,
    aten._fft_c2c: complex_fourier,
    aten._fft_c2r: back_to_real,
}

FORMULAS: dict[Any, Callable[..., int]] = {
    aten._scaled_dot_product_flash_attention_for_cpu: attention,
    aten.mv: matrix_vector,
    aten.addmv: matrix_vector_sum,
    aten.dot: inner_product,
    aten.vdot: inner_product,
    aten.mkldnn_rnn_layer: recurrent,
    **FOURIER,
}
"""What is counted beside what torch counts."""

_WORK = re.compile(
    r"(add|badd|b|s|h)?mm|addbmm|mv|v?dot|addr|conv\w*|\w*attention|matmul|linear|bilinear|trilinear|einsum|"
    r"rnn|gru|lstm|fft|cdist|encoder"
)


def works_uncounted(operator: Any) -> bool:
    """Tell whether a kernel does products, convolutions, recurrences or transforms, by its name, and has no formula.

    >>> works_uncounted(torch.ops.aten._thnn_fused_gru_cell), works_uncounted(torch.ops.aten.relu)
    (True, False)
    """
    if operator in FORMULAS or operator in flop_registry:
        return False
    name = str(operator).rpartition(".")[2].strip("_")
    return any(_WORK.fullmatch(word) for word in name.split("_"))
