"""The course of a run: round after round, judged, the best model kept, resumed where a killed job stopped."""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Protocol

from candor.federated.errors import FederatedError
from candor.federated.happened import Happened
from candor.federated.judging import Judge, Judgement
from candor.federated.recording import Recording
from candor.federated.settings import PUBLISHED, Settings
from candor.federated.vectors import Weights
from candor.federated.world import World
from candor.models.resume import Resume
from candor.runtime import Progress

logger = logging.getLogger(__name__)

Row = dict[str, Any]


class Trainer(Protocol):
    """Whoever trains a model in rounds: a federation, or one place that has all data."""

    @property
    def weights(self) -> Weights:
        """Return the model as it is now."""
        ...

    @property
    def over(self) -> bool:
        """Return whether there is nothing left to do."""
        ...

    def round(self, number: int) -> Happened:
        """Run a round, counted from 1."""
        ...

    def state(self) -> dict[str, Any]:
        """Return all that the next round depends on."""
        ...

    def take_up(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has returned."""
        ...


@dataclass
class Course:
    """What is known of a run so far.

    Parameters
    ----------
    rounds, participants, judged, timing
        Rows of the tables of these names. Seconds are of the job that ran the round.
    best
        The score of the model that is kept, higher is better; None while there is none.
    best_round, best_weights
        Its round and its numbers.
    """

    rounds: list[Row] = field(default_factory=list)
    participants: list[Row] = field(default_factory=list)
    judged: list[Row] = field(default_factory=list)
    timing: list[Row] = field(default_factory=list)
    best: tuple[float, float] | None = None
    best_round: int = 0
    best_weights: Weights | None = None

    @property
    def anybody_answered(self) -> bool:
        """Return whether anybody has ever answered, so that there is more than the first model."""
        return any(row["answered"] for row in self.rounds)

    @property
    def done(self) -> int:
        """Return how many rounds there have been."""
        return len(self.rounds)

    def outcomes(self) -> str:
        """Return in words what became of all who were chosen."""
        found = Counter(row["outcome"] for row in self.participants)
        return ", ".join(f"{count} {outcome}" for outcome, count in found.most_common())

    def state(self) -> dict[str, Any]:
        """Return what a later job needs to go on."""
        kept = self.best_weights
        return {
            "rounds": self.rounds,
            "participants": self.participants,
            "judged": self.judged,
            "timing": self.timing,
            "best": None if self.best is None else list(self.best),
            "best_round": self.best_round,
            "best_weights": None if kept is None else [kept.parameters, kept.buffers, kept.counters],
        }

    @classmethod
    def taken_up(cls, state: dict[str, Any]) -> Course:
        """Return the course that `state` tells of."""
        best, kept = state["best"], state["best_weights"]
        return cls(
            state["rounds"],
            state["participants"],
            state["judged"],
            state["timing"],
            None if best is None else (best[0], best[1]),
            state["best_round"],
            None if kept is None else Weights(*kept),
        )


def run_course(
    trainer: Trainer,
    world: World,
    settings: Settings,
    recording: Recording,
    resume: Resume,
    what: str,
) -> Course:
    """Run all rounds and return what happened; the same settings yield the same bytes, killed on the way or not.

    Parameters
    ----------
    trainer
        Who trains.
    world
        What is learned, and by whom.
    settings
        How many rounds, how often judged, from when on selected.
    recording
        Where updates and models are kept.
    resume
        Where it is kept how far the run is.
    what
        What is run, in words.
    """
    course, judge, model = Course(), Judge(world, settings.test_batch_size), world.model()
    state = resume.load()
    if state is not None and recording.take_up(state["recording"]):
        trainer.take_up(state["trainer"])
        course = Course.taken_up(state["course"])
        logger.info("%s: going on after round %d", what, course.done)
    else:
        recording.begin(trainer.weights)
    with Progress(settings.num_epochs, what, "round") as progress:
        progress.advance(course.done)
        while course.done < settings.num_epochs and not trainer.over:
            number = course.done + 1
            happened = trainer.round(number)
            last = number == settings.num_epochs or trainer.over
            _note(course, number, happened)
            if number % settings.evaluate_every == 0 or last:
                began = time.monotonic()
                _judge(course, number, trainer.weights, judge(trainer.weights.to_model(model, world.layout)), settings)
                course.timing[-1]["judging_seconds"] = time.monotonic() - began
            recording.model(number, trainer.weights, last)
            if resume.due:  # to put a state together means to wait for the disk
                resume.save(_state(trainer, course, recording))
            progress.advance()
    if course.best_weights is None:
        raise FederatedError(_why_nothing(course, settings))
    resume.save(_state(trainer, course, recording), now=True)
    logger.info("%s: of those who were chosen in %d rounds, %s", what, course.done, course.outcomes())
    for row in course.rounds:
        row["selected"] = "yes" if row["round"] == course.best_round else "no"
    return course


def _why_nothing(course: Course, settings: Settings) -> str:
    """Say why there is no model to test."""
    if not course.done:
        return "no client has a whole batch to learn from; lower batch_size, or leave drop_last out"
    if not course.anybody_answered:
        return (
            f"nobody has answered in any of {course.done} rounds ({course.outcomes()}); there is nothing to aggregate. "
            "Lower the shares in `faults`, or learning_rate where answers are not finite"
        )
    return (
        f"no model was judged after round {settings.select_after}: the run has {course.done} rounds; lower select_after"
    )


def _state(trainer: Trainer, course: Course, recording: Recording) -> dict[str, Any]:
    return {"trainer": trainer.state(), "course": course.state(), "recording": recording.state()}


def _note(course: Course, number: int, happened: Happened) -> None:
    course.participants.extend(happened.participants)
    course.rounds.append(
        {
            "round": number,
            "chosen": len(happened.participants),
            "answered": happened.answered,
            "rejected": happened.rejected,
            "examples": happened.examples,
            "train_loss": happened.losses / happened.examples if happened.examples else None,
            "update_norm": happened.update_norm,
            "dev_loss": None,
            "dev_accuracy": None,
            "dev_uar": None,
            "clients_uar": None,
            "bytes_down": happened.bytes_down,
            "bytes_up": happened.bytes_up,
        }
    )
    course.timing.append(
        {
            "round": number,
            "training_seconds": happened.training_seconds,
            "aggregating_seconds": happened.aggregating_seconds,
            "judging_seconds": 0.0,
        }
    )


def _judge(course: Course, number: int, weights: Weights, judgement: Judgement, settings: Settings) -> None:
    course.rounds[-1].update(
        dev_loss=judgement.loss,
        dev_accuracy=judgement.accuracy,
        dev_uar=judgement.uar,
        clients_uar=judgement.clients_uar,
    )
    course.judged.extend({"round": number, **row} for row in judgement.per_client)
    may_be_chosen = number > settings.select_after and course.anybody_answered
    score = _score(number, judgement, settings)
    if may_be_chosen and (course.best is None or score > course.best):
        course.best, course.best_round, course.best_weights = score, number, weights


def _score(number: int, judgement: Judgement, settings: Settings) -> tuple[float, float]:
    """Return what the model that is tested has most of."""
    if settings.tests_last:
        return number, 0.0
    uar = judgement.clients_uar if settings.parity == PUBLISHED else judgement.uar
    # Between equals the one with the lower loss, and of those the first.
    return uar, -judgement.loss
