"""Which recipe is trained on which backbone and dataset, and which hidden states that takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from candor.config.backbones import Backbone, S3prl
from candor.config.loading import ConfigError, refuse
from candor.config.recipes import RecipeSection
from candor.config.root import Config

WHOLE = "whole"

LACKS = {
    "last_layer": "nothing that could be trained",
    "full": "nothing that could be trained",
    "lora": "no attention that LoRA could adapt",
}
"""Why a backbone cannot take part in a mode."""


def span_name(seconds: float | None) -> str:
    """Return the name of the folder for features of the first seconds of each clip.

    >>> span_name(6.0), span_name(2.5), span_name(None)
    ('first6s', 'first2.5s', 'whole')
    """
    return WHOLE if seconds is None else f"first{seconds:g}s"


def check_systems(config: Config, datasets: Collection[str]) -> None:
    """Refuse recipes and pretrainings for backbones or datasets that there are not, or that cannot be trained so."""
    for name, entry in config.backbones.items():
        pretrain = entry.pretrain if isinstance(entry, S3prl) else None
        for asked in pretrain.dataset if pretrain else ():
            if asked not in datasets:
                raise refuse(f"backbones.{name}.pretrain.dataset", asked, datasets)
    known = {"pretrain_model": list(config.backbones), "dataset": list(datasets)}
    for name, recipe in config.recipes.items():
        for key, allowed in known.items():
            for asked in getattr(recipe, key) or ():
                if asked not in allowed:
                    raise refuse(f"recipes.{name}.{key}", asked, allowed)
        _check_mode(f"config: recipes.{name}", recipe, config.backbones)


def _check_mode(where: str, recipe: RecipeSection, backbones: Mapping[str, Backbone]) -> None:
    """Refuse a recipe that cannot train what it names, or nothing at all."""
    fitting = [name for name, backbone in backbones.items() if recipe.mode in backbone.modes]
    for asked in recipe.pretrain_model or ():
        if asked not in fitting:
            raise ConfigError(
                f"{where}.mode is {recipe.mode!r}, but {asked} has {LACKS[recipe.mode]}; leave it out of "
                f"pretrain_model, or set mode to {' or '.join(backbones[asked].modes)}"
            )
    if not fitting:
        raise ConfigError(
            f"{where}.mode is {recipe.mode!r}, but of the backbones ({', '.join(backbones)}) each has "
            f"{LACKS[recipe.mode]}; add another one, or set mode to 'frozen'"
        )


def recipes_on(config: Config, dataset: str, backbone: str) -> dict[str, RecipeSection]:
    """Return the recipes that are trained on a backbone for a dataset."""
    return {
        name: recipe
        for name, recipe in config.recipes.items()
        if dataset in (recipe.dataset or (dataset,))
        and backbone in (recipe.pretrain_model or (backbone,))
        and recipe.mode in config.backbones[backbone].modes
    }


def systems(config: Config, dataset: str) -> Iterator[tuple[str, str]]:
    """Yield every backbone and recipe that are trained together for a dataset."""
    for backbone in config.backbones:
        for recipe in recipes_on(config, dataset, backbone):
            yield backbone, recipe


def spans(config: Config, dataset: str, backbone: str) -> dict[str, float | None]:
    """Return how much of each clip recipes are trained on, in seconds, by the name of the folder for that."""
    return {
        span_name(recipe.audio_duration): recipe.audio_duration
        for recipe in recipes_on(config, dataset, backbone).values()
    }


def reads_frames(config: Config, dataset: str, backbone: str, span: str) -> bool:
    """Tell whether a recipe reads the hidden states of every frame."""
    return any(
        recipe.reads_frames and span_name(recipe.audio_duration) == span
        for recipe in recipes_on(config, dataset, backbone).values()
    )
