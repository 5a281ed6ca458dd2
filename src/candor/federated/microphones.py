"""Features of what clients record with poor microphones: speech over white noise, by the same backbone.

Like all features they are kept in the store, by what they depend on: a killed job goes on where it stopped, and folds
or runs in which an utterance is as noisy share what was made of it. What no run uses any more, a clean-up removes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candor.audio.conversion import decode
from candor.features.clips import Clip, clips_of
from candor.features.extraction import Extraction
from candor.features.job import Job, load_backbone
from candor.robustness.transforms import Recording, Samples, as_recorded, white_noise
from candor.store.objects import Store

if TYPE_CHECKING:
    import pandas as pd

NOISE_VERSION = 1
"""To be raised whenever the same recording at the same level sounds different."""


def over_noise(name: str, samples: Samples, level: float) -> Samples:
    """Return a recording as a microphone has it whose noise is so far below the speech.

    The noise is white, and drawn by the utterance's name alone, so that it is the same at whatever microphone, only
    louder. The level is of the whole recording; silence stays silent.

    Parameters
    ----------
    name
        The utterance.
    samples
        All of the recording.
    level
        Speech over noise, in dB.
    """
    noisy = next(white_noise(Recording(name, samples), [level]))
    assert not isinstance(noisy, str)  # noise can be added to any recording
    return as_recorded(noisy)


@dataclass(frozen=True, kw_only=True)
class NoisyClip(Clip):
    """A clip as a microphone with noise records it.

    Parameters
    ----------
    level
        Speech over noise, in dB.
    """

    level: float

    @property
    def content(self) -> str:
        """Return in words what is heard; the noise is the utterance's own."""
        return f"{super().content} over white noise {NOISE_VERSION} of {self.utterance} at {self.level!r} dB"

    def waveform(self, store: Store) -> np.ndarray:
        """Return what is heard of it, of which no more is used than of the clip without noise."""
        return over_noise(self.utterance, decode(store.read(self.member)), self.level)[: self.samples]


def noised_features(job: Job, audio: pd.DataFrame, levels: Mapping[str, float]) -> pd.DataFrame:
    """Return where the pooled features of noisy utterances are, making what the store lacks of them.

    Parameters
    ----------
    job
        The backbone, how it is run, and how much of each clip is used.
    audio
        The audio index.
    levels
        Of each utterance, speech over noise, in dB.

    Returns
    -------
    pandas.DataFrame
        Rows of a `FeatureIndex`, in the order of `levels`.
    """
    import pandas as pd

    clean = clips_of(pd.DataFrame({"utterance": list(levels)}), audio, job.seconds)
    clips = [
        NoisyClip(own.utterance, own.member, own.samples, own.cut, level=float(levels[own.utterance])) for own in clean
    ]
    extraction = Extraction(clips, job.identified(), job.store, frames=False)
    extraction.note_use()
    if extraction.missing():
        extraction.run(*load_backbone(job), f"features {job.name} over noise")
    return pd.DataFrame(extraction.pooled_rows())
