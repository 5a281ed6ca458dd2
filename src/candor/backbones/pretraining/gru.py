"""The layer of a GRU on CPUs, with a backward pass by hand.

torch's own adds up the gradient of the recurrent weights, as large as the weights, in every time step. Here what it
is made of is kept, and one product at the end does it; 1.2 to 1.9 times as fast, most with few sequences at once.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn
from torch.autograd.function import once_differentiable


def run_layer(layer: nn.GRU, inputs: torch.Tensor) -> torch.Tensor:
    """Return the outputs of a layer, batch first, from a first state of 0."""
    if inputs.device.type != "cpu":
        outputs, _ = layer(inputs)
        return cast(torch.Tensor, outputs)
    weights = (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    outputs = _Layer.apply(inputs.transpose(0, 1), *weights)  # type: ignore[no-untyped-call]
    return cast(torch.Tensor, outputs).transpose(0, 1)


class _Layer(torch.autograd.Function):
    """Time first; gates in torch's order: reset r, update z, new n.

    r = s(a_r + b_r), z = s(a_z + b_z), n = tanh(a_n + r b_n), h' = (1 - z) n + z h, where s is the logistic function,
    a depends on the input alone and b on the state h before.
    """

    @staticmethod
    def forward(ctx: Any, inputs: torch.Tensor, w_a: torch.Tensor, w_b: torch.Tensor, c_a: torch.Tensor,
                c_b: torch.Tensor) -> torch.Tensor:  # fmt: skip
        steps, batch, _ = inputs.shape
        size = w_b.shape[1]
        gates = torch.addmm(c_a, inputs.reshape(steps * batch, -1), w_a.t()).view(steps, batch, 3 * size)
        recurrent = torch.empty_like(gates)
        states = inputs.new_zeros(steps + 1, batch, size)
        transposed = w_b.t()
        for gate, b, state, following in zip(
            gates.unbind(), recurrent.unbind(), states[:-1].unbind(), states[1:].unbind(), strict=True
        ):
            torch.addmm(c_b, state, transposed, out=b)
            r_and_z, n = gate[:, : 2 * size], gate[:, 2 * size :]
            r_and_z.add_(b[:, : 2 * size]).sigmoid_()
            n.addcmul_(r_and_z[:, :size], b[:, 2 * size :]).tanh_()
            torch.lerp(n, state, r_and_z[:, size:], out=following)
        ctx.save_for_backward(inputs, w_a, w_b, gates, recurrent[:, :, 2 * size :], states)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        inputs, w_a, w_b, gates, b_n, states = ctx.saved_tensors
        steps, batch, _ = inputs.shape
        r, z, n = gates.chunk(3, dim=-1)
        # What the gradient of a state is multiplied by, on its way to n before its tanh and to b_r, b_z and b_n.
        to_n = (1 - z) * (1 - n * n)
        factors = torch.stack((to_n * b_n * r * (1 - r), (states[:-1] - n) * z * (1 - z), to_n * r), dim=2)
        d_b = torch.empty_like(factors)
        d_states = d_outputs.clone(memory_format=torch.contiguous_format)
        for step in range(steps - 1, -1, -1):
            d_state = d_states[step]
            torch.mul(d_state[:, None], factors[step], out=d_b[step])
            if step:
                before = d_states[step - 1]
                before.addcmul_(d_state, z[step]).addmm_(d_b[step].view(batch, -1), w_b)
        d_b = d_b.view(steps * batch, -1)
        d_a = d_b.clone()
        d_a[:, 2 * z.shape[-1] :] = (d_states * to_n).view(steps * batch, -1)
        d_inputs = (d_a @ w_a).view(inputs.shape) if ctx.needs_input_grad[0] else None
        if not any(ctx.needs_input_grad[1:]):
            return d_inputs, None, None, None, None
        d_w_a = d_a.t() @ inputs.reshape(steps * batch, -1)
        d_w_b = d_b.t() @ states[:-1].reshape(steps * batch, -1)
        return d_inputs, d_w_a, d_w_b, d_a.sum(dim=0), d_b.sum(dim=0)
