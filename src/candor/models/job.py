"""All that a job of the stage does once it is known what networks are given: train, predict, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candor.made_of import file_hash, made_of
from candor.models.fold import FoldResult, Setting, clear_away, run_fold
from candor.models.prepare import Prepared
from candor.models.recipe import Recipe
from candor.models.saving import About, save_model
from candor.models.training import Trained
from candor.tables.base import write_json
from candor.tables.models import History, LayerWeights, TrainingTiming, predictions_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FoldJob:
    """The trainings of one recipe on one backbone and fold.

    Parameters
    ----------
    run
        Dataset, backbone, recipe and fold.
    pred
        What is predicted.
    recipe
        The recipe as the config has it.
    source
        The backbone and how it is run.
    inputs
        The files that were read, by role.
    aside
        The folder for states of unfinished trainings.
    device
        What networks run on.
    """

    run: Mapping[str, str]
    pred: str
    recipe: Mapping[str, Any]
    source: Mapping[str, Any]
    inputs: Mapping[str, str]
    aside: Path
    device: str = "cpu"

    def train_and_write(self, fold: pd.DataFrame, prepared: Prepared, output: Any) -> None:
        """Train once per seed; write tables, models and what they were made of.

        Parameters
        ----------
        fold
            The fold's table.
        prepared
            What networks are given.
        output
            The paths: `predictions`, `history`, `layers`, `recipe`, `timing` and, in the order of the seeds, `heads`.
        """
        seeds = self.recipe["seeds"]
        hashes = {role: file_hash(file) for role, file in self.inputs.items()}
        depends_on = {"recipe": {**self.recipe, "seeds": None}, "source": self.source, "inputs": hashes}
        setting = Setting(self.device, self.aside, depends_on)
        result = run_fold(
            int(self.run["fold"]),
            fold,
            self.pred,
            prepared.inputs,
            prepared.make,
            Recipe.of(self.recipe),
            seeds,
            setting,
        )
        self._write(result, prepared, output)
        clear_away(setting, seeds)

    def _write(self, result: FoldResult, prepared: Prepared, output: Any) -> None:
        task = result.task.described()
        predictions_table(self.pred).write(result.predictions, output.predictions)
        History.write(result.history, output.history)
        LayerWeights.write(result.layers, output.layers)
        TrainingTiming.write([self._took(seed, trained) for seed, trained in result.trained.items()], output.timing)
        shape = (prepared.kind, prepared.layers, prepared.dimensions)
        about = About(*shape, task, dict(self.recipe), dict(self.source), dict(self.run))
        for trained, file in zip(result.trained.values(), output.heads, strict=True):
            save_model(trained.network, about, file, prepared.normalised_by)
        facts: dict[str, Any] = {
            "run": dict(self.run),
            "recipe": dict(self.recipe),
            "task": task,
            "backbone": dict(self.source),
            "selected_epochs": {str(seed): trained.epoch for seed, trained in result.trained.items()},
            # Whoever normalises by speaker has heard the test speakers before, if not their labels.
            "transductive": self.recipe["norm"] != "nonorm" and self.recipe["norm_scope"] == "speaker",
        }
        write_json(made_of(self.inputs, **facts), output.recipe)

    def _took(self, seed: int, trained: Trained) -> dict[str, Any]:
        epochs, device = len(trained.history), self.device.partition(":")[0]
        took = {"epochs_run": trained.epochs_run, "seconds": trained.seconds}
        return {"seed": seed, "epochs": epochs, **took, "device": device}
