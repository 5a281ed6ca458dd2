"""The loop: epochs of steps, each followed by a check on speakers that are not trained on."""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from candor.backbones.pretraining.batches import Piece, batches, cut, shards, together
from candor.backbones.pretraining.held_out import Clip, divide
from candor.backbones.pretraining.log_mel import MEL_BINS, LogMel, log_mel
from candor.backbones.pretraining.network import checkpoint, copying_distance, distance, new_network, weights_of
from candor.backbones.pretraining.settings import FRAMES_PER_SECOND, PretrainingError, Settings
from candor.backbones.pretraining.state import State
from candor.store.objects import Store, digest

logger = logging.getLogger(__name__)

LOOP_VERSION = 1
"""To be raised whenever the same audio and options yield other weights: states of before are then not gone on from."""

WARM_UP = 0.05
"""Share of the training in which the learning rate rises."""

SAVE_EVERY = 300.0
"""Seconds after which the state is written within an epoch too."""


@dataclass(frozen=True)
class Pretrained:
    """What comes out of a pretraining."""

    checkpoint: bytes
    """A file in s3prl's format, with the weights of the epoch whose held-out loss is the lowest."""
    history: list[dict[str, Any]]
    """Rows of `candor.tables.pretraining.Pretraining`."""
    heard: tuple[str, ...]
    """Speakers trained on; a blank name stands for clips whose speaker is not known."""
    held_out: tuple[str, ...]
    """Speakers only used to check; empty where clips had to be held out instead."""
    hours: float
    """Audio trained on."""


def pretrain(
    clips: Sequence[Clip],
    store: Store,
    options: Mapping[str, Any],
    state: Path,
    scratch: Path,
    device: str = "cpu",
) -> Pretrained:
    """Train APC: a GRU foretells the log-mel frame `time_shift` ahead, with the L1 distance as loss.

    Uses as many threads as torch is set to. Their number changes no result, nor do kills in between.

    Parameters
    ----------
    clips
        What to listen to, in any order.
    store
        Where the audio is.
    options
        The keys of `pretrain` in the config.
    state
        The file in which it keeps where it stands, and from which it goes on. Can be deleted when all is done.
    scratch
        A folder for frames, 58 MB per hour of audio. Can be deleted when all is done.
    device
        ``cpu`` or ``cuda``.
    """
    settings = Settings.of(options)
    with _threads() as pool:
        frames = log_mel(clips, store, Path(scratch), pool, settings.time_shift)
        return _Run(settings, frames, pool, torch.device(device)).go(Path(state))


@contextmanager
def _threads() -> Iterator[Executor]:
    """Yield a pool in which each thread is all that torch uses for its task.

    The steps of a GRU are too small to be shared by threads: where other jobs run too, two are slower than one.
    """
    granted = torch.get_num_threads()
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(granted, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(granted)


class _Run:
    """A training with its data."""

    def __init__(self, settings: Settings, frames: LogMel, pool: Executor, device: torch.device) -> None:
        self.settings, self.frames, self.pool, self.device = settings, frames, pool, device
        self.parts = divide(frames.clips, settings.held_out, settings.seed)
        self.train = self._cut(self.parts.train)
        self.check = batches(self._cut(self.parts.check), settings.batch_frames, None)
        if device.type == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)

    def _cut(self, clips: Sequence[int]) -> list[Piece]:
        return cut(self.frames, clips, self.settings.piece_frames, self.settings.time_shift)

    @property
    def key(self) -> str:
        """All that the outcome depends on, as a hash."""
        facts = [LOOP_VERSION, torch.__version__, self.device.type, asdict(self.settings), self.frames.clips]
        return digest(json.dumps(facts).encode())

    def go(self, file: Path) -> Pretrained:
        """Train, or go on with it, to the end."""
        network = new_network(self.settings).to(self.device)
        optimizer = torch.optim.Adam(network.parameters(), lr=self.settings.learning_rate, fused=True)
        state = State(network, optimizer)
        hours = sum(piece.length for piece in self.train) / FRAMES_PER_SECOND / 3600
        if state.load(file, self.key):
            logger.info("goes on after epoch %d and %d steps", state.epoch, state.step)
        else:
            self._describe(hours)
            self._end_epoch(state, None, None)
            state.save(file, self.key)
            logger.info("%s", _in_words(state.history[-1], self.settings))
        while state.epoch < self.settings.num_epochs:
            self._epoch(state, file)
        return Pretrained(
            checkpoint(self.settings, state.best), _marked(state.history), self.parts.heard, self.parts.held_out, hours
        )

    def _describe(self, hours: float) -> None:
        parts = self.parts
        checked = f"{len(parts.held_out)} held-out speakers" if parts.held_out else f"{len(parts.check)} held-out clips"
        logger.info(
            "trains on %.2f hours by %d speakers in %d pieces, checks with %s",
            hours, len(parts.heard), len(self.train), checked,
        )  # fmt: skip

    def _epoch(self, state: State, file: Path) -> None:
        """Do what is left of an epoch."""
        epoch = state.epoch + 1
        draw = np.random.default_rng([self.settings.seed, epoch])
        todo = batches(self.train, self.settings.batch_frames, draw)
        speed, saved, rate = _Speed(state), time.monotonic(), 0.0
        while state.step < len(todo):
            position = (epoch - 1 + (state.step + 0.5) / len(todo)) / self.settings.num_epochs
            rate = learning_rate(self.settings.learning_rate, position)
            self._step(state, todo[state.step], epoch, rate)
            if time.monotonic() - saved > SAVE_EVERY and state.step < len(todo):
                state.save(file, self.key)
                saved = time.monotonic()
                logger.info("epoch %d: %d of %d steps; %s", epoch, state.step, len(todo), speed)
        reached = str(speed)
        state.epoch, state.step = epoch, 0
        self._end_epoch(state, state.difference / state.values, rate)
        state.difference, state.values = 0.0, 0
        state.save(file, self.key)
        logger.info("%s; %s", _in_words(state.history[-1], self.settings), reached)

    def _step(self, state: State, batch: list[Piece], epoch: int, rate: float) -> None:
        """Move the weights once, against the gradient of the mean difference over a batch."""
        parameters = list(state.network.parameters())
        values = MEL_BINS * sum(piece.length for piece in batch)

        def gradient(part: int, pieces: list[Piece]) -> tuple[float, tuple[torch.Tensor, ...]]:
            draw = torch.Generator(self.device)
            draw.manual_seed(_seed(self.settings.seed, epoch, state.step, part))
            frames = together(self.frames, pieces, self.settings.time_shift, self.device)
            loss = distance(state.network, frames, self.settings.time_shift, self.settings.dropout, draw)
            return loss.item(), torch.autograd.grad(loss / values, parameters)

        parts = list(self.pool.map(gradient, *zip(*enumerate(self._shards(batch)), strict=True)))
        for place, parameter in enumerate(parameters):
            # In the order of the parts, whichever thread was first: sums of floats depend on it.
            parameter.grad = sum((gradients[place] for _, gradients in parts[1:]), start=parts[0][1][place])
        norm = nn.utils.clip_grad_norm_(parameters, self.settings.clip_norm)
        difference = sum(loss for loss, _ in parts)
        self._insist(math.isfinite(difference) and bool(norm.isfinite()), f"in step {state.step + 1} of epoch {epoch}")
        state.optimizer.param_groups[0]["lr"] = rate
        state.optimizer.step()
        state.step += 1
        state.difference += difference
        state.values += values

    def _end_epoch(self, state: State, train_loss: float | None, rate: float | None) -> None:
        """Check, note how it went, and keep the weights if none were better."""
        held_out, copying = self._check(state.network)
        self._insist(math.isfinite(held_out), f"on held-out audio after epoch {state.epoch}")
        if all(held_out < row["held_out_loss"] for row in state.history):
            state.best = weights_of(state.network)
        state.history.append(
            {
                "epoch": state.epoch,
                "train_loss": train_loss,
                "held_out_loss": held_out,
                "copy_loss": copying,
                "learning_rate": rate,
            }
        )

    def _check(self, network: nn.Module) -> tuple[float, float]:
        """Return the loss on held-out audio, and that of copying the last frame seen."""

        def differences(pieces: list[Piece]) -> tuple[float, float, int]:
            shift = self.settings.time_shift
            frames = together(self.frames, pieces, shift, self.device)
            with torch.no_grad():
                own, copying = distance(network, frames, shift), copying_distance(frames, shift)
            return own.item(), copying.item(), MEL_BINS * int(frames.lengths.sum())

        parts = [part for batch in self.check for part in self._shards(batch)]
        own, copying, values = (sum(column) for column in zip(*self.pool.map(differences, parts), strict=True))
        return own / values, copying / values

    def _shards(self, batch: list[Piece]) -> list[list[Piece]]:
        """Share a batch out among threads; a GPU takes it as a whole."""
        return shards(batch) if self.device.type == "cpu" else [batch]

    def _insist(self, finite: bool, where: str) -> None:
        if not finite:
            raise PretrainingError(
                f"pretrain: the loss is no finite number {where}; lower `learning_rate`, which is "
                f"{self.settings.learning_rate:g}, or `clip_norm`, which is {self.settings.clip_norm:g}"
            )


def learning_rate(peak: float, position: float) -> float:
    """Return the learning rate at a position in (0, 1) of the training: a straight rise, then half a cosine to 0."""
    if position < WARM_UP:
        return peak * position / WARM_UP
    return peak * 0.5 * (1 + math.cos(math.pi * (position - WARM_UP) / (1 - WARM_UP)))


def _seed(*numbers: int) -> int:
    """Return a seed that differs with each of the numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _marked(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say of each epoch whether its weights are kept."""
    best = min(history, key=lambda row: row["held_out_loss"])
    return [{**row, "selected": "yes" if row is best else "no"} for row in history]


class _Speed:
    """How fast a run hears audio, from now on."""

    def __init__(self, state: State) -> None:
        self.state, self.began, self.before = state, time.monotonic(), state.values

    def __str__(self) -> str:
        seconds = (self.state.values - self.before) / MEL_BINS / FRAMES_PER_SECOND
        return f"{seconds / (time.monotonic() - self.began):.0f} hours of audio per hour"


def _in_words(row: Mapping[str, Any], settings: Settings) -> str:
    less = 100 * (1 - row["held_out_loss"] / row["copy_loss"])
    compared = f"{abs(less):.1f} % {'below' if less >= 0 else 'above'} the {row['copy_loss']:.4f} of copying"
    held_out = f"{row['held_out_loss']:.4f} on held-out audio, {compared}"
    if row["train_loss"] is None:
        return f"before training: loss {held_out}"
    return f"epoch {row['epoch']} of {settings.num_epochs}: loss {row['train_loss']:.4f} in training, {held_out}"
