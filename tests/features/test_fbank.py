import librosa
import numpy as np
import pytest
import torch

from candor.backbones.families import fbank
from candor.backbones.interface import family_names, load_family


@pytest.fixture(scope="module")
def clips() -> list[torch.Tensor]:
    generator = np.random.default_rng(0)
    lengths = [4000, 16000, 7123]
    return [torch.from_numpy(0.1 * generator.standard_normal(length).astype(np.float32)) for length in lengths]


def batch(clips: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.nn.utils.rnn.pad_sequence(clips, batch_first=True), torch.tensor([len(clip) for clip in clips])


def test_every_family_has_the_interface():
    assert "fbank" in family_names()
    for name in family_names():
        family = load_family(name)
        assert isinstance(family.FEATURES_VERSION, int)
        assert callable(family.load)


def test_no_clip_depends_on_its_neighbours_or_its_padding(clips):
    backbone = fbank.load({"mel_bins": 80})
    together = backbone(*batch(clips))
    assert together.states.shape[:2] == (1, 3)
    for number, clip in enumerate(clips):
        alone = backbone(clip[None], torch.tensor([len(clip)]))
        frames = int(alone.lengths[0])
        assert frames == 1 + (len(clip) - 400) // 160 == int(together.lengths[number])
        assert torch.equal(together.states[0, number, :frames], alone.states[0, 0])


def test_energies_are_those_of_a_mel_filter_bank(clips):
    """librosa's HTK filters on frames with the same window: an independent oracle, equal but for details of edges."""
    clip = clips[1].numpy() * 32768
    frames = np.lib.stride_tricks.sliding_window_view(clip, 400)[::160].astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    window = np.hanning(400) ** 0.85
    power = np.abs(np.fft.rfft(frames * window, 512)) ** 2
    filters = librosa.filters.mel(sr=16000, n_fft=512, n_mels=80, fmin=20, fmax=8000, htk=True, norm=None)
    expected = np.log(np.maximum(power @ filters.T, 1e-10))
    got = fbank.load({"mel_bins": 80})(clips[1][None], torch.tensor([16000])).states[0, 0].numpy()
    wide = slice(30, 80)  # low filters cover one or two bins, where the two triangles differ in detail
    assert np.abs(got[:, wide] - expected[:, wide]).mean() < 0.05


def test_the_gradient_reaches_the_waveform(clips):
    waveform = clips[0][None].clone().requires_grad_()
    fbank.load({"mel_bins": 80})(waveform, torch.tensor([4000])).states.sum().backward()
    assert waveform.grad is not None
    assert torch.isfinite(waveform.grad).all()
    assert waveform.grad.abs().sum() > 0


def test_the_values_of_this_version_are_these():
    """If this fails, features have changed: raise FEATURES_VERSION, so that stores notice."""
    axis = torch.arange(4000) / 16000
    clip = 0.3 * torch.sin(2 * torch.pi * 300 * axis) + 0.1 * torch.sin(2 * torch.pi * 2500 * axis)
    states = fbank.load({"mel_bins": 80})(clip[None], torch.tensor([4000])).states[0, 0]
    assert fbank.FEATURES_VERSION == 1
    assert states.mean(dim=0)[::10].tolist() == pytest.approx(GOLDEN, abs=1e-3)


GOLDEN = [14.1606, 23.3012, 7.2591, 4.4923, 8.2464, 13.9614, 4.3956, 3.5082]
