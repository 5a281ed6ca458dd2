"""The gradient of a frozen APC down to the waveform is torch's, and takes a time in proportion to the clip."""

import time

import torch
from torch import nn

from backbones.tiny_s3prl import write_tiny
from backbones.tiny_transformers import batch, speech
from candor.backbones.families.s3prl import QuicklyDifferentiated
from candor.backbones.interface import load_family


def gradient(backbone, waveforms, lengths) -> torch.Tensor:
    heard = waveforms.clone().requires_grad_(True)
    states = backbone(heard, lengths).states
    weights = torch.randn(states.shape, generator=torch.Generator().manual_seed(0))
    return torch.autograd.grad((weights * states).sum(), heard)[0]


def test_it_is_that_of_torch(tmp_path):
    backbone = load_family("s3prl").load({"upstream": "apc"}, write_tiny("apc", tmp_path).parent)
    clips = batch(*(speech(samples, seed) for seed, samples in enumerate((4800, 6400, 5200))))
    by_torch = gradient(backbone, *clips)  # as long as its weights can be trained
    backbone.requires_grad_(False)
    quickly = gradient(backbone, *clips)
    assert not torch.equal(quickly, by_torch)
    assert torch.allclose(quickly, by_torch, rtol=1e-3, atol=1e-5 * float(by_torch.abs().max()))
    with torch.no_grad():
        states = backbone(*clips).states
        for module in backbone.modules():
            if isinstance(module, QuicklyDifferentiated):
                module.__class__ = nn.GRU
        assert torch.equal(states, backbone(*clips).states), "what is extracted is that of torch to the last digit"


def test_twice_as_long_a_clip_takes_not_four_times_as_long():
    gru = nn.GRU(32, 32, batch_first=True).requires_grad_(False)
    gru.__class__ = QuicklyDifferentiated
    spent = []
    for frames in (500, 4000):
        frame = torch.randn(1, frames, 32, requires_grad=True)
        taken = []
        for _ in range(3):
            packed = nn.utils.rnn.pack_padded_sequence(frame, torch.tensor([frames]), batch_first=True)
            begun = time.process_time()
            torch.autograd.grad(gru(packed)[0].data.sum(), frame)
            taken.append(time.process_time() - begun)
        spent.append(min(taken))
    assert spent[1] < 25 * spent[0], "64 times, if it grew with the square"
