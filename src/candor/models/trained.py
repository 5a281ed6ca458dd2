"""The trained models of a backbone with a recipe, each with its backbone, as audits take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candor.features.reading import Frames
from candor.models.as_trained import AsTrained
from candor.models.end_to_end import EndToEnd
from candor.models.ensemble import Ensemble, by_speaker
from candor.models.listening import Listener
from candor.models.normalising import Affine
from candor.models.prepare import normalisation_of
from candor.models.recipe import Recipe
from candor.store.objects import Store
from candor.tables.features import FeatureIndex, FrameIndex

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TrainedSystem:
    """Where the models of a backbone with a recipe are.

    Parameters
    ----------
    backbone
        What the backbone is called.
    heads
        The file of each model, by fold and seed.
    weights
        The table of the backbone's files; None for one that has none.
    pooled, frames
        Indexes of hidden states; needed where each speaker has a normalisation of his own.
    """

    backbone: str
    heads: Mapping[tuple[int, int], Path]
    weights: Path | None = None
    pooled: Path | None = None
    frames: Path | None = None

    @classmethod
    def of(cls, backbone: str, runs: Sequence[tuple[int, int]], inputs: Any, prefix: str = "") -> TrainedSystem:
        """Return the system whose files a rule names.

        Parameters
        ----------
        backbone
            What the backbone is called.
        runs
            Fold and seed of each model, in the order of the rule's `heads`.
        inputs
            The input of the rule.
        prefix
            What stands before the names of these files there.
        """
        heads = inputs[f"{prefix}heads"]
        heads = [heads] if isinstance(heads, str) else heads
        others = {name: inputs.get(f"{prefix}{name}") for name in ("weights", "pooled", "frames")}
        return cls(
            backbone,
            {run: Path(file) for run, file in zip(runs, heads, strict=True)},
            **{name: Path(file) if file else None for name, file in others.items()},
        )

    def model(self, fold: int, seed: int, table: pd.DataFrame, store: Store, device: str) -> EndToEnd:
        """Return a model with its backbone.

        Parameters
        ----------
        fold, seed
            Which.
        table
            The table of the fold, to whose rows the numbers of utterances refer.
        store
            Where hidden states are.
        device
            What to run on.
        """
        ensemble = Ensemble.of([self.heads[fold, seed]])
        model = ensemble.models[0]
        listener = Listener(ensemble, self.weights.parent if self.weights else None, device)
        norm = self._by_speaker(table, Recipe.of(model.about.recipe), store) if by_speaker(model) else None
        return EndToEnd(listener.backbone_of(model), model, norm).to(device)

    def as_trained(self, fold: int, seeds: Sequence[int], table: pd.DataFrame, store: Store, device: str) -> AsTrained:
        """Return the models of a fold, which share what is made of a clip by a frozen backbone.

        Parameters
        ----------
        fold, seeds
            Which.
        table, store, device
            As for `model`.
        """
        ensemble = Ensemble.of([self.heads[fold, seed] for seed in seeds])
        listener = Listener(ensemble, self.weights.parent if self.weights else None, device)
        first = ensemble.models[0]
        norm = self._by_speaker(table, Recipe.of(first.about.recipe), store) if by_speaker(first) else None
        return AsTrained(dict(zip(seeds, ensemble.models, strict=True)), listener, norm)

    def _by_speaker(self, table: pd.DataFrame, recipe: Recipe, store: Store) -> Affine | None:
        """Return the normalisation that the training had: by all that each speaker says, unperturbed."""
        pooled = FeatureIndex.read(self.pooled) if self.pooled and recipe.norm == "znorm" else None
        frames = None
        if self.frames and recipe.norm == "minmax":
            frames = Frames(FrameIndex.read(self.frames), list(table["utterance"]), store)
        return normalisation_of(table, recipe, store, pooled, frames)
