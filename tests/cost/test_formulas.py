"""Kernels that torch's counter leaves out are counted as a hand counts them."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from candor.cost.counting import Seen, spelled_out
from candor.cost.formulas import FORMULAS, works_uncounted

FRAMES, WIDTH, HEADS = 50, 16, 4


def counted(run) -> int:
    """Return what is counted of a function; every kernel of it that works has to have a formula."""
    counter, seen = FlopCounterMode(display=False, custom_mapping=FORMULAS), Seen()
    with torch.no_grad(), spelled_out(), counter, seen:
        run()
    assert not [str(operator) for operator in seen.operators if works_uncounted(operator)]
    return counter.get_total_flops()


def dense(frames: int, inputs: int, outputs: int) -> int:
    return 2 * frames * inputs * outputs


def attended(frames: int, width: int) -> int:
    """Queries times keys, and weights times values."""
    return 2 * frames * frames * width + 2 * frames * frames * width


@pytest.fixture
def states() -> torch.Tensor:
    return torch.randn(1, FRAMES, WIDTH)


def test_a_dense_layer_and_a_convolution(states):
    assert counted(lambda: nn.Linear(WIDTH, 7)(states)) == dense(FRAMES, WIDTH, 7)
    heard = states.transpose(1, 2)
    for groups in (1, 4):
        convolution = nn.Conv1d(WIDTH, 8, 5, stride=3, groups=groups)
        frames = (FRAMES - 5) // 3 + 1
        assert counted(lambda layer=convolution: layer(heard)) == dense(frames, 5 * WIDTH // groups, 8)


def test_a_weight_norm_adds_nothing(states):
    convolution = nn.Conv1d(WIDTH, 8, 5)
    plain = counted(lambda: convolution(states.transpose(1, 2)))
    normed = nn.utils.parametrizations.weight_norm(convolution, dim=2)
    assert counted(lambda: normed(states.transpose(1, 2))) == plain == dense(FRAMES - 4, 5 * WIDTH, 8)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrent_layers(states, kind, gates, directions):
    """Per frame and gate, a product with the input and one with the state before."""
    size = 8
    layer = kind(WIDTH, size, batch_first=True, bidirectional=directions == 2)
    assert counted(lambda: layer(states)) == directions * FRAMES * 2 * gates * size * (WIDTH + size)


def test_a_packed_gru_of_one_sequence_is_the_same(states):
    layer = nn.GRU(WIDTH, 8, batch_first=True)
    packed = nn.utils.rnn.pack_padded_sequence(states, [FRAMES], batch_first=True)
    assert counted(lambda: layer(packed)) == FRAMES * 2 * 3 * 8 * (WIDTH + 8)


@pytest.mark.parametrize(
    "mask", [None, torch.zeros(1, 1, FRAMES, FRAMES), torch.ones(1, 1, 1, FRAMES, dtype=torch.bool)]
)
def test_attention(mask):
    query, key, value = torch.randn(3, 1, HEADS, FRAMES, WIDTH // HEADS)
    run = functional.scaled_dot_product_attention
    assert counted(lambda: run(query, key, value, attn_mask=mask)) == attended(FRAMES, WIDTH)


def test_layers_that_torch_has_a_single_kernel_for(states):
    """In evaluation mode torch runs a whole layer at once, of which its counter would see nothing."""
    layer = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True).eval()
    projections = 4 * dense(FRAMES, WIDTH, WIDTH)
    assert counted(lambda: layer(states, states, states)) == projections + attended(FRAMES, WIDTH)
    encoder = nn.TransformerEncoderLayer(WIDTH, HEADS, 64, 0.0, batch_first=True, norm_first=True).eval()
    forward = 2 * dense(FRAMES, WIDTH, 64)
    padding = torch.zeros(1, FRAMES, dtype=torch.bool)
    whole = projections + attended(FRAMES, WIDTH) + forward
    assert counted(lambda: encoder(states, src_key_padding_mask=padding)) == whole
    fast, slow = encoder(states), nn.TransformerEncoderLayer.forward(encoder.train(), states)
    assert torch.allclose(fast, slow, atol=1e-5), "what is spelled out is the same arithmetic"


def test_matrix_times_vector():
    matrix, vector, out = torch.randn(30, 5), torch.randn(5), torch.empty(30)
    assert counted(lambda: torch.mv(matrix, vector, out=out)) == 2 * 30 * 5
    assert counted(lambda: torch.addmv(out, matrix, vector)) == 2 * 30 * 5
    assert counted(lambda: vector.dot(vector)) == 2 * 5


def test_fourier_transforms_by_the_usual_convention():
    """5 n log2 n for complex values, half of it for real ones, of each frame."""
    wave, window = torch.randn(1, 1600), torch.hann_window(400)
    run = lambda: torch.stft(wave, 400, 160, window=window, center=False, return_complex=True)  # noqa: E731
    frames = (1600 - 400) // 160 + 1
    assert counted(run) == round(frames * 2.5 * 400 * math.log2(400))
    assert counted(lambda: torch.fft.rfft(torch.randn(7, 512))) == 7 * 2.5 * 512 * 9
    assert counted(lambda: torch.fft.irfft(torch.randn(7, 257, dtype=torch.complex64))) == 7 * 2.5 * 512 * 9
    assert counted(lambda: torch.fft.fft(torch.randn(3, 64, dtype=torch.complex64))) == 3 * 5 * 64 * 6


def test_what_has_no_formula_is_noticed_and_what_does_not_work_is_not():
    aten = torch.ops.aten
    for operator in (aten._thnn_fused_gru_cell, aten._native_multi_head_attention, aten.addr, aten._cdist_forward):
        assert works_uncounted(operator)
    for operator in (
        aten.mm,
        aten.convolution,
        aten.mv,
        aten._fft_r2c,
        aten.hamming_window,
        aten.relu,
        aten.native_layer_norm,
    ):
        assert not works_uncounted(operator)
