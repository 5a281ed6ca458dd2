"""Extract hidden states: once per clip and backbone, resumable, whatever else changes."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
import torch

from candor.backbones.interface import Backbone, Hidden
from candor.features.clips import Clip, FeatureError, in_batches
from candor.features.packs import FramePacker, FramePlace, PooledPacker, PooledPlace
from candor.runtime import AudioProgress
from candor.store.ledger import Ledger
from candor.store.objects import Store, digest

logger = logging.getLogger(__name__)

POOLING_VERSION = 2
STATISTICS = ("mean", "sd")

Row = dict[str, str | int | float]
Place = TypeVar("Place", PooledPlace, FramePlace)


@dataclass(frozen=True)
class Way:
    """How a backbone is run: nothing here but `precision` may change hidden states."""

    batch_seconds: float = 60.0
    precision: str = "float32"
    device: str = "cpu"


def identity(
    name: str, version: int, options: Mapping[str, Any], weights: Mapping[str, str] | None, precision: str
) -> dict[str, Any]:
    """Return all that hidden states depend on besides the audio.

    Parameters
    ----------
    name, version
        The family and its `FEATURES_VERSION`.
    options
        The backbone's options.
    weights
        The hashes of its files, wherever they came from.
    precision
        In which numbers it is run.
    """
    return {
        "family": name,
        "features_version": version,
        "options": dict(sorted(options.items())),
        "pooling_version": POOLING_VERSION,
        "precision": precision,
        "weights": dict(sorted((weights or {}).items())),
    }


class Extraction:
    """The hidden states of clips by one backbone, as far as the store has them, and the making of the rest.

    Parameters
    ----------
    clips
        What is asked for.
    identified
        The backbone's `identity`.
    store
        Where audio is read and features are kept.
    frames
        Whether the states of every frame are kept, not only pooled ones.
    """

    def __init__(self, clips: Sequence[Clip], identified: Mapping[str, Any], store: Store, *, frames: bool) -> None:
        self.clips, self.store, self.frames, self.identified = clips, store, frames, identified
        self._mark = json.dumps(identified, sort_keys=True)
        self._keys = {clip.utterance: digest(f"{self._mark} {clip.content}".encode()) for clip in clips}
        self._pooled: Ledger = store.ledger("features")
        self._frames: Ledger = store.ledger("frames")
        self._whole: dict[str, bool] = {}
        self._ran: Row = {"clips_run": 0, "audio_run": 0.0, "device": ""}
        self._began, self._seconds = time.monotonic(), 0.0

    def missing(self) -> list[Clip]:
        """Return the clips of which the store lacks what is asked for."""
        return [
            clip
            for clip in self.clips
            if self.pooled_place(clip) is None or (self.frames and self.frame_place(clip) is None)
        ]

    def run(self, backbone: Backbone, way: Way, name: str) -> None:
        """Make what is missing; may be killed at any time and called again.

        Parameters
        ----------
        backbone
            What to run, on the device of `way`.
        way
            How to run it.
        name
            What it is called in the log.
        """
        missing = self.missing()
        pooled = PooledPacker(self.store, self._pooled, self._whole)
        frames = FramePacker(self.store, self._frames, self._whole, np.dtype(backbone.frame_type))
        with AudioProgress(sum(clip.seconds for clip in missing), name) as progress:
            for batch, hidden in _run_all(backbone, missing, self.store, way):
                for number, clip in enumerate(batch):
                    states = _own_states(hidden, number, clip)
                    if self.pooled_place(clip) is None:
                        pooled.add(self._keys[clip.utterance], statistics(states, clip.utterance), states.shape[1])
                    if self.frames and self.frame_place(clip) is None:
                        frames.add(self._keys[clip.utterance], as_kept(states, frames.dtype, clip.utterance))
                    progress.advance(clip.seconds)
                if frames.full or pooled.full:
                    pooled.write()
                    frames.write()
        pooled.write()
        frames.write()
        audio = sum(clip.seconds for clip in missing)
        self._ran = {"clips_run": len(missing), "audio_run": audio, "device": way.device.partition(":")[0]}
        self._seconds = time.monotonic() - self._began

    def took(self) -> Row:
        """Return the row of `ExtractionTiming`: what was run, and the time since this was made."""
        return {"clips": len(self.clips), **self._ran, "seconds": self._seconds}

    def pooled_place(self, clip: Clip) -> PooledPlace | None:
        """Return where a clip's pooled states are, or None unless they are there and whole."""
        noted = self._pooled.get(self._keys[clip.utterance])
        place = PooledPlace.parse(noted) if noted else None
        return place if place and self._is_whole(place.member) else None

    def frame_place(self, clip: Clip) -> FramePlace | None:
        """Return where the states of a clip's frames are, or None unless they are there and whole."""
        noted = self._frames.get(self._keys[clip.utterance])
        place = FramePlace.parse(noted) if noted else None
        return place if place and self._is_whole(place.member) else None

    def pooled_rows(self) -> list[Row]:
        """Return the index of pooled states."""
        return [{"utterance": clip.utterance, **asdict(place)} for clip, place in self._placed(self.pooled_place)]

    def frame_rows(self) -> list[Row]:
        """Return the index of frames."""
        return [{"utterance": clip.utterance, **asdict(place)} for clip, place in self._placed(self.frame_place)]

    def note_use(self) -> None:
        """Let a clean-up spare what has been found, until an index lists it."""
        found = [place(clip) for clip in self.clips for place in (self.pooled_place, self.frame_place)]
        what = digest(f"{self._mark} {sorted(self._keys.values())}".encode())
        self.store.note_use(what, (place.member for place in found if place is not None))

    def _placed(self, place_of: Callable[[Clip], Place | None]) -> Iterator[tuple[Clip, Place]]:
        for clip in self.clips:
            place = place_of(clip)
            if place is None:
                raise RuntimeError(f"features of {clip.utterance} vanished from the store while they were being listed")
            yield clip, place

    def _is_whole(self, member: str) -> bool:
        if member not in self._whole:
            self._whole[member] = self.store.intact(member)
        return self._whole[member]


def _run_all(backbone: Backbone, clips: Sequence[Clip], store: Store, way: Way) -> Iterator[tuple[list[Clip], Hidden]]:
    """Yield batches with their hidden states; a batch too large for the memory is halved, and those after it too."""
    seconds = way.batch_seconds
    todo: list[list[Clip]] = list(in_batches(clips, seconds))
    while todo:
        batch = todo.pop(0)
        try:
            hidden = run_batch(backbone, batch, store, way)
        except (RuntimeError, MemoryError) as error:
            if not _is_lack_of_memory(error):
                raise
            if len(batch) == 1:
                raise FeatureError(
                    f"{batch[0].utterance}: {batch[0].seconds:.1f} s do not fit into the memory of {way.device}; "
                    "lower audio_duration of the recipes"
                ) from error
            seconds = sum(clip.seconds for clip in batch) / 2
            logger.warning("a batch of %d clips does not fit into memory; going on with %.0f s", len(batch), seconds)
            if way.device.startswith("cuda"):
                torch.cuda.empty_cache()
            todo = list(in_batches([*batch, *(clip for later in todo for clip in later)], seconds))
            continue
        yield batch, hidden


def _is_lack_of_memory(error: Exception) -> bool:
    # On a CPU torch has no class of errors for it, only these words.
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


def worthwhile_seconds(backbone: Backbone, device: str, seconds: float) -> float:
    """Return how many seconds of audio to run at once, at most `seconds`; 0 is one clip after the other.

    On a CPU a batch pays for recurrent networks, whose steps are small. What others make of a single clip keeps all
    cores busy and stays in their caches; of a batch it does not, and a base-size transformer takes a quarter longer.
    """
    recurrent = any(isinstance(module, torch.nn.RNNBase) for module in backbone.modules())
    return seconds if recurrent or device != "cpu" else 0.0


def run_batch(backbone: Backbone, batch: Sequence[Clip], store: Store, way: Way) -> Hidden:
    """Return the hidden states of clips, in float32 and on the device of `way`."""
    waveforms = [torch.from_numpy(clip.waveform(store)) for clip in batch]
    return run_on_device(backbone, waveforms, way)


def run_waveforms(backbone: Backbone, waveforms: Sequence[torch.Tensor], way: Way) -> Hidden:
    """Return the hidden states of waveforms [samples], in float32 and on the CPU."""
    hidden = run_on_device(backbone, waveforms, way)
    return Hidden(hidden.states.cpu(), hidden.lengths)


def run_on_device(backbone: Backbone, waveforms: Sequence[torch.Tensor], way: Way) -> Hidden:
    """Return the hidden states of waveforms [samples], in float32 and on the device of `way`."""
    padded = torch.nn.utils.rnn.pad_sequence(list(waveforms), batch_first=True).to(way.device)
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    lower = torch.autocast(way.device.partition(":")[0], dtype=torch.bfloat16, enabled=way.precision == "bfloat16")
    with torch.no_grad(), lower:
        hidden = backbone(padded, lengths)
    return Hidden(hidden.states.float(), hidden.lengths.cpu())


def _own_states(hidden: Hidden, number: int, clip: Clip) -> torch.Tensor:
    frames = int(hidden.lengths[number])
    if frames < 1:
        raise FeatureError(f"{clip.utterance}: too short for a single frame; raise corpora.min_duration")
    return hidden.states[:, number, :frames]


def statistics(states: torch.Tensor, name: str) -> np.ndarray:
    """Return mean and standard deviation over time, [layers, statistics, dimensions].

    Parameters
    ----------
    states
        [layers, frames, dimensions].
    name
        Whose they are, for errors.
    """
    # Five times as fast as var_mean(), which is slow along a dimension that is not the last one. Seen from the first
    # frame, what never changes is 0 and remains so: it deviates by nothing, without an error of rounding.
    first = states[:, :1]
    apart = states - first
    middle = apart.mean(dim=1, keepdim=True)
    deviation = apart.sub_(middle).square_().mean(dim=1).sqrt_()
    pooled = torch.stack([(first + middle)[:, 0], deviation], dim=1).cpu().numpy()
    if not np.isfinite(pooled).all():
        raise FeatureError(f"{name}: features are not finite")
    return pooled


def as_kept(states: torch.Tensor, kept: np.dtype[Any], name: str) -> np.ndarray:
    """Return states in the numbers in which frames are kept.

    Parameters
    ----------
    states
        [layers, frames, dimensions].
    kept
        These numbers.
    name
        Whose they are, for errors.
    """
    # torch converts many times faster than NumPy, and a GPU has half as much to hand over.
    values = states.to(getattr(torch, kept.name))
    if kept == np.float16 and not all(extreme.isfinite() for extreme in torch.aminmax(values)):
        raise FeatureError(f"{name}: hidden states exceed the range of half precision, in which they are kept")
    return values.cpu().numpy()
