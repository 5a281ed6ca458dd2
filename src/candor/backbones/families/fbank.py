"""Log-mel filter bank energies, the baseline: one layer, no training.

Kaldi's features as torchaudio computes them: frames of 25 ms every 10 ms, pre-emphasis .97, Povey window,
mel filters from 20 Hz to 8 kHz, natural logarithm of the power. No dither, so the same clip yields the same
values, and no normalisation over the utterance.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torchaudio

from candor.backbones.interface import Backbone, Hidden, pad

FEATURES_VERSION = 1

WINDOW = 400
"""Samples of a frame: 25 ms at 16 kHz."""

INT16_SCALE = 32768.0
"""Kaldi's energies are those of 16-bit samples; in [-1, 1] quiet speech would fall under its floor."""


class FilterBank(Backbone):
    """The front-end with a given number of mel filters."""

    layers = 1

    def __init__(self, mel_bins: int) -> None:
        super().__init__()
        self.dimensions = mel_bins

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        """Return the log energies of each waveform, computed from its own samples alone."""
        clips = zip(waveforms, lengths.tolist(), strict=True)
        return pad([self._energies(waveform[:length])[None] for waveform, length in clips])

    def _energies(self, waveform: torch.Tensor) -> torch.Tensor:
        if len(waveform) < WINDOW:
            return waveform.new_zeros((0, self.dimensions))
        energies: torch.Tensor = torchaudio.compliance.kaldi.fbank(
            waveform[None] * INT16_SCALE,
            num_mel_bins=self.dimensions,
            sample_frequency=16000.0,
            frame_length=25.0,
            frame_shift=10.0,
            dither=0.0,
        )
        return energies


def load(options: Mapping[str, Any], weights: Path | None = None) -> FilterBank:
    """Return the front-end; `options` has `mel_bins`."""
    return FilterBank(int(options["mel_bins"]))
