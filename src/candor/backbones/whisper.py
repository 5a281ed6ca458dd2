"""The encoder of Whisper on clips of any length, without padding them to 30 s."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel, WhisperFeatureExtractor

from candor.backbones.interface import Backbone, Hidden, pad


class LogMel(nn.Module):
    """The log-mel spectrogram of `WhisperFeatureExtractor`, differentiable and on any device.

    Robust Speech Recognition via Large-Scale Weak Supervision, Radford et al. 2023, section 2.2.
    """

    filters: torch.Tensor
    window: torch.Tensor

    def __init__(self, extractor: WhisperFeatureExtractor) -> None:
        super().__init__()
        self.hop: int = extractor.hop_length
        self.size: int = extractor.n_fft
        self.shortest = self.size // 2 + 1  # fewer samples cannot be mirrored at the ends
        self.register_buffer("filters", torch.tensor(extractor.mel_filters.T, dtype=torch.float32), persistent=False)
        self.register_buffer("window", torch.hann_window(self.size), persistent=False)

    def forward(self, clips: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the spectrograms of clips, shape [clips, mel bins, frames], zero behind each, and their lengths."""
        device = self.window.device
        frames = torch.tensor([len(clip) // self.hop for clip in clips], device=device)
        exists = (torch.arange(int(frames.max()), device=device) < frames[:, None])[:, None]
        with torch.autocast(device.type, enabled=False):  # its ten decades are too many for half precision
            energies = self._energies(clips)[..., : exists.shape[-1]]
        loudness = energies.clamp(min=1e-10).log10()
        loudest = loudness.masked_fill(~exists, float("-inf")).amax(dim=(1, 2), keepdim=True)
        scaled = (torch.maximum(loudness, loudest - 8.0) + 4.0) / 4.0
        return scaled.masked_fill(~exists, 0.0), frames

    def _energies(self, clips: list[torch.Tensor]) -> torch.Tensor:
        mirrored = pad_sequence([self._mirrored(clip.to(self.window.dtype)) for clip in clips], batch_first=True)
        spectra = torch.stft(mirrored, self.size, self.hop, window=self.window, center=False, return_complex=True)
        return self.filters @ torch.view_as_real(spectra).square().sum(dim=-1)

    def _mirrored(self, clip: torch.Tensor) -> torch.Tensor:
        # By hand, since the gradient of torch's own reflection padding is not deterministic on GPUs.
        half = self.size // 2
        return torch.cat([clip[1 : half + 1].flip(0), clip, clip[-half - 1 : -1].flip(0)])


class Whisper(Backbone):
    """Whisper's encoder.

    Clips longer than the encoder has positions for (30 s) are cut into windows of that length.

    Parameters
    ----------
    encoder
        The encoder, with attention by torch's fused kernel.
    extractor
        Says how the spectrogram is made.
    first_state
        The first hidden state to return: 0 is what goes into the first layer, 1 what comes out of it.
    """

    lora_targets = ("q_proj", "v_proj")

    def __init__(self, encoder: PreTrainedModel, extractor: WhisperFeatureExtractor, first_state: int) -> None:
        super().__init__()
        self.encoder: Any = encoder
        self.log_mel = LogMel(extractor)
        self.first_state = first_state
        self.layers = encoder.config.encoder_layers + 1 - first_state
        self.dimensions = encoder.config.d_model
        self.window = encoder.config.max_source_positions * 2 * extractor.hop_length
        self.train()

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        """Return the hidden states of each waveform; one too short for a frame has none."""
        samples = lengths.tolist()
        clips = [clip[:length].split(self.window) for clip, length in zip(waveforms, samples, strict=True)]
        windows = [window for clip in clips for window in clip]
        shortest = self.log_mel.shortest
        heard = [functional.pad(window, (0, max(0, shortest - len(window)))) for window in windows]
        states, frames = self._encode(*self.log_mel(heard))
        counts = [0 if len(window) < shortest else count for window, count in zip(windows, frames, strict=True)]
        own = iter(states[:, number, :count] for number, count in enumerate(counts))
        return pad([torch.cat([next(own) for _ in clip], dim=1) for clip in clips])

    def last_layer(self) -> nn.Module:
        """Return the last layer of the transformer."""
        layer: nn.Module = self.encoder.layers[-1]
        return layer

    def _encode(self, spectrograms: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, list[int]]:
        """Return the hidden states of spectrograms, [layers, clips, frames, dimensions], and their lengths.

        Each convolution sees zeros behind a clip, as it would alone, and attention does not look there.
        """
        encoder = self.encoder
        hidden = functional.gelu(encoder.conv1(spectrograms))
        hidden = hidden.masked_fill(~_exists(lengths, hidden.shape[-1])[:, None], 0.0)
        hidden = functional.gelu(encoder.conv2(hidden)).transpose(1, 2)
        lengths = (lengths - 1) // 2 + 1
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        frames: list[int] = lengths.tolist()
        mask = None if min(frames) == max(frames) else _exists(lengths, max(frames))[:, None, None]
        states = [hidden]
        for layer in encoder.layers:
            states.append(layer(states[-1], mask))
        states[-1] = encoder.layer_norm(states[-1])
        return torch.stack(states[self.first_state :]), frames


def _exists(lengths: torch.Tensor, longest: int) -> torch.Tensor:
    return torch.arange(longest, device=lengths.device) < lengths[:, None]
