"""How fast a test fold is attacked: ratios to one utterance at a time in trust-ser's manner, in one run.

    python benchmarks/attack.py [--quick] [--clips 96] [--threads 1] [--out benchmarks/attack.tsv]

`ours` is all that the stage does with a test fold of clips of 2 to 6 s: read each from the store, a clean pass, FGSM on
those that are right, random signs as loud on the same, what the model says of both, and the rows. `other` is the same
network, and a head with the same weights, in trust-ser's manner, from waveforms in memory, utterance by utterance: a
clean pass that keeps its graph; for those that are right a pass in training mode and back to the waveform, and a pass
over the perturbed clip. It has no control. The backbone is an APC of three layers of 512, as the published one is.
Backbone and head have random weights; three of five clips are labelled as the model hears them, and so are right.

`one ratio`: at 45 dB; without the random signs, as the other has none, and with them. `ten ratios`: 60 to 15 dB, of
which trust-ser attacks one at a time, so that `other` is counted ten times. The ways take turns, block by block; ratios
are those of the sums. Counted is the time of the processor, so that other work on the machine matters less; with one
thread.

`same utterances fooled`: both ways once more, with the gradient of both in evaluation mode, as ours always is.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from candor.attack.attacking import Attack, Utterance
from candor.attack.crafting import Crafted, Settings, Speech
from candor.attack.names import CONTROL
from candor.audio.conversion import decode
from candor.memory import keep_freed_memory
from candor.models.end_to_end import EndToEnd
from candor.models.loading import Model
from candor.models.networks import FrameNetwork
from candor.models.recipe import Recipe
from candor.models.saving import About
from candor.models.tasks import Emotion
from candor.runtime import use_threads
from candor.store.objects import Store
from machine import Row, about_the_run, threads
from random_backbones import Twins, apc
from spoken_clips import put_clips
from table import emit
from training import CLASSES, TheirHead

SNRS = (60.0, 55.0, 50.0, 45.0, 40.0, 35.0, 30.0, 25.0, 20.0, 15.0)
HEARD = ["neutral", "anger", "sadness", "happiness", "fear", "disgust", "surprise", "calm"]
BLOCK = 24
"""Clips that one way is given before it is the other's turn."""


class WithoutControl(Attack):
    """Our way as far as theirs goes."""

    def _crafted(self, speech: Speech) -> Iterator[tuple[str, str, Crafted]]:
        return (made for made in super()._crafted(speech) if made[0] != CONTROL)


class TheirWay:
    """FGSM on one utterance at a time, as trust-ser has it."""

    def __init__(self, twins: Twins, head: TheirHead) -> None:
        self.twins, self.head = twins, head
        twins.model.requires_grad_(False)

    def says(self, waveform: torch.Tensor) -> torch.Tensor:
        """Return the outputs."""
        states = self.twins.run(self.twins.model, [waveform])
        frames = states[0].shape[1]
        return self.head(states, torch.full((1, frames), 1 / frames))

    def train(self, mode: bool) -> None:
        """Switch dropout on or off."""
        self.twins.model.train(mode)
        self.head.train(mode)

    def fooled(self, waveform: torch.Tensor, label: int, snr: float, *, in_training: bool = True) -> bool | None:
        """Return whether an utterance is mistaken under attack; None if it was wrong before."""
        self.train(False)
        if int(self.says(waveform).argmax()) != label:
            return None
        self.train(in_training)
        heard = waveform.clone().requires_grad_(True)
        functional.cross_entropy(self.says(heard), torch.tensor([label])).backward()
        sign = heard.grad.sign()
        loudness = waveform.square().mean().sqrt() * 10 ** (-snr / 20) / sign.square().mean().sqrt()
        self.train(False)
        return int(self.says(waveform + sign * loudness).argmax()) != label


def our_head(theirs: TheirHead, layers: int, dimensions: int) -> FrameNetwork:
    """Return our head with the weights of theirs."""
    recipe = Recipe("cnn", 0.1, 1, 1, conv_layers=2, num_layers=2, hidden_size=256, dropout=0.2)
    ours = FrameNetwork(layers, dimensions, len(CLASSES), recipe)
    pairs = [
        (ours.head.convolutions[0], theirs.convolutions[0]),
        (ours.head.convolutions[1], theirs.convolutions[3]),
        (ours.head.dense[0], theirs.dense[0]),
        (ours.head.dense[1], theirs.dense[2]),
    ]
    with torch.no_grad():
        for own, other in pairs:
            own.weight.copy_(other.weight.view_as(own.weight))
            own.bias.copy_(other.bias)
        if ours.mix.logits is not None:
            ours.mix.logits.copy_(theirs.weights)
    return ours.eval()


def lively(head: TheirHead) -> TheirHead:
    """Give a head weights that are large enough for its answers to differ between utterances."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in (own.weight for own in head.modules() if isinstance(own, (nn.Conv1d, nn.Linear))):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 1.6 / weight.shape[1] ** 0.5)
    return head


def compare(twins: Twins, count: int, folder: Path) -> list[Row]:
    """Return how our way compares with theirs on a test fold of so many clips."""
    store = Store(folder / "store")
    clips = put_clips(store, count, 0)
    waveforms = [torch.from_numpy(decode(store.read(clip.member))) for clip in clips]
    backbone = twins.backbone
    theirs = TheirWay(twins, lively(TheirHead(backbone.layers, backbone.dimensions)))
    task = Emotion(HEARD)
    about = About("frames", backbone.layers, backbone.dimensions, task.described(), {"downstream_model": "cnn"}, {})
    head = our_head(theirs.head, backbone.layers, backbone.dimensions)
    model = EndToEnd(backbone, Model(about, task, head, {}, None))
    theirs.train(False)
    with torch.no_grad():
        heard = [int(theirs.says(own).argmax()) for own in waveforms]
    labels = [code if place % 5 < 3 else (code + 1) % len(HEARD) for place, code in enumerate(heard)]
    fold = [Utterance(clip, place, HEARD[code]) for place, (clip, code) in enumerate(zip(clips, labels, strict=True))]

    def ours(way: type[Attack], snrs: Sequence[float], part: list[Utterance]) -> list[dict]:
        return way(model, (("own", model),), tuple(HEARD), Settings(snrs=tuple(snrs)), 0, store).on(part)

    spent = dict.fromkeys(("one", "control", "ten", "other"), 0.0)
    flags = []
    for start in range(0, count, BLOCK):
        part = fold[start : start + BLOCK]
        for name, way, snrs in (
            ("one", WithoutControl, (45.0,)),
            ("control", Attack, (45.0,)),
            ("ten", Attack, SNRS),
        ):
            begun = time.process_time()
            rows = ours(way, snrs, part)
            spent[name] += time.process_time() - begun
            if name == "one":
                flags += [row for row in rows if row["method"] == "fgsm"]
        begun = time.process_time()
        for own in part:
            theirs.fooled(waveforms[own.number], labels[own.number], 45.0)
        spent["other"] += time.process_time() - begun
    place = {clip.utterance: number for number, clip in enumerate(clips)}
    same = [
        (row["predicted"] != row["label"]) == theirs.fooled(waveforms[number], labels[number], 45.0, in_training=False)
        for row in flags
        for number in [place[row["utterance"]]]
    ]
    hours = sum(clip.seconds for clip in clips) / 3600
    fooled = sum(row["predicted"] != row["label"] for row in flags)
    how = f"{count} clips, {hours:.2f} h, {len(flags)} of them right and attacked, {threads()}"
    return [
        {
            "what": f"{twins.name}: FGSM at one ratio",
            "ours": f"{spent['one']:.2f} s",
            "other": f"{spent['other']:.2f} s",
            "ratio": f"{spent['other'] / spent['one']:.2f}",
            "how measured": f"{how}; without random signs, which the other has not",
        },
        {
            "what": f"{twins.name}: FGSM at one ratio, with random signs as loud",
            "ours": f"{spent['control']:.2f} s",
            "other": f"{spent['other']:.2f} s",
            "ratio": f"{spent['other'] / spent['control']:.2f}",
            "how measured": f"{how}; the other has no random signs",
        },
        {
            "what": f"{twins.name}: FGSM at ten ratios, with random signs as loud",
            "ours": f"{spent['ten']:.2f} s",
            "other": f"{10 * spent['other']:.1f} s",
            "ratio": f"{10 * spent['other'] / spent['ten']:.2f}",
            "how measured": f"{how}; other: one ratio, times ten",
        },
        {
            "what": f"{twins.name}: same utterances fooled",
            "ours": f"{fooled} of {len(flags)}",
            "other": f"{sum(same)} alike",
            "ratio": f"{sum(same) / max(len(same), 1):.3f}",
            "how measured": "at 45 dB, both gradients in evaluation mode",
        },
    ]


def rows(options: argparse.Namespace, scratch: Path) -> Iterator[Row]:
    yield from compare(apc(scratch / "apc"), 12 if options.quick else options.clips, scratch / "a")
    yield from about_the_run()


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few clips: a minute, and rougher")
    parser.add_argument("--clips", type=int, default=96, help="in the test fold")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    use_threads(options.threads)
    keep_freed_memory()  # as the job does
    with tempfile.TemporaryDirectory() as name:
        emit(list(rows(options, Path(name))), options.out)


if __name__ == "__main__":
    main()
