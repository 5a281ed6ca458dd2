"""Adversarial clips to listen to: which utterances, their audio before and after, and a picture of both."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.io import wavfile

from candor.attack.evaluate import Fooled
from candor.attack.job import AttackError, AttackJob
from candor.attack.names import ATTACKED
from candor.audio.conversion import RATE
from candor.figures import BLUE, FULL_WIDTH, GREY, VERMILION, house_style, new_figure, set_title
from candor.models.audit import Utterance
from candor.tables.attack import VERSIONS

Samples = NDArray[np.float32]

SHOWN = 0.005
"""Seconds of the perturbation whose samples are drawn."""

LOUDEST = 0.5
"""The peak that the perturbation alone is brought to, which would hardly be heard otherwise."""


@dataclass(frozen=True)
class Example:
    """An utterance and its adversarial twin.

    Parameters
    ----------
    utterance, speaker, label
        Which it is, who speaks, and what is felt.
    fold, seed
        Whose model was fooled, or was not.
    method, snr
        How.
    before, after
        What the model hears in both.
    clean, attacked
        The samples.
    """

    utterance: str
    speaker: str
    label: str
    fold: int
    seed: int
    method: str
    snr: float
    before: str
    after: str
    clean: Samples
    attacked: Samples

    def samples(self, version: str) -> Samples:
        """Return the samples of one of `VERSIONS`; the perturbation is made loud enough to be heard."""
        if version == "clean":
            return self.clean
        if version == "attacked":
            return self.attacked
        noise = self.attacked - self.clean
        return noise * np.float32(self.amplification)

    @property
    def amplification(self) -> float:
        """Return how many times louder than it is the perturbation alone is played."""
        peak = float(np.abs(self.attacked - self.clean).max(initial=0.0))
        return LOUDEST / peak if peak else 1.0


def choose(fooled: Fooled, method: str, snr: float, count: int) -> pd.DataFrame:
    """Return the clean rows of utterances to listen to: those that were fooled first, of many emotions and speakers.

    Where too few were fooled, others follow that were attacked, and then those that were wrong before.

    Parameters
    ----------
    fooled
        What became of the utterances.
    method, snr
        Of which attack.
    count
        How many.
    """
    first = fooled.clean[fooled.clean["seed"] == fooled.seeds[0]].set_index("utterance")
    attempts = fooled.of(method, snr)
    fell = set(attempts[attempts["fooled"] & (attempts["seed"] == fooled.seeds[0])]["utterance"])
    rank = [0 if name in fell else 1 if status == ATTACKED else 2 for name, status in first["status"].items()]
    ranked = first.assign(rank=rank).sort_values(["rank", "utterance"])
    # The first of each emotion, then the second of each; speakers that were not heard yet come first.
    chosen: list[str] = []
    while len(chosen) < min(count, len(ranked)):
        left = ranked.drop(index=chosen)
        heard = ranked.loc[chosen]
        told = left["label"].map(heard["label"].value_counts()).fillna(0)
        known = left["cluster"].map(heard["cluster"].value_counts()).fillna(0)
        order = left.assign(told=told, known=known).sort_values(["rank", "told", "known"], kind="stable")
        chosen.append(str(order.index[0]))
    if len(chosen) < count:
        raise AttackError(f"config: attack.examples is {count}, but there are {len(chosen)} test utterances; lower it")
    rows: pd.DataFrame = ranked.loc[chosen].reset_index()
    return rows


def craft_examples(job: AttackJob, chosen: pd.DataFrame, method: str, snr: float) -> list[Example]:
    """Return the examples, made anew and one by one.

    Parameters
    ----------
    job
        The attack that the utterances were chosen from.
    chosen
        What `choose` returns.
    method, snr
        Of which attack.
    """
    made = []
    for row in chosen.to_dict("records"):
        attack = job.attack(int(row["fold"]), int(row["seed"]))
        own: Utterance = next(one for one in job.utterances(int(row["fold"])) if one.clip.utterance == row["utterance"])
        clean, attacked, said = attack.example(own, method, snr)
        made.append(
            Example(
                str(row["utterance"]),
                str(row["speaker"]),
                str(row["label"]),
                int(row["fold"]),
                int(row["seed"]),
                method,
                snr,
                str(row["before"]),
                said,
                clean,
                attacked,
            )
        )
    return made


def as_wav(samples: Samples) -> bytes:
    """Return samples as a wav file of 32-bit floating-point numbers: 16 bits would round a quiet perturbation away."""
    written = io.BytesIO()
    # soundfile would note the time of day in it.
    wavfile.write(written, RATE, samples.astype(np.float32))
    return written.getvalue()


def example_figure(example: Example, title: str) -> Figure:
    """Draw waveforms and spectrograms of the clip as recorded, attacked, and of the perturbation alone."""
    with house_style():
        figure = new_figure(FULL_WIDTH, 3.3)
        waves, pictures = figure.subplots(2, 3, height_ratios=[1, 1.5])
        heads = (
            f"As recorded: {example.before}",
            f"Attacked, {example.snr:g} dB: {example.after}",
            f"Perturbation × {_times(example.amplification)}, {1000 * SHOWN:g} ms",
        )
        peak = max(float(np.abs(example.samples(version)).max(initial=1e-6)) for version in VERSIONS[:2])
        loudest = _power(example.clean).max()
        for axes, spectrum, version, head in zip(waves, pictures, VERSIONS, heads, strict=True):
            samples = example.samples(version)
            _waveform(axes, samples, version, peak)
            axes.set_title(head)
            _spectrogram(spectrum, example, version, loudest)
        for axes in (waves[1], *pictures[1:]):
            axes.tick_params(axis="y", labelleft=False)
        waves[0].set_ylabel("amplitude")
        pictures[0].set_ylabel("frequency (kHz)")
        pictures[1].set_xlabel("time (s); spectrograms share one scale of 80 dB")
        set_title(figure, title)
    return figure


def _waveform(axes: Axes, samples: Samples, version: str, peak: float) -> None:
    """Draw all samples; of the perturbation, whose signs change all the time, only some in the middle."""
    end = len(samples) / RATE
    start = max(0.0, (end - SHOWN) / 2) if version == "perturbation" else 0.0
    colour = {"clean": BLUE, "attacked": VERMILION}.get(version, GREY)
    reach = 1.1 * (LOUDEST if version == "perturbation" else peak)
    width = 0.8 if version == "perturbation" else 0.3
    axes.plot(np.arange(len(samples)) / RATE, samples, color=colour, linewidth=width, rasterized=True)
    axes.set_xlim(start, min(end, start + SHOWN) if version == "perturbation" else end)
    axes.set_ylim(-reach, reach)


def _spectrogram(axes: Axes, example: Example, version: str, loudest: float) -> None:
    """Draw a spectrogram; that of the perturbation is of what it really is, not made louder."""
    samples = example.attacked - example.clean if version == "perturbation" else example.samples(version)
    level = 10 * np.log10(np.maximum(_power(samples), 1e-20) / max(loudest, 1e-20))
    end = len(samples) / RATE
    axes.imshow(
        level, origin="lower", aspect="auto", extent=(0, end, 0, RATE / 2000), cmap="magma", vmin=-80, vmax=0,
        interpolation="nearest",
    )  # fmt: skip


def _power(samples: Samples, window: int = 400, step: int = 160) -> NDArray[np.float64]:
    """Return the power over frequency and time, [frequencies, frames]."""
    padded = np.pad(samples.astype(np.float64), (0, max(0, window - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::step]
    spectrum: NDArray[np.complex128] = np.fft.rfft(frames * np.hanning(window), n=512, axis=1)
    power: NDArray[np.float64] = np.abs(spectrum.T) ** 2
    return power


def _times(amplification: float) -> str:
    return f"{amplification:,.0f}" if amplification >= 10 else f"{amplification:.1f}"


def example_rows(examples: Sequence[Example]) -> list[dict[str, object]]:
    """Return the rows of `AttackExamples`."""
    return [
        {
            "example": number,
            "utterance": own.utterance,
            "speaker": own.speaker,
            "label": own.label,
            "fold": own.fold,
            "seed": own.seed,
            "method": own.method,
            "snr": own.snr,
            "before": own.before,
            "after": own.after,
            "perturbation_gain": 20 * float(np.log10(own.amplification)),
        }
        for number, own in enumerate(examples, start=1)
    ]
