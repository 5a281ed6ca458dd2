"""Trained models that answer together: which files they are, whether they fit together, what they were trained on."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from candor.backbones.interface import family_names, load_family
from candor.features.extraction import POOLING_VERSION
from candor.models.loading import Model, ModelError, load_model
from candor.models.recipe import Recipe
from candor.models.tasks import Emotion, Rating
from candor.tables.backbones import Weights
from candor.tables.models import CHECKPOINT

MODEL_FILES = "seed*.safetensors"
SAME = ("family", "options", "weights", "precision", "features_version")
"""What hidden states depend on besides the audio."""


@dataclass(frozen=True)
class Ensemble:
    """Models that predict the same from the same backbone; make it with `Ensemble.of`.

    Parameters
    ----------
    files
        Where they were read.
    models
        The models, in the same order.
    """

    files: tuple[Path, ...]
    models: tuple[Model, ...]

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Ensemble:
        """Return all models at and below `paths`.

        Raises
        ------
        ModelError
            When there is none, or when they cannot be averaged or not be run by this version.
        """
        files = find_models(paths)
        made = cls(files, tuple(load_model(file) for file in files))
        for file, model in zip(files, made.models, strict=True):
            _refuse_other_features(file, model)
            _refuse_unlike(files[0], made.models[0], file, model)
        return made

    @property
    def task(self) -> Emotion | Rating:
        """Return what they predict; the scale of ratings is each model's own."""
        return self.models[0].task

    @property
    def source(self) -> Mapping[str, Any]:
        """Return the backbone and how it is run."""
        return self.models[0].about.source

    @property
    def backbone(self) -> str:
        """Return what the backbone is called in the config."""
        return str(self.models[0].about.run["backbone"])

    def own_weights(self) -> Path:
        """Return where the project that the first model lies in keeps the backbone's files, if it does."""
        project = Path(os.path.abspath(self.files[0])).joinpath(*[os.pardir] * len(Path(CHECKPOINT).parts))
        table = Path(os.path.abspath(project), Weights.path.format(backbone=self.backbone))
        return table.with_name(Weights.FOLDER)

    def trained_on(self) -> str:
        """Return in a line how many models there are, of what, and trained on which dataset."""
        runs: dict[tuple[str, str], list[Path]] = {}
        for file, model in zip(self.files, self.models, strict=True):
            runs.setdefault((model.about.run["dataset"], model.about.run["recipe"]), []).append(file)
        parts = [
            f"{len(files)} model{'s' * (len(files) > 1)} (recipe {recipe} on {self.backbone}), trained on {dataset}"
            for (dataset, recipe), files in runs.items()
        ]
        return "; ".join(parts)

    def datasets(self) -> list[str]:
        """Return what they were trained on."""
        return list(dict.fromkeys(model.about.run["dataset"] for model in self.models))


def by_speaker(model: Model) -> bool:
    """Tell whether a model needs hidden states to be normalised by those of their speaker."""
    recipe = Recipe.of(model.about.recipe)
    return recipe.norm != "nonorm" and recipe.norm_scope == "speaker"


def find_models(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the model files at and below `paths`, each once."""
    found: dict[str, Path] = {}
    for path in paths:
        below = sorted(path.rglob(MODEL_FILES)) if path.is_dir() else [path]
        if not below:
            raise ModelError(f"{path} holds no trained model; models are called {MODEL_FILES}")
        for file in below:
            found.setdefault(os.path.realpath(file), file)
    return tuple(found.values())


def _refuse_other_features(file: Path, model: Model) -> None:
    source = model.about.source
    if source["family"] not in family_names():
        raise ModelError(
            f"{file} reads a backbone of the family {source['family']}, which this version of Candor does not have"
        )
    versions = {"hidden states": (source["features_version"], load_family(source["family"]).FEATURES_VERSION)}
    if model.about.kind == "pooled":
        versions["pooled states"] = (source["pooling_version"], POOLING_VERSION)
    for what, (its, ours) in versions.items():
        if its != ours:
            raise ModelError(
                f"{file} was trained on {what} of {source['family']} in version {its}, and this Candor makes version "
                f"{ours}: train it anew, or predict with the Candor that it was trained with"
            )


def _refuse_unlike(first_file: Path, first: Model, file: Path, model: Model) -> None:
    together = f"{first_file} and {file} cannot be averaged"
    if _predicted(first) != _predicted(model):
        raise ModelError(f"{together}: one predicts {_predicted(first)}, the other {_predicted(model)}")
    for key in SAME:
        one, other = first.about.source[key], model.about.source[key]
        if one != other:
            names = [found.about.run["backbone"] for found in (first, model)]
            raise ModelError(
                f"{together}: one reads the backbone {names[0]}, the other {names[1]}, which differ in {key} "
                f"({_unlike(one, other)}); name the models of one backbone"
            )


def _predicted(model: Model) -> str:
    task = model.task
    return f"one of {', '.join(task.classes)}" if isinstance(task, Emotion) else task.pred


def _unlike(one: Any, other: Any) -> str:
    """Write two values, or of two mappings the first entry that is not in both."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in itertools.chain(one, other):
            if one.get(key) != other.get(key):
                return f"{key}: {one.get(key, 'none')} and {other.get(key, 'none')}"
    return f"{one} and {other}"
