"""Features made by hand, as openSMILE computes them: one layer, no training, no gradient.

Each clip goes through openSMILE alone. It takes 16-bit samples, so those of the waveform are cut to their range (the
highest would turn into the lowest otherwise) and rounded towards zero by openSMILE itself.

What has no value in a clip, such as the pitch of one that is never voiced, openSMILE gives as 0, and so does this
module. A clip that is too short for a single frame of the feature set (60 ms for GeMAPS and ComParE, 40 ms for
emobase) has no frames at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import opensmile  # the package: this module's own name begins with `candor`
import torch

from candor.backbones.interface import Backbone, BackboneError, Hidden, pad

FEATURES_VERSION = 1

RATE = 16000
HIGHEST = 32767 / 32768
"""The highest sample that 16 bits hold."""

LEVELS = {
    "functionals": opensmile.FeatureLevel.Functionals,
    "lld": opensmile.FeatureLevel.LowLevelDescriptors,
}


class Smile(Backbone):
    """A feature set at one level: of the whole clip, or of every 10 ms."""

    layers = 1
    differentiable = False

    def __init__(self, feature_set: str, level: str) -> None:
        super().__init__()
        with warnings.catch_warnings():
            # It advises against older sets, which are there to be compared with published figures.
            warnings.filterwarnings("ignore", message="Feature set .* is deprecated")
            self._smile = opensmile.Smile(opensmile.FeatureSet[feature_set], LEVELS[level])
        self.names: tuple[str, ...] = tuple(self._smile.feature_names)
        self.dimensions = len(self.names)

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> Hidden:
        """Return the features of each waveform, computed from its own samples alone."""
        if waveforms.requires_grad:
            raise BackboneError(
                "opensmile: no gradient passes through openSMILE, so nothing that follows a gradient to the waveform "
                "can be done with it; take another backbone for that"
            )
        samples = waveforms.detach().to("cpu", torch.float32).clamp(-1.0, HIGHEST).numpy()
        with warnings.catch_warnings():
            # A warning for each short clip would flood the log; its length, 0, says the same.
            warnings.filterwarnings("ignore", message="Segment too short")
            clips = [self._features(clip[:length]) for clip, length in zip(samples, lengths.tolist(), strict=True)]
        return pad([torch.from_numpy(clip)[None].to(waveforms.device) for clip in clips])

    def _features(self, clip: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the features of one clip, [frames, dimensions]."""
        values: np.ndarray[Any, np.dtype[np.float32]] = self._smile(clip, RATE)[0].T.astype(np.float32)
        if np.isnan(values).all():
            return np.zeros((0, self.dimensions), np.float32)
        # None was found that is not finite; should there be one all the same, it must not spread through a training.
        values[~np.isfinite(values)] = 0.0
        return values


def load(options: Mapping[str, Any], weights: Path | None = None) -> Smile:
    """Return the feature set; `options` has `feature_set` and `level`."""
    return Smile(str(options["feature_set"]), str(options["level"]))
